import type { Scope } from '@sfx-deploy/plugin';
import { ENGINE_VERSION } from '../../wire.js';
import type { Ended } from '../calls/caller.js';
import { textOf } from '../refusal.js';
import { exportOf, type KeptSpan, spanOf } from './spans.js';

/** Sends the spans of calls to a collector. One that is down costs a line in the log, and the spans beyond the bound. */
export interface Exporter {
  of(scope: Scope): Ended;
  /** Sends what is left, if the collector takes it soon. */
  close(): Promise<void>;
}

export interface ExporterOptions {
  /** Where traces are sent, whole: `http://127.0.0.1:4318/v1/traces`. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly log: (text: string) => void;
  /** Milliseconds that a span may wait for others; default 5,000. */
  readonly everyMs?: number;
  /** Milliseconds before another try, after so many that failed; default 1 s, 2 s … 30 s. */
  readonly retryMs?: (failures: number) => number;
}

const BATCH = 512;
const MOST = 4_096;
const ANSWER_MS = 10_000;
const LAST_MS = 2_000;
const RETRIED = new Set([429, 502, 503, 504]);

interface State {
  readonly options: ExporterOptions;
  waiting: KeptSpan[];
  timer: NodeJS.Timeout | undefined;
  sending: boolean;
  closed: boolean;
  failures: number;
  dropped: number;
}

export function createExporter(options: ExporterOptions): Exporter {
  const state: State = {
    options,
    waiting: [],
    timer: undefined,
    sending: false,
    closed: false,
    failures: 0,
    dropped: 0,
  };
  return {
    of: (scope) => (begun, outcome, ms, problem, status) => {
      if (!begun.span.sampled || state.closed) return;
      if (state.waiting.length >= MOST) {
        state.dropped += 1;
        return;
      }
      state.waiting.push({ scope, span: spanOf(begun, outcome, ms, problem, status) });
      plan(state);
    },
    async close() {
      state.closed = true;
      clearTimeout(state.timer);
      const { waiting } = state;
      if (waiting.length > 0)
        await post(options, waiting, LAST_MS).catch((error: unknown) => options.log(down(state, error)));
    },
  };
}

/** The next send: at once when a batch is full, unless the collector failed lately. */
function plan(state: State): void {
  const { options, waiting } = state;
  if (state.sending || state.closed || waiting.length === 0) return;
  const full = waiting.length >= BATCH && state.failures === 0;
  if (state.timer !== undefined && !full) return;
  clearTimeout(state.timer);
  const every =
    state.failures === 0 ? (options.everyMs ?? 5_000) : (options.retryMs ?? doubling)(state.failures);
  state.timer = setTimeout(() => void send(state), full ? 0 : every);
}

async function send(state: State): Promise<void> {
  const { options } = state;
  state.timer = undefined;
  state.sending = true;
  const batch = state.waiting.splice(0, BATCH);
  try {
    const status = await post(options, batch, ANSWER_MS);
    if (RETRIED.has(status)) throw new Error(`it answered ${status}`);
    if (state.failures > 0) options.log(`spans are taken again by ${options.url}${lost(state)}`);
    state.failures = 0;
    if (status >= 300)
      options.log(`${batch.length} spans were refused by ${options.url} with status ${status}`);
  } catch (error) {
    // Said once, not with every try.
    if (state.failures === 0) options.log(down(state, error));
    state.failures += 1;
    const room = MOST - state.waiting.length;
    state.dropped += Math.max(0, batch.length - room);
    state.waiting.unshift(...batch.slice(-room || batch.length));
  } finally {
    state.sending = false;
    plan(state);
  }
}

/** The status of the answer. Rejects when there is none. */
async function post(
  { url, headers }: ExporterOptions,
  spans: readonly KeptSpan[],
  timeoutMs: number,
): Promise<number> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(exportOf(spans, ENGINE_VERSION)),
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  });
  await answer.arrayBuffer();
  return answer.status;
}

function down(state: State, error: unknown): string {
  const cause = (error as { cause?: unknown } | null)?.cause;
  return `spans are not taken by ${state.options.url}: ${textOf(cause ?? error)}; the last ${MOST} are kept and sent later`;
}

function lost(state: State): string {
  const { dropped } = state;
  state.dropped = 0;
  return dropped === 0 ? '' : `; ${dropped} were dropped meanwhile`;
}

function doubling(failures: number): number {
  return Math.min(1_000 * 2 ** (failures - 1), 30_000);
}

/**
 * What settings and environment say about where spans go; undefined when nobody asked. `problem`: what was said is no
 * address, and no spans are sent.
 */
export function otlpOf(
  setting: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
):
  | { readonly url: string; readonly headers: Record<string, string> }
  | { readonly problem: string }
  | undefined {
  const base = setting ?? env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  const whole = setting === undefined ? env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] : undefined;
  const said = whole || base;
  if (said === undefined || said === '') return undefined;
  if (!isAddress(said))
    return { problem: 'the address for spans is not http:// or https:// without a user; none are sent' };
  const url = whole ? whole : `${said.replace(/\/+$/, '')}/v1/traces`;
  return { url, headers: headersOf(env['OTEL_EXPORTER_OTLP_HEADERS'] ?? '') };
}

function isAddress(text: string): boolean {
  try {
    const { protocol, username, password } = new URL(text);
    return /^https?:$/.test(protocol) && username === '' && password === '';
  } catch {
    return false;
  }
}

/** `a=1,b=2`, values percent-encoded. */
function headersOf(text: string): Record<string, string> {
  const pairs = text.split(',').flatMap((part) => {
    const cut = part.indexOf('=');
    const [name, value] = [part.slice(0, Math.max(cut, 0)).trim(), part.slice(cut + 1).trim()];
    return /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name) ? [[name, decoded(value)] as const] : [];
  });
  return Object.fromEntries(pairs);
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
