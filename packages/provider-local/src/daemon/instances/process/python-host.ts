import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { HttpCall, InvokeCall } from '../calls.js';
import type { InstanceEvents, InstanceOptions } from '../instance.js';
import { type Child, startChild } from './child.js';
import { createMarks } from './marks.js';

/** MB of a Python process that has loaded nothing but its host. */
const BASE = 32;

const HOST = fileURLToPath(new URL('./host.py', import.meta.url));

/** A process that runs `host.py`. */
export interface PythonHost {
  readonly child: Child;
  /**
   * Event and result are JSON text, and pass as they are. Resolves once all that the call wrote was read. Rejects with what
   * the handler raised, which `isRaised` knows.
   */
  run(call: HttpCall | InvokeCall, event: string): Promise<string>;
}

/**
 * @param file The Python.
 * @param handler As the artifact names it: `src/stats.handler`.
 */
export function startPythonHost(
  options: InstanceOptions,
  events: InstanceEvents,
  file: string,
  handler: string,
): PythonHost {
  const { load, memory } = options;
  const { environment } = load;
  const mark = randomBytes(12).toString('hex');
  const settled = new Map<number, (answer: Told) => void>();
  const marks = createMarks();
  const heard = (told: Told) => {
    if (told.id !== undefined) settled.get(told.id)?.(told);
    else if (told.unloadable !== undefined) events.unloadable(told.unloadable);
    else events.ready();
  };
  const child = startChild(
    {
      command: [file, '-u', '-X', 'utf8', HOST],
      env: environment,
      instance: options,
      base: BASE,
      mark: `\x1e${mark}\x1e\n`,
      marked: marks.seen,
      heard: (body) => {
        const told = toldIn(body.toString('utf8'));
        marks.all(told.marked, () => heard(told));
      },
    },
    events,
  );
  const write = (text: string) => child.write(Buffer.from(text));
  const address = environment['SFX_EVENTS_URL'] ?? null;
  write(JSON.stringify({ handler, mark, events: address, context: { ...load.context, memory } }));
  return {
    child,
    run: (call, event) =>
      new Promise((resolve, reject) => {
        const [id, requestId, deadline, depth, trace] = call;
        settled.set(id, ({ result, error }) => {
          settled.delete(id);
          if (result === undefined) reject(raised(error ?? 'it answered nothing'));
          else resolve(result);
        });
        const members = JSON.stringify({ id, requestId, deadline, depth, trace });
        write(`${members.slice(0, -1)},"event":${event}}`);
      }),
  };
}

/** What a host says: of a call, or of its start. */
interface Told {
  readonly id?: number;
  readonly marked: readonly number[];
  readonly unloadable?: string;
  /** JSON text. */
  readonly result?: string;
  readonly error?: string;
}

/** The result is cut out of the frame as it was written. */
function toldIn(text: string): Told {
  const at = text.startsWith('{"id":') ? text.indexOf(',"result":') : -1;
  // Before it only numbers are written, so that the first one found is the member itself.
  const head = /^\{"id":\d+,"marked":\[[\d, ]*\]$/.test(text.slice(0, Math.max(at, 0)));
  if (!head) return JSON.parse(text) as Told;
  return { ...(JSON.parse(`${text.slice(0, at)}}`) as Told), result: text.slice(at + 10, -1) };
}

interface Raised extends Error {
  readonly raised: true;
}

function raised(message: string): Raised {
  return Object.assign(new Error(message), { raised: true as const });
}

/** Whether a handler raised it. */
export function isRaised(error: unknown): boolean {
  return error instanceof Error && 'raised' in error;
}
