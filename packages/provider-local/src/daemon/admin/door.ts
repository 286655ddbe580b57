import type { IncomingMessage, ServerResponse } from 'node:http';
import { isName } from '../../names.js';
import type { NewMessage } from '../queues/messages.js';
import { MESSAGE_BYTES } from '../queues/queue-send.js';
import { refusal, textOf } from '../refusal.js';
import type { Stage } from '../stage/stage.js';
import type { Engine } from './routes/route.js';
import { sameToken } from './token.js';

/** Bytes of a request that holds many messages. */
const BATCH_BYTES = 16 * 1024 * 1024;
const MOST_IN_BATCH = 10_000;
const MOST_ATTRIBUTES = 32;
const LONGEST_DELAY_S = 900;
const ATTRIBUTE = 'x-sfx-attribute-';
const ATTRIBUTE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;
const ID = /^[\x21-\x7e]{1,128}$/;
const TRACE = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * Where functions send: `POST /events/<token of the stage>/queues|topics|functions/NAME`. What is sent is on disk when it is
 * answered with 202. The token opens this one stage's events and nothing else. Throws SFX6003, SFX6004, SFX6007, SFX6010,
 * SFX6011, SFX6012, SFX6013, SFX6014, SFX6112.
 */
export async function serveEvents(engine: Engine, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { pathname } = new URL(req.url ?? '/', 'http://127.0.0.1');
  const [, , token = '', kind = '', name = '', ...more] = pathname.split('/');
  let stage: Stage | undefined;
  for (const one of engine.stages.all()) if (sameToken(token, one.events.token)) stage = one;
  if (stage === undefined)
    throw refusal(403, 'SFX6014', 'the token of the address is not one of this engine');
  const send = Object.hasOwn(doors, kind) && more.length === 0 ? doors[kind] : undefined;
  if (send === undefined || req.method !== 'POST')
    throw refusal(404, 'SFX6011', 'events are sent with POST to queues/NAME, topics/NAME or functions/NAME');
  if (!isName(name)) throw refusal(400, 'SFX6007', `not a name: ${JSON.stringify(name)}`);
  const body = await bodyOf(req);
  const answer = Buffer.from(`${JSON.stringify(await send(stage, name, req, body))}\n`);
  res.writeHead(202, { 'content-type': 'application/json', 'content-length': answer.length });
  res.end(answer);
}

type Door = (stage: Stage, name: string, req: IncomingMessage, body: string) => Promise<unknown>;

const doors: Readonly<Record<string, Door>> = {
  queues: async ({ events }, name, req, body) => ({
    ids: await (await events.queue(name)).send(messagesOf(req, body)),
  }),
  topics: async ({ events }, name, req, body) => ({ ids: await events.publish(name, messagesOf(req, body)) }),
  functions: async (stage, name, req, body) => {
    if (stage.versions.list(name).length === 0) throw refusal(404, 'SFX6011', `no function ${name}`);
    const payload = body.trim() === '' ? 'null' : body;
    jsonOf(payload, 'the body');
    return { activation: await stage.later(name, payload, pathOf(req)) };
  },
};

/** One message with its settings in headers; as `application/x-ndjson`, one in each line. */
export function messagesOf(req: Pick<IncomingMessage, 'headers'>, body: string): NewMessage[] {
  const path = pathOf(req);
  const type = (req.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
  if (type !== 'application/x-ndjson') return [{ ...headersOf(req), ...path, body }];
  const lines = body.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0 || lines.length > MOST_IN_BATCH)
    throw refusal(400, 'SFX6010', `a batch holds 1 to ${MOST_IN_BATCH} messages, not ${lines.length}`);
  return lines.map((line, n) => ({ ...messageOf(line, `message ${n + 1}`), ...path }));
}

/** What the message is a part of. The header says how many calls led to it, that of the sender included. */
function pathOf(req: Pick<IncomingMessage, 'headers'>): { depth: number; trace?: string } {
  const given = req.headers['x-sfx-depth'];
  const trace = req.headers['traceparent'];
  if (given !== undefined && !/^\d{1,4}$/.test(String(given)))
    throw refusal(400, 'SFX6010', 'x-sfx-depth: a number of calls');
  const depth = Number(given ?? 0);
  return typeof trace === 'string' && TRACE.test(trace) ? { depth, trace } : { depth };
}

function headersOf({ headers }: Pick<IncomingMessage, 'headers'>): Omit<NewMessage, 'body'> {
  const attributes: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(headers))
    if (name.startsWith(ATTRIBUTE)) attributes[name.slice(ATTRIBUTE.length)] = value;
  const delay = headers['x-sfx-delay'];
  return settingsOf(
    { attributes, id: headers['x-sfx-id'], delay: delay === undefined ? undefined : Number(delay) },
    'x-sfx headers',
  );
}

function messageOf(line: string, where: string): NewMessage {
  const value = jsonOf(line, where);
  const { body, ...settings } = (value ?? {}) as Record<string, unknown>;
  const unknown = Object.keys(settings).find((key) => !['attributes', 'delay', 'id'].includes(key));
  if (body === undefined || unknown !== undefined)
    throw refusal(
      400,
      'SFX6010',
      `${where}: { body, attributes, delay, id }${unknown ? `, not ${unknown}` : ''}`,
    );
  return {
    ...settingsOf(settings, where),
    body: typeof body === 'string' ? body : JSON.stringify(body),
  };
}

function settingsOf(given: Record<string, unknown>, where: string): Omit<NewMessage, 'body'> {
  const { attributes = {}, delay = 0, id } = given;
  const refuse = (text: string) => refusal(400, 'SFX6010', `${where}: ${text}`);
  if (typeof delay !== 'number' || !(delay >= 0 && delay <= LONGEST_DELAY_S))
    throw refuse(`a delay is 0 to ${LONGEST_DELAY_S} seconds`);
  if (id !== undefined && (typeof id !== 'string' || !ID.test(id)))
    throw refuse('an id has 1 to 128 visible characters of ASCII');
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes))
    throw refuse('attributes are names with a text each');
  const entries = Object.entries(attributes as Record<string, unknown>);
  if (entries.length > MOST_ATTRIBUTES) throw refuse(`at most ${MOST_ATTRIBUTES} attributes`);
  for (const [name, value] of entries) {
    if (!ATTRIBUTE_NAME.test(name) || name.toLowerCase().startsWith('sfx-'))
      throw refuse(`not a name of an attribute: ${JSON.stringify(name.slice(0, 80))}`);
    if (typeof value !== 'string') throw refuse(`attribute ${name} is no text`);
  }
  return {
    delayMs: Math.round(delay * 1_000),
    attributes: attributes as Record<string, string>,
    ...(id === undefined ? {} : { id }),
  };
}

function jsonOf(text: string, what: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw refusal(400, 'SFX6010', `${what} is not JSON: ${textOf(error)}`);
  }
}

/** As text; what is not UTF-8 would come out as something else. */
function bodyOf(req: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    req.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= BATCH_BYTES) chunks.push(chunk);
      else
        reject(
          refusal(413, 'SFX6012', `a request holds at most ${BATCH_BYTES} bytes, a message ${MESSAGE_BYTES}`),
        );
    });
    req.on('end', () => {
      try {
        resolve(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks)));
      } catch {
        reject(refusal(400, 'SFX6010', 'the body is not UTF-8: send what is binary as base64'));
      }
    });
    req.on('close', () => reject(refusal(400, 'SFX6003', 'the request was cut off')));
    req.on('error', reject);
  });
}
