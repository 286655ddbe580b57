import { randomUUID } from 'node:crypto';
import { refusal } from '../refusal.js';
import { lineBytes } from './journal-lines.js';
import type { NewMessage } from './messages.js';
import { type Sent, textOfRecord } from './queue-records.js';
import { add, LATELY_MS, more, type State } from './queue-state.js';
import { tidy } from './queue-tidy.js';

/** Bytes of a body and its attributes. */
export const MESSAGE_BYTES = 256 * 1024;
const MOST_MESSAGES = 200_000;
const MOST_BYTES = 1024 ** 3;

export async function send(state: State, messages: readonly NewMessage[]): Promise<readonly string[]> {
  const { options, index, coming } = state;
  check(state, messages);
  const ids: string[] = [];
  const fresh: { sent: Sent; text: string }[] = [];
  const others: Promise<void>[] = [];
  const here = new Set<string>();
  for (const message of messages) {
    const id = message.id ?? randomUUID();
    ids.push(id);
    if (message.id !== undefined) {
      const arriving = state.arriving.get(id);
      if (arriving !== undefined) others.push(arriving);
      if (arriving !== undefined || here.has(id) || state.given.has(id)) continue;
      if (message.again !== true && wasLately(state, id)) continue;
      here.add(id);
    }
    const sent = sentFrom(message, id, state.next++, options.now());
    fresh.push({ sent, text: textOfRecord(['s', sent]) });
  }
  const bytes = fresh.reduce((sum, { text }) => sum + lineBytes(text) + 1, 0);
  const total = index.all.size + coming.messages + fresh.length;
  const most = options.mostMessages ?? MOST_MESSAGES;
  if (total > most) throw full(options.name, `${most} messages`);
  if (index.bytes() + coming.bytes + bytes > (options.mostBytes ?? MOST_BYTES))
    throw full(options.name, `${options.mostBytes ?? MOST_BYTES} bytes`);
  if (fresh.length > 0) others.push(write(state, fresh, bytes, here));
  await Promise.all(others);
  return ids;
}

function sentFrom(message: NewMessage, id: string, seq: number, at: number): Sent {
  const { body, attributes, delayMs = 0, depth = 0, trace } = message;
  return {
    seq,
    id,
    ...(message.id === undefined ? {} : { given: true }),
    at,
    ...(delayMs > 0 ? { delayMs } : {}),
    ...(depth > 0 ? { depth } : {}),
    ...(trace === undefined ? {} : { trace }),
    ...(attributes === undefined || Object.keys(attributes).length === 0 ? {} : { attributes }),
    body,
  };
}

function write(
  state: State,
  fresh: readonly { sent: Sent; text: string }[],
  bytes: number,
  ids: ReadonlySet<string>,
): Promise<void> {
  const { coming, journal } = state;
  coming.messages += fresh.length;
  coming.bytes += bytes;
  const left = () => {
    coming.messages -= fresh.length;
    coming.bytes -= bytes;
    for (const id of ids) state.arriving.delete(id);
  };
  const written = journal
    .append(
      fresh.map(({ text }) => text),
      (places) => {
        left();
        for (const [n, { sent, text }] of fresh.entries()) {
          const given = sent.given ? sent.id : undefined;
          add(state, { seq: sent.seq, place: places[n]!, given, attempts: 0 }, text, sent.delayMs ?? 0);
        }
        more(state);
      },
    )
    .catch((error: unknown) => {
      left();
      tidy(state, true);
      throw error;
    });
  for (const id of ids) state.arriving.set(id, written);
  return written;
}

function check({ options, closed }: State, messages: readonly NewMessage[]): void {
  if (closed) throw refusal(503, 'SFX6001', `queue ${options.name} is closed: the engine stops`);
  const most = options.messageBytes ?? MESSAGE_BYTES;
  for (const message of messages) {
    const bytes = messageBytes(message);
    if (bytes > most)
      throw refusal(
        413,
        'SFX6012',
        `a message for ${options.name} has ${bytes} bytes; a queue takes at most ${most}`,
      );
  }
}

/** Of its body and attributes; what sfx itself adds to them is not counted. */
function messageBytes({ body, attributes = {} }: NewMessage): number {
  return Object.entries(attributes).reduce(
    (sum, [name, value]) =>
      name.startsWith('sfx-') ? sum : sum + Buffer.byteLength(name) + Buffer.byteLength(value),
    Buffer.byteLength(body),
  );
}

function full(name: string, most: string) {
  return refusal(507, 'SFX6013', `queue ${name} is full: it keeps at most ${most}`);
}

function wasLately(state: State, id: string): boolean {
  const at = state.lately.get(id);
  return at !== undefined && Math.abs(state.options.now() - at) < LATELY_MS;
}
