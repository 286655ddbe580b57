import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { ErrorCode } from '@sfx-deploy/plugin';
import type { Sent } from '../calls/caller.js';
import type { Failure, Outcome } from '../instances/outcomes.js';
import { textOf } from '../refusal.js';

/** Bytes of an answer that is not streamed. */
export const ANSWER_LIMIT = 20 * 1024 * 1024;

/** A body up to this size goes out with its headers in one write, which Node does for text only: latin1 keeps every byte. */
const ONE_WRITE_BYTES = 16 * 1024;

const STATUS: Readonly<Record<Failure, readonly [status: number, code: ErrorCode, text: string]>> = {
  threw: [500, 'SFX6106', 'the handler threw'],
  crashed: [502, 'SFX6107', 'the instance stopped during the call'],
  timeout: [504, 'SFX6108', 'the function took longer than its timeout'],
  unloadable: [502, 'SFX6111', 'the handler did not load'],
  busy: [503, 'SFX6110', 'too many calls wait for this function'],
};

/** Headers that are the connection's own, or the gateway's to say. */
const NOT_HANDED_ON = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'trailer',
  'content-length',
  'proxy-connection',
  'x-sfx-version',
  'x-sfx-release',
  'x-sfx-activation',
  'traceparent',
]);

/** An answer that is to be written. */
export interface Answering {
  readonly res: ServerResponse;
  readonly method: string;
  /** Flat: what the gateway says itself. */
  readonly ours: readonly string[];
  /** The route has CORS, which then is the gateway's to say. */
  readonly cors: boolean;
}

/** Writes what a call came to; resolves once a stream has ended. What the caller got, for the count of errors. */
export function answer(answering: Answering, outcome: Outcome): Sent | Promise<Sent> {
  const { res, ours } = answering;
  if (outcome.kind === 'failed') {
    const [status, code, text] = STATUS[outcome.why];
    if (!res.destroyed) problem(res, status, code, text, ours);
    return { status };
  }
  if (outcome.kind === 'json') return invalid(answering, 'it is not an HTTP answer');
  const { status, body, stream } = outcome;
  if (res.destroyed) {
    if (stream !== undefined) leave(stream[Symbol.asyncIterator]());
    return { status };
  }
  if (body !== null && typeof body !== 'string' && body.byteLength > ANSWER_LIMIT) {
    const message = `the answer is larger than ${ANSWER_LIMIT} bytes`;
    problem(res, 502, 'SFX6117', message, ours);
    return { status: 502, error: { code: 'SFX6117', message } };
  }
  const wrong = head(answering, outcome);
  if (wrong !== undefined) {
    if (stream !== undefined) leave(stream[Symbol.asyncIterator]());
    return invalid(answering, wrong);
  }
  const bare = status === 204 || status === 304 || answering.method === 'HEAD';
  if (stream !== undefined) {
    const iterator = stream[Symbol.asyncIterator]();
    if (!bare) return piped(res, iterator, status);
    leave(iterator);
    res.end();
  } else if (bare || body === null) res.end();
  else if (typeof body === 'string') res.end(body, 'latin1');
  else if (body.byteLength <= ONE_WRITE_BYTES)
    res.end(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1'), 'latin1');
  else res.end(body);
  return { status };
}

function lengthOf(body: Uint8Array | string | null): number {
  if (body === null) return 0;
  return typeof body === 'string' ? body.length : body.byteLength;
}

function invalid({ res, ours }: Answering, what: string): Sent {
  const text = "the handler's answer is not a valid one";
  if (!res.destroyed) problem(res, 502, 'SFX6109', text, ours);
  return { status: 502, error: { code: 'SFX6109', message: `${text}: ${what}` } };
}

/** Status and headers; what is wrong with them, when they cannot be written. */
function head(
  { res, ours, cors }: Answering,
  { status, headers, body, stream }: Extract<Outcome, { kind: 'http' }>,
): string | undefined {
  if (!Number.isInteger(status) || status < 200 || status > 599) return `status ${status}`;
  const all = [...ours];
  for (let n = 0; n < headers.length; n += 2) {
    const name = headers[n]!.toLowerCase();
    if (NOT_HANDED_ON.has(name) || (cors && name.startsWith('access-control-allow-'))) continue;
    all.push(headers[n]!, headers[n + 1]!);
  }
  if (stream === undefined && status !== 204 && status !== 304)
    all.push('content-length', String(lengthOf(body)));
  try {
    res.writeHead(status, all);
  } catch (error) {
    return textOf(error);
  }
  return undefined;
}

/**
 * Sends a stream as it comes, no faster than the caller takes it. A caller that leaves ends it; a stream that breaks cuts
 * the connection, so that nobody takes what came for all.
 */
async function piped(
  res: ServerResponse,
  iterator: AsyncIterator<Uint8Array>,
  status: number,
): Promise<Sent> {
  let gone = false;
  res.once('close', () => {
    gone = true;
    if (!res.writableEnded) leave(iterator);
  });
  res.flushHeaders();
  try {
    for (;;) {
      const part = await iterator.next();
      if (gone) return { status };
      if (part.done) break;
      if (part.value.byteLength > 0 && !res.write(part.value)) await drained(res);
    }
  } catch (error) {
    if (gone) return { status };
    res.destroy();
    return { status, error: { code: 'SFX6107', message: `the answer broke off: ${textOf(error)}` } };
  }
  res.end();
  return { status };
}

/** Resolves once more may be written, or never will be; leaves no listener behind. */
export function drained(res: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      res.off('drain', done);
      res.off('close', done);
      resolve();
    };
    res.on('drain', done);
    res.on('close', done);
  });
}

/** Not waited for: its other side may be busy, and nobody wants the rest. */
function leave(iterator: AsyncIterator<Uint8Array>): void {
  iterator.return?.()?.catch((error: unknown) => {
    process.stderr.write(`gateway: a stream did not end: ${textOf(error)}\n`);
  });
}

/** An answer of the gateway itself: `{ error: { code, message } }`. */
export function problem(
  res: ServerResponse,
  status: number,
  code: ErrorCode,
  message: string,
  headers: readonly string[],
): void {
  const body = problemText(code, message);
  const length = String(Buffer.byteLength(body));
  // Said again: a head that was refused has left its own reason behind.
  res.writeHead(status, STATUS_CODES[status], [
    ...headers,
    'content-type',
    'application/json',
    'content-length',
    length,
  ]);
  res.end(body);
}

export function problemText(code: ErrorCode, message: string): string {
  return `${JSON.stringify({ error: { code, message } })}\n`;
}
