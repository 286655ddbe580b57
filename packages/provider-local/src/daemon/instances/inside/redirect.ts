import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type { Output } from './output.js';

/**
 * All ways in which code writes to standard output and error lead to `output`: the streams that `console` uses, and the
 * file descriptors 1 and 2 that some loggers write to, which in a thread would be the engine's own.
 */
export function redirect(output: Output): void {
  for (const stream of ['stdout', 'stderr'] as const) {
    process[stream].write = ((chunk: unknown, encoding?: unknown, done?: unknown) => {
      output.write(stream, chunk, encoding);
      const called = typeof encoding === 'function' ? encoding : done;
      if (typeof called === 'function') process.nextTick(called as () => void);
      return true;
    }) as typeof process.stdout.write;
  }
  const streamOf = (fd: unknown) => (fd === 1 ? 'stdout' : fd === 2 ? 'stderr' : undefined);
  const { writeSync, write } = fs as unknown as Record<
    'writeSync' | 'write',
    (...args: unknown[]) => unknown
  >;
  const put = (stream: 'stdout' | 'stderr', data: unknown, rest: readonly unknown[]): number => {
    const [first, second] = rest;
    if (typeof data === 'string') {
      output.write(stream, data, typeof second === 'string' ? second : undefined);
      return Buffer.byteLength(data);
    }
    const bytes = bytesOf(data as ArrayBufferView);
    const offset = typeof first === 'number' ? first : 0;
    const part = bytes.subarray(offset, typeof second === 'number' ? offset + second : undefined);
    output.write(stream, part);
    return part.length;
  };
  fs.writeSync = ((fd: number, data: unknown, ...rest: unknown[]) => {
    const stream = streamOf(fd);
    return stream === undefined ? writeSync(fd, data, ...rest) : put(stream, data, rest);
  }) as unknown as typeof fs.writeSync;
  fs.write = ((fd: number, data: unknown, ...rest: unknown[]) => {
    const stream = streamOf(fd);
    if (stream === undefined) return write(fd, data, ...rest);
    const written = put(stream, data, rest);
    const done = rest.at(-1);
    if (typeof done === 'function')
      setImmediate(() => (done as (...args: unknown[]) => void)(null, written, data));
  }) as unknown as typeof fs.write;
  syncBuiltinESMExports();
}

function bytesOf(view: ArrayBufferView): Buffer {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}
