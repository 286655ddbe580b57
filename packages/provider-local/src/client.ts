import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import type { Json, Run } from '@sfx-deploy/plugin';
import { broken, refused } from './errors.js';

/** Where a daemon listens, and what opens it. */
export interface Address {
  readonly port: number;
  readonly token: string;
}

export interface Ask {
  /** What is done, and on what, as `Run.call` tells it: `versions.stage`, a unit, alias or trigger. */
  readonly op: string;
  readonly on: string;
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  readonly json?: unknown;
  /** A body as it comes; called again when it is sent again. */
  readonly bytes?: () => AsyncIterable<Uint8Array>;
  /** Milliseconds without an answer; default 30,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Default: all but GET. */
  readonly writes?: boolean;
  /** Doing it twice is doing it once: asked again when the connection broke. Default true. */
  readonly repeatable?: boolean;
  /** On a connection of its own: its answer may take hours. */
  readonly alone?: boolean;
}

/** The one door to the daemon: HTTP on loopback, with the token. */
export interface Client {
  /** The answer; undefined for 404. Throws the coded error of any other refusal. */
  find<T>(ask: Ask): Promise<T | undefined>;
  /** The same, but 404 is an error too. */
  ask<T>(ask: Ask): Promise<T>;
  /** Lines of a streamed answer. */
  lines<T>(ask: Ask): AsyncIterable<T>;
  close(): void;
}

/** How to reach a daemon that was there a moment ago; starts it again when it died. */
export type Reach = () => Promise<Address>;

export function createClient(first: Address, reach: Reach, run: Pick<Run, 'call'>): Client {
  let agent = newAgent();
  let address = first;

  /** A kept connection may be dead without our knowing; what must not be sent twice has one of its own. */
  function agentFor(ask: Ask): Agent | undefined {
    return ask.repeatable === false || ask.alone === true ? undefined : agent;
  }

  async function open(ask: Ask): Promise<IncomingMessage> {
    const { sent, error, answer } = await send(address, agentFor(ask), ask);
    if (answer !== undefined) return answer;
    // What was never sent did not happen, so that may always be tried again.
    if (ask.signal?.aborted || (sent && ask.repeatable === false)) {
      throw broken(ask.op, error, sent && writes(ask));
    }
    address = await reach();
    // What is left of connections to the one that died would fail the next calls as well.
    agent.destroy();
    agent = newAgent();
    const second = await send(address, agentFor(ask), ask);
    if (second.answer !== undefined) return second.answer;
    throw broken(ask.op, second.error, second.sent && writes(ask));
  }

  function answered<T>(ask: Ask, accept: (status: number) => boolean): Promise<T | undefined> {
    return run.call({ op: ask.op, on: ask.on, writes: writes(ask) }, () => answerOf<T>(ask, accept));
  }

  async function answerOf<T>(ask: Ask, accept: (status: number) => boolean): Promise<T | undefined> {
    const answer = await open(ask);
    const status = answer.statusCode ?? 500;
    const body = await bodyOf(answer, ask);
    if (status < 300) return body as T;
    if (accept(status)) return undefined;
    throw refused(ask.op, status, body);
  }

  return {
    find: (ask) => answered(ask, (status) => status === 404),
    ask: async <T>(ask: Ask) => (await answered<T>(ask, () => false)) as T,
    async *lines<T>(ask: Ask) {
      // A stream may stay open for hours: it must not take the place of what comes and goes.
      const answer = await open({ ...ask, alone: true });
      if ((answer.statusCode ?? 500) >= 300)
        throw refused(ask.op, answer.statusCode ?? 500, await bodyOf(answer, ask));
      yield* linesOf<T>(answer, ask);
    },
    close: () => agent.destroy(),
  };
}

function newAgent(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 32 });
}

/** One request without retry, for who only wants to know whether a daemon is there. Undefined when nobody answers. */
export async function knock(
  address: Address,
  timeoutMs: number,
): Promise<{ status: number; body: Json } | undefined> {
  const ask: Ask = { op: 'engine.health', on: 'engine', method: 'GET', path: '/v1/health', timeoutMs };
  const { answer } = await send(address, undefined, ask);
  if (answer === undefined) return undefined;
  try {
    return { status: answer.statusCode ?? 500, body: (await bodyOf(answer, ask)) as Json };
  } catch {
    // Something else listens there and does not speak as the engine does.
    return { status: 500, body: null };
  }
}

interface Sent {
  readonly answer?: IncomingMessage;
  readonly error?: unknown;
  /** The request, or part of it, went out. */
  readonly sent: boolean;
}

function send(address: Address, agent: Agent | undefined, ask: Ask): Promise<Sent> {
  const body = ask.json === undefined ? undefined : Buffer.from(JSON.stringify(ask.json));
  return new Promise((resolve) => {
    let connected = false;
    const req = httpRequest({
      host: '127.0.0.1',
      port: address.port,
      method: ask.method,
      path: ask.path,
      agent: agent ?? false,
      ...(ask.signal && { signal: ask.signal }),
      timeout: ask.timeoutMs ?? 30_000,
      headers: {
        authorization: `Bearer ${address.token}`,
        ...(body && { 'content-type': 'application/json', 'content-length': body.length }),
      },
    });
    req.on('socket', (socket) => {
      if (socket.connecting) socket.once('connect', () => (connected = true));
      else connected = true;
    });
    req.on('response', (answer) => resolve({ answer, sent: true }));
    req.on('error', (error) => resolve({ error, sent: connected }));
    req.on('timeout', () => req.destroy(new Error('no answer in time')));
    if (ask.bytes === undefined) req.end(body);
    else void pump(ask.bytes(), req);
  });
}

/** Sends a body as it comes, no faster than it is taken. */
async function pump(bytes: AsyncIterable<Uint8Array>, req: ReturnType<typeof httpRequest>): Promise<void> {
  try {
    for await (const chunk of bytes) {
      if (req.destroyed) return;
      if (!req.write(chunk))
        await new Promise((resolve) => req.once('drain', resolve).once('close', resolve));
    }
    req.end();
  } catch (error) {
    req.destroy(error as Error);
  }
}

async function bodyOf(answer: IncomingMessage, ask: Ask): Promise<unknown> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch (error) {
    throw broken(ask.op, error, writes(ask));
  }
}

async function* linesOf<T>(answer: IncomingMessage, ask: Ask): AsyncGenerator<T> {
  answer.setEncoding('utf8');
  let open = '';
  try {
    for await (const chunk of answer) {
      const rows = (open + (chunk as string)).split('\n');
      open = rows.pop() ?? '';
      for (const row of rows) yield JSON.parse(row) as T;
    }
  } catch (error) {
    if (!ask.signal?.aborted) throw broken(ask.op, error, false);
  }
}

function writes(ask: Ask): boolean {
  return ask.writes ?? ask.method !== 'GET';
}
