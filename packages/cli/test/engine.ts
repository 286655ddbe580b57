import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../src/main.js';
import { type FakeInit, type FakeIo, fakeIo } from './fake-io.js';

export interface Said {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** A command that goes on until it is told to end. */
export interface Going {
  readonly io: FakeIo;
  readonly ended: Promise<Said>;
  /** Waits until the whole output so far fits. */
  until(pattern: RegExp): Promise<string>;
  /** As Ctrl-C. */
  interrupt(): Promise<Said>;
}

/** A folder for a service, and an engine of its own. */
export interface Place {
  readonly dir: string;
  readonly home: string;
  sfx(...words: string[]): Promise<Said>;
  sfxWith(init: FakeInit, ...words: string[]): Promise<Said>;
  go(...words: string[]): Going;
  close(): Promise<void>;
}

const PATIENCE_MS = 40_000;

export async function openPlace(name: string): Promise<Place> {
  const dir = await mkdtemp(join(tmpdir(), `sfx-${name}-`));
  const home = join(dir, 'home');
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: dir,
    LANG: 'C.UTF-8',
    SFX_LOCAL_HOME: home,
    SFX_LOCAL_PORT: String(await freePort()),
  };
  const start = (init: FakeInit, words: readonly string[]) => {
    const io = fakeIo({ cwd: dir, ...init, env: { ...env, ...init.env } });
    const controller = new AbortController();
    const said = main(words, { ...io, now: () => Date.now() }, controller.signal);
    const ended = said.then((exit) => ({ exit, out: io.out(), err: io.err() }));
    return { io, ended, controller };
  };
  return {
    dir,
    home,
    sfx: (...words) => start({}, words).ended,
    sfxWith: (init, ...words) => start(init, words).ended,
    go(...words) {
      const { io, ended, controller } = start({}, words);
      let over: Said | undefined;
      ended.then(
        (said) => (over = said),
        () => undefined,
      );
      return {
        io,
        ended,
        async until(pattern) {
          const deadline = Date.now() + PATIENCE_MS;
          for (;;) {
            const text = io.out() + io.err();
            if (pattern.test(text)) return text;
            if (over !== undefined || Date.now() > deadline)
              throw new Error(`${over ? `ended with ${over.exit}` : 'waited'} without ${pattern}:\n${text}`);
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        },
        interrupt() {
          controller.abort();
          return ended;
        },
      };
    },
    async close() {
      await start({}, ['local', 'stop']).ended;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return address.port;
}
