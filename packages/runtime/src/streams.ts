import { encode } from './bodies.js';

/** A body that is there, or one that comes. */
export type Body =
  | { readonly body: Uint8Array | null }
  | { readonly body: null; readonly stream: AsyncIterable<Uint8Array> };

const LATER = Symbol('later');

/**
 * The body of a `Response`: whole where all of it is there by the next turn of the event loop, as that of text or bytes is;
 * else as it comes.
 */
export async function bodyOfStream(body: ReadableStream<Uint8Array>): Promise<Body> {
  const reader = body.getReader();
  const turn = new Promise<typeof LATER>((resolve) => setImmediate(resolve, LATER));
  const read: Read[] = [];
  for (let n = 0; n < 2; n += 1) {
    const next = reader.read();
    const found = await Promise.race([next, turn]);
    if (found === LATER) return { body: null, stream: streamed(reader, [...read, next]) };
    if (found.done) return { body: read.length === 0 ? new Uint8Array(0) : bytesOf((await read[0]!).value) };
    read.push(next);
  }
  return { body: null, stream: streamed(reader, read) };
}

type Read = Promise<{ readonly done: boolean; readonly value?: unknown }>;

interface Source {
  read(): Read;
  cancel(): Promise<void>;
}

/** What was read already, then the rest. Whoever stops early cancels the source, also while it waits for the next part. */
function streamed(source: Source, read: Read[]): AsyncIterable<Uint8Array> {
  const iterator: AsyncIterator<Uint8Array> = {
    async next() {
      const { done, value } = await (read.shift() ?? source.read());
      return done ? { done, value: undefined } : { done, value: bytesOf(value) };
    },
    async return() {
      await source.cancel();
      return { done: true, value: undefined };
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

/** What an event handler may give as a body in parts: a web stream, a Node stream, an async generator. */
export function isParts(value: unknown): value is AsyncIterable<unknown> {
  return typeof (value as { [Symbol.asyncIterator]?: unknown } | null)?.[Symbol.asyncIterator] === 'function';
}

/** The parts as bytes; text among them as UTF-8. */
export function bytesOfParts(parts: AsyncIterable<unknown>): AsyncIterable<Uint8Array> {
  const iterator = parts[Symbol.asyncIterator]();
  const read = async () => {
    const { done = false, value } = await iterator.next();
    return { done, value: typeof value === 'string' ? encode(value) : value };
  };
  // Not waited for: a generator that waits for something itself ends only after that.
  const cancel = async () => {
    iterator.return?.()?.catch?.(() => undefined);
  };
  return streamed({ read, cancel }, []);
}

export async function gathered(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new TypeError(`A body's stream must give bytes; it gave ${value === null ? 'null' : typeof value}.`);
}
