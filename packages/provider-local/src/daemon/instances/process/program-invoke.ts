import type { IncomingMessage } from 'node:http';
import { adapt } from '@sfx-deploy/runtime';
import type { InvokeCall, Load } from '../calls.js';
import { type Asked, type Exchanges, withoutConnection } from './exchange.js';
import { contextOf, pairs } from './plain.js';
import { marked } from './program-headers.js';

/** Most bytes of an answer to what is no call over HTTP. */
const RESULT_BYTES = 20 * 1024 * 1024;

/** Statuses whose answers have no body. */
const BARE = new Set([204, 205, 304]);

/**
 * An invocation of a program: `POST /` with its payload, and a 2xx answers it. What a trigger delivers, and what is asked
 * as over HTTP, comes to it as to any handler of the `fetch` style. The result is JSON text.
 */
export async function invokeProgram(
  program: Exchanges,
  call: InvokeCall,
  load: Load,
  signal: AbortSignal,
): Promise<string> {
  const payload = call[5];
  if (/"\$(http|event)"/.test(payload)) {
    const fetch = (request: Request) => fetched(program, request, call, load, signal);
    const result = await adapt({ fetch }, 'program').invoke(JSON.parse(payload), contextOf(call, load));
    return JSON.stringify(result) ?? 'null';
  }
  const headers = marked(['content-type', 'application/json'], call, load);
  const asked = { method: 'POST', path: '/', headers, body: Buffer.from(payload) };
  const { status, body } = await whole(program, asked, signal);
  if (status < 200 || status > 299) throw new Error(`it answered ${status}`);
  return resultOf(body);
}

async function fetched(
  program: Exchanges,
  request: Request,
  call: InvokeCall,
  load: Load,
  signal: AbortSignal,
): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const bytes = new Uint8Array(await request.arrayBuffer());
  const asked = {
    method: request.method,
    path: pathname + search,
    headers: marked([...request.headers].flat(), call, load),
    body: bytes.length === 0 ? null : bytes,
  };
  const { status, headers, body } = await whole(program, asked, signal);
  return new Response(BARE.has(status) ? null : body, { status, headers: pairs(headers) });
}

async function whole(program: Exchanges, asked: Asked, signal: AbortSignal) {
  const res = await program.ask(asked, signal);
  return {
    status: res.statusCode ?? 0,
    headers: withoutConnection(res.rawHeaders),
    body: await read(res, RESULT_BYTES),
  };
}

/** All of an answer's body. */
export async function read(res: IncomingMessage, most: number): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of res as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > most) throw new Error(`its answer is larger than ${most} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** JSON where it is JSON, as it was written; else text as JSON; nothing as null. */
function resultOf(body: Buffer): string {
  const text = body.toString('utf8');
  if (text === '') return 'null';
  try {
    JSON.parse(text);
    return text;
  } catch {
    return JSON.stringify(text);
  }
}
