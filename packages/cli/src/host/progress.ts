import type { Event, StepName } from '@sfx-deploy/core';
import { identityLine, noticeLines, releaseLine, runningText, stepLines } from '../render/event.js';
import type { Look } from '../render/look.js';

/** A step that runs. */
export interface Running {
  readonly step: StepName;
  readonly began: number;
  readonly text?: string | undefined;
  readonly done?: number | undefined;
  readonly total?: number | undefined;
}

/** How the lines of a command that works come to the screen. */
export interface Progress {
  emit(event: Event): void;
  /** A line between the steps. */
  say(line: string): void;
  /** Ends what is shown as running; a blank line divides steps from the result. */
  settle(): void;
}

export interface Surface {
  readonly look: Look;
  readonly verbose: boolean;
  now(): number;
  /** Lines that stay. */
  print(lines: readonly string[]): void;
  /** What runs has changed; the newest is the last. */
  running(steps: readonly Running[]): void;
}

/** The steps that run now, told to the surface whenever they change. */
function createTracker(surface: Surface) {
  const active = new Map<StepName, Running>();
  const show = (): void => surface.running([...active.values()]);
  return {
    update(step: StepName, state: Partial<Running>): void {
      active.set(step, { began: active.get(step)?.began ?? surface.now(), ...state, step });
      show();
    },
    remove(step: StepName): void {
      active.delete(step);
      show();
    },
    clear(): void {
      active.clear();
      show();
    },
  };
}

/** Who waits asks again and again; people want to hear it once, and then a sign of life. */
function createWaits(surface: Surface) {
  let last = { why: '', at: Number.NEGATIVE_INFINITY };
  return (event: Extract<Event, { code: 'wait' }>): string[] => {
    const now = surface.now();
    if (event.why === last.why && now - last.at < 10_000) return [];
    last = { why: event.why, at: now };
    return noticeLines(event, surface.look, surface.verbose);
  };
}

/** Lines that stay: who and what first, then a blank line, then the steps. */
function createPage(surface: Surface) {
  let header = false;
  let body = false;
  let held: readonly string[] = [];
  const add = (lines: readonly string[]): void => {
    const all = [...held, ...lines];
    held = [];
    if (all.length === 0) return;
    surface.print(header && !body ? ['', ...all] : all);
    body = true;
  };
  return {
    add,
    /** What was held comes below it. */
    head(line: string): void {
      if (body) add([line]);
      else {
        header = true;
        surface.print([line]);
      }
    },
    /** Keeps the first lines back until the next event: a build ends before it is known which release it makes. */
    hold(lines: readonly string[]): void {
      if (body || held.length > 0) add(lines);
      else held = lines;
    },
    end(): void {
      add([]);
      if (header || body) surface.print(['']);
      header = false;
      body = false;
    },
  };
}

/** Events to lines, for both kinds of surface: what differs is only how a running step is shown. */
export function createProgress(surface: Surface): Progress {
  const { look, verbose } = surface;
  const steps = createTracker(surface);
  const page = createPage(surface);
  const waits = createWaits(surface);
  return {
    emit(event) {
      switch (event.code) {
        case 'identity':
          return page.head(identityLine(event, look));
        case 'release':
          return page.head(releaseLine(event, look));
        case 'step.start':
          page.add([]);
          return steps.update(event.step, { text: event.text, total: event.total });
        case 'step.progress':
          return steps.update(event.step, { text: event.text, done: event.done, total: event.total });
        case 'step.end':
          steps.remove(event.step);
          // A step that had nothing to do says nothing.
          if (event.text === '' && !verbose) return;
          if (event.step === 'build') return page.hold(stepLines('ok', 'build', event.text, event.ms, look));
          return page.add(stepLines('ok', event.step, event.text, event.ms, look));
        case 'step.fail':
          steps.remove(event.step);
          return page.add(stepLines('bad', event.step, event.text, event.ms, look));
        case 'wait':
          return page.add(waits(event));
        default:
          return page.add(noticeLines(event, look, verbose));
      }
    },
    say: (line) => page.add([line]),
    settle() {
      steps.clear();
      page.end();
    },
  };
}

export function runningLine(running: Running): string {
  return runningText(running.text, running.done, running.total);
}
