import type { InstanceEvents, InstanceOptions } from '../instance.js';
import { frames } from './frames.js';
import { type GuardedOptions, startGuarded } from './guard.js';
import { type Watch, watchMemory } from './memory.js';
import { readOutput } from './output.js';

/** The process of an instance, as all kinds of them have it. */
export interface Child {
  /** A frame over the channel. */
  write(body: Uint8Array): void;
  /** A call began: lines are its own while it is the only one. */
  began(id: number, activation: string): void;
  /** Its answer is there. */
  done(id: number): void;
  running(): number;
  /** Ends it at once, for this reason. */
  fail(why: string): void;
  end(): void;
}

export interface ChildOptions extends Omit<GuardedOptions, 'channel' | 'cwd' | 'pipes'> {
  readonly instance: InstanceOptions;
  /** MB that the program needs for itself before it runs any of the user's code; on top of the function's memory. */
  readonly base: number;
  /** As `GuardedOptions.pipes`; default false. */
  readonly pipes?: boolean;
  /** Frames from the channel; without it there is none. */
  readonly heard?: (body: Buffer) => void;
  /** What is written between the lines of two calls. */
  readonly mark?: string;
  readonly marked?: (stream: 'stdout' | 'stderr') => void;
  /** A line, before it goes to the log. */
  readonly saw?: (text: string) => void;
  /** Says better why it ended. */
  readonly reason?: (why: string) => string;
}

const MB = 1024 * 1024;
/** So long after a call what it wrote may still come. */
const LATE_MS = 50;

export function startChild(options: ChildOptions, events: InstanceEvents): Child {
  const { instance, base } = options;
  const calls = new Map<number, string>();
  let problem: string | undefined;
  let watch: Watch | undefined;
  const process = startGuarded(
    { ...options, cwd: instance.folder, channel: options.heard !== undefined, pipes: options.pipes === true },
    (why) => {
      watch?.stop();
      events.gone(problem ?? options.reason?.(why) ?? why);
    },
  );
  const fail = (why: string) => {
    problem ??= why;
    process.kill();
  };
  const most = (instance.memory + base) * MB;
  if (process.pid !== undefined) {
    watch = watchMemory(process.pid, (bytes) => {
      events.used(bytes);
      if (bytes > most) fail(`it used more than its ${instance.memory} MB of memory`);
    });
  }
  const channel = process.channel === undefined ? undefined : frames(process.channel, options.heard!, fail);
  /** When a call ended last. */
  let last = Number.NEGATIVE_INFINITY;
  const only = () => {
    // Without marks, a line that comes so soon may still be of the call before.
    const certain = options.mark !== undefined || performance.now() - last > LATE_MS;
    return certain && calls.size === 1 ? calls.values().next().value : undefined;
  };
  for (const stream of ['stdout', 'stderr'] as const) {
    readOutput(
      process[stream],
      {
        line: (text) => {
          options.saw?.(text);
          events.wrote(stream, text, only());
        },
        dropped: (lines) =>
          events.wrote('engine', `${lines} lines on ${stream} were dropped: too many at once`, only()),
        mark: () => options.marked?.(stream),
      },
      { now: Date.now, ...(options.mark !== undefined && { mark: options.mark }) },
    );
  }
  return {
    write: (body) => channel?.write(body),
    began(id, activation) {
      calls.set(id, activation);
      watch?.busy(true);
    },
    done(id) {
      calls.delete(id);
      last = performance.now();
      if (calls.size === 0) watch?.busy(false);
    },
    running: () => calls.size,
    fail,
    end: process.end,
  };
}
