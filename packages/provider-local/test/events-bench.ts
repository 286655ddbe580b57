import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '@sfx-deploy/plugin';
import { digestOf } from '@sfx-deploy/plugin';
import type { Delivery } from '../../runtime/src/delivery.js';
import type { TriggerDocument } from '../src/wire.js';
import { type Answer, type Asking, call, handler, SCOPE, type TestEngine } from './bench.js';

const STAGE = `/v1/stages/${SCOPE.service}/${SCOPE.stage}`;

/** Asks the admin door of the engine for something of its stage; throws what it refuses. */
export async function admin<T>(engine: TestEngine, method: string, path: string, body?: unknown): Promise<T> {
  const token = (await readFile(join(engine.home, 'token'), 'utf8')).trim();
  const answer = await call(`http://127.0.0.1:${engine.port}${STAGE}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  if (answer.status >= 300) throw new Error(`${answer.status} ${answer.text}`);
  return JSON.parse(answer.text) as T;
}

/** A pulling trigger, as the release protocol makes it. */
export async function pulls(
  engine: TestEngine,
  id: string,
  fn: string,
  props: Record<string, Json>,
  enabled = true,
): Promise<void> {
  const [kind = '', source = ''] = id.split(':');
  const all = { enabled: true, ...props };
  const document: TriggerDocument = {
    kind,
    id,
    source,
    props: all,
    alias: 'live',
    function: fn,
    digest: digestOf(all),
    enabled,
    stamp: { release: 1, fence: 1 },
  };
  await admin(engine, 'PUT', `/triggers/${kind}?id=${encodeURIComponent(id)}`, document);
}

/** The address that functions of the stage send to. */
export async function eventsUrl(engine: TestEngine): Promise<string> {
  const file = join(engine.home, 'stages', SCOPE.service, SCOPE.stage, 'events-token');
  return `http://127.0.0.1:${engine.port}/events/${(await readFile(file, 'utf8')).trim()}`;
}

export async function send(
  engine: TestEngine,
  to: string,
  body: string,
  asking: Asking = {},
): Promise<Answer> {
  return call(`${await eventsUrl(engine)}/${to}`, { method: 'POST', body, ...asking });
}

/** As `application/x-ndjson`. */
export function sendAll(engine: TestEngine, to: string, messages: readonly unknown[]): Promise<Answer> {
  return send(engine, to, messages.map((one) => JSON.stringify(one)).join('\n'), {
    headers: { 'content-type': 'application/x-ndjson' },
  });
}

/** What a recording handler was given. */
export interface Recorded {
  readonly version: string;
  readonly event: Extract<Delivery, { kind: 'queue' | 'topic' }>;
}

/** A handler that writes each delivery into a file before it does anything else; `then` is the rest of its body. */
export function recorder(file: string, then = 'return null'): string {
  return handler(
    'return text("ok")',
    `const event = payload.$event;
     appendFileSync(${JSON.stringify(file)}, JSON.stringify({ version: ctx.version, event }) + '\\n');
     ${then}`,
    `import { appendFileSync } from 'node:fs';`,
  );
}

export async function recorded(file: string): Promise<Recorded[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Recorded);
}

export async function bodies(file: string): Promise<string[]> {
  return (await recorded(file)).flatMap(({ event }) => event.messages.map((message) => message.body));
}
