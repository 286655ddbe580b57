import { stepLines } from '../render/event.js';
import { type Look, toAscii } from '../render/look.js';
import { age } from '../render/text.js';
import type { Io } from './io.js';
import { createProgress, type Progress, type Running, runningLine } from './progress.js';

const SIGN_OF_LIFE_MS = 10_000;

/** For pipes, files and CI: each line once, when it is true; and one sign of life per 10 s while a step runs. */
export function plainProgress(io: Io, look: Look, verbose: boolean): Progress {
  let running: readonly Running[] = [];
  let stop: (() => void) | undefined;
  const print = (lines: readonly string[]): void => {
    for (const line of lines) io.stderr.write(`${look.unicode ? line : toAscii(line)}\n`);
  };
  const alive = (): void => {
    const step = running.at(-1);
    if (!step) return;
    const text = [runningLine(step), `since ${age(io.now() - step.began)}`]
      .filter((part) => part !== '')
      .join(' · ');
    print(stepLines('open', step.step, text, 0, look));
  };
  return createProgress({
    look,
    verbose,
    now: io.now,
    print,
    running(steps) {
      running = steps;
      if (steps.length > 0) stop ??= io.every(SIGN_OF_LIFE_MS, alive);
      else {
        stop?.();
        stop = undefined;
      }
    },
  });
}
