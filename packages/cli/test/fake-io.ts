import type { Io } from '../src/host/io.js';

export interface FakeIo extends Io {
  /** What was written so far. */
  out(): string;
  err(): string;
  /** Lets time pass; timers ring as they would. */
  pass(ms: number): void;
}

export interface FakeInit {
  readonly env?: Readonly<Record<string, string>>;
  readonly terminal?: boolean;
  readonly columns?: number;
  readonly cwd?: string;
  readonly answer?: string;
  readonly platform?: string;
}

/** A process that writes into strings, with a clock that a test moves. */
export function fakeIo({
  env = {},
  terminal = false,
  columns = 80,
  cwd = '/nowhere',
  answer,
  platform = 'linux',
}: FakeInit = {}): FakeIo {
  const written = { out: '', err: '' };
  const timers = new Set<{ readonly every: number; next: number; readonly act: () => void }>();
  let now = Date.parse('2026-03-01T12:00:00.000Z');
  const stream = (key: 'out' | 'err') => ({
    write(text: string) {
      written[key] += text;
    },
    terminal,
    columns,
    closed: false,
  });
  return {
    stdout: stream('out'),
    stderr: stream('err'),
    cwd,
    env: { LANG: 'C.UTF-8', ...env },
    platform,
    canAsk: answer !== undefined,
    ask: async () => answer ?? '',
    readInput: async () => '',
    now: () => now,
    every(ms, act) {
      const timer = { every: ms, next: now + ms, act };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    out: () => written.out,
    err: () => written.err,
    pass(ms) {
      const end = now + ms;
      for (;;) {
        const due = [...timers].filter((timer) => timer.next <= end).sort((a, b) => a.next - b.next)[0];
        if (!due) break;
        now = due.next;
        due.next += due.every;
        due.act();
      }
      now = end;
    },
  };
}

/** What a terminal would show at the end of a text that redraws its last line. */
export function screen(text: string): string[] {
  const lines = [''];
  for (const part of text.split(/(\r\u001b\[2K|\n)/)) {
    if (part === '\n') lines.push('');
    else if (part.startsWith('\r')) lines[lines.length - 1] = '';
    else lines[lines.length - 1] += part.replace(/\u001b\[[0-9;]*m/g, '');
  }
  return lines.map((line) => line.trimEnd());
}
