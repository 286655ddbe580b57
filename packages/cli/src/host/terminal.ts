import { type Look, paint, toAscii } from '../render/look.js';
import { pad, seconds } from '../render/text.js';
import type { Io } from './io.js';
import { createProgress, type Progress, type Running, runningLine } from './progress.js';

const FRAMES = {
  unicode: ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'],
  ascii: ['-', '\\', '|', '/'],
} as const;
const REDRAW_MS = 90;
const CLEAR = '\r\u001b[2K';

/** For a terminal: the step that runs is one line, redrawn in place with a spinner, its counter and its time. */
export function terminalProgress(io: Io, look: Look, verbose: boolean): Progress {
  const frames = look.unicode ? FRAMES.unicode : FRAMES.ascii;
  let running: readonly Running[] = [];
  let drawn = false;
  let frame = 0;
  let stop: (() => void) | undefined;

  const clear = (): void => {
    if (drawn) io.stderr.write(CLEAR);
    drawn = false;
  };
  const draw = (): void => {
    const step = running.at(-1);
    if (!step) {
      clear();
      return;
    }
    const spinner = pad(frames[frame % frames.length]!, look.unicode ? 1 : 2);
    const text = `${spinner} ${pad(step.step, 11)}${runningLine(step)}`;
    const time = seconds(io.now() - step.began);
    // A line that wraps could not be redrawn in place.
    const room = Math.min(72, io.stderr.columns - 1) - time.length;
    const cut = text.length > room - 1 ? text.slice(0, Math.max(0, room - 1)) : text;
    io.stderr.write(`${CLEAR}${pad(cut, room)}${paint(look, 'dim', time)}`);
    drawn = true;
  };
  return createProgress({
    look,
    verbose,
    now: io.now,
    print(lines) {
      clear();
      for (const line of lines) io.stderr.write(`${look.unicode ? line : toAscii(line)}\n`);
      draw();
    },
    running(steps) {
      running = steps;
      draw();
      if (steps.length > 0) {
        stop ??= io.every(REDRAW_MS, () => {
          frame++;
          draw();
        });
      } else {
        stop?.();
        stop = undefined;
      }
    },
  });
}
