import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, messageOf, type Run } from '@sfx-deploy/plugin';
import { homeOf } from './options.js';

const LOOK_MS = 200;
const BLOCK = 64 * 1024;

/** Lines of the engine's own log, and those to come when it is followed. No log yet is no line. */
export async function* engineLog(run: Run, follow: boolean): AsyncGenerator<string> {
  const path = join(homeOf(run.env), 'engine.log');
  let at = 0;
  for (;;) {
    const { lines, rest, next } = await readFrom(path, at);
    yield* lines;
    const ended = next === at;
    at = next;
    if (!ended) continue;
    if (!follow) {
      if (rest !== '') yield rest;
      return;
    }
    await run.sleep(LOOK_MS);
  }
}

interface Part {
  readonly lines: readonly string[];
  /** A line without its end, read again next time. */
  readonly rest: string;
  /** Byte after the last whole line. */
  readonly next: number;
}

async function readFrom(path: string, from: number): Promise<Part> {
  try {
    const file = await open(path, 'r');
    try {
      // A log that grew too large began anew.
      const start = (await file.stat()).size < from ? 0 : from;
      const { buffer, bytesRead } = await file.read(Buffer.alloc(BLOCK), 0, BLOCK, start);
      const whole = buffer.lastIndexOf(10, bytesRead - 1) + 1 || (bytesRead === BLOCK ? BLOCK : 0);
      const text = buffer.toString('utf8', 0, whole);
      return {
        lines: text === '' ? [] : text.replace(/\n$/, '').split('\n'),
        rest: buffer.toString('utf8', whole, bytesRead),
        next: start + whole,
      };
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { lines: [], rest: '', next: 0 };
    throw fail('SFX6005', `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
