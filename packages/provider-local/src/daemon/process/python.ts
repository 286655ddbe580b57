import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { adapt } from '@sfx-deploy/runtime';
import { type HttpCall, type InvokeCall, isInvoke, JSON_ANSWER, THREW } from '../calls.js';
import type { Instance, InstanceEvents, InstanceOptions, StartInstance } from '../instance.js';
import { textOf } from '../refusal.js';
import { type Child, startChild } from './child.js';
import { contextOf, flat, requestOf } from './plain.js';
import type { Pythons } from './pythons.js';

/** MB of a Python process that has loaded nothing but its host. */
const BASE = 32;
/** What a call wrote is waited for so long after its answer. */
const MARK_MS = 1_000;

const HOST = fileURLToPath(new URL('./host.py', import.meta.url));

/**
 * An instance of a Python handler: a process, one call at a time. What a call brings is given the shape of the `event`
 * style here, by the same code that does it for Node, so that the two cannot differ.
 */
export function pythonBackend(pythons: Pythons): StartInstance {
  const said = new Set<string>();
  return (options, events) => {
    let child: Child | undefined;
    let over = false;
    let handler: Handler | undefined;
    const begin = async () => {
      const { runtime } = options.config;
      const { environment } = options.load;
      const [python, name] = await Promise.all([
        pythons.find(runtime, environment),
        handlerOf(options.folder, options.load.context.function),
      ]);
      if (over) return events.gone('it was ended before it began');
      if (/^python3\.\d+$/.test(runtime) && runtime !== `python${python.version}` && !said.has(runtime)) {
        said.add(runtime);
        events.wrote('engine', `runtime ${runtime}: here it is Python ${python.version} (${python.file})`);
      }
      handler = startHandler(options, events, python.file, name);
      child = handler.child;
    };
    begin().catch((error: unknown) => {
      over = true;
      events.unloadable(textOf(error));
      events.gone(textOf(error));
    });
    return {
      send: (call) => handler?.send(call),
      taken: () => undefined,
      cancel: () => undefined,
      // One call at a time: whoever asks has given that one up.
      ping: () => setImmediate(events.pong),
      terminate() {
        over = true;
        child?.end();
      },
    } satisfies Instance;
  };
}

interface Handler {
  readonly child: Child;
  send(call: HttpCall | InvokeCall): void;
}

function startHandler(options: InstanceOptions, events: InstanceEvents, file: string, name: string): Handler {
  const { load, folder, memory } = options;
  const { environment } = load;
  const mark = randomBytes(12).toString('hex');
  const settled = new Map<number, (answer: Told) => void>();
  const marks = createMarks();
  const child = startChild(
    {
      command: [file, '-u', '-X', 'utf8', '-X', `pycache_prefix=${join(folder, '..', 'pycache')}`, HOST],
      env: environment,
      instance: options,
      base: BASE,
      mark: `\x1e${mark}\x1e\n`,
      marked: marks.seen,
      heard: (body) => {
        const told = toldIn(body.toString('utf8'));
        marks.all(told.marked, () => {
          if (told.id !== undefined) settled.get(told.id)?.(told);
          else if (told.unloadable !== undefined) events.unloadable(told.unloadable);
          else events.ready();
        });
      },
    },
    events,
  );
  const write = (text: string) => child.write(Buffer.from(text));
  const told = { handler: name, mark, events: environment['SFX_EVENTS_URL'] ?? null };
  write(JSON.stringify({ ...told, context: { ...load.context, memory } }));

  /** `event` as JSON text; the result as JSON text. */
  const run = (call: HttpCall | InvokeCall, event: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const [id, requestId, deadline, depth, trace] = call;
      settled.set(id, ({ result, error }) => {
        settled.delete(id);
        if (result === undefined) reject(raised(error ?? 'it answered nothing'));
        else resolve(result);
      });
      const members = JSON.stringify({ id, requestId, deadline, depth, trace });
      write(`${members.slice(0, -1)},"event":${event}}`);
    });
  /** In the shape of the style. */
  const styled = (call: HttpCall | InvokeCall) =>
    adapt(
      async (event: unknown, _context: unknown) => JSON.parse(await run(call, JSON.stringify(event))),
      'handler',
    );
  const answered = async (call: HttpCall | InvokeCall) => {
    const [id] = call;
    if (!isInvoke(call)) {
      const { status, headers, body } = await styled(call).http(requestOf(call), contextOf(call, load));
      return [id, status, flat(headers), body] as const;
    }
    const payload = call[5];
    // Most payloads are the handler's own, and pass as they are, so that no digit of a number is lost.
    const result = /"\$(http|event)"/.test(payload)
      ? JSON.stringify(await styled(call).invoke(JSON.parse(payload), contextOf(call, load)))
      : await run(call, payload);
    return [id, JSON_ANSWER, result] as const;
  };
  let took = 0;
  return {
    child,
    send(call) {
      const [id, activation] = call;
      child.began(id, activation);
      took += 1;
      events.took(took);
      answered(call)
        .catch((error: unknown) => {
          // What the handler raised stands in the log with its place; this is what was wrong with its answer.
          if (!isRaised(error)) events.wrote('stderr', textOf(error), activation);
          return [id, THREW, textOf(error)] as const;
        })
        .then((answer) => {
          child.done(id);
          events.answered(answer);
        });
    },
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

interface Marks {
  seen(stream: 'stdout' | 'stderr'): void;
  /** Calls back once all these descriptors have had one mark more, or after `MARK_MS`. */
  all(descriptors: readonly number[], then: () => void): void;
}

function createMarks(): Marks {
  const owed = { stdout: 0, stderr: 0 };
  let waiting: { timer: NodeJS.Timeout; then: () => void } | undefined;
  const check = () => {
    if (waiting === undefined || owed.stdout > 0 || owed.stderr > 0) return;
    const { timer, then } = waiting;
    waiting = undefined;
    clearTimeout(timer);
    then();
  };
  return {
    seen(stream) {
      owed[stream] -= 1;
      check();
    },
    all(descriptors, then) {
      if (descriptors.includes(1)) owed.stdout += 1;
      if (descriptors.includes(2)) owed.stderr += 1;
      const timer = setTimeout(() => {
        // The handler turned its output away.
        owed.stdout = 0;
        owed.stderr = 0;
        check();
      }, MARK_MS);
      waiting = { timer, then };
      check();
    },
  };
}

/** The handler that the artifact names for a function: `src/stats.handler`. */
async function handlerOf(folder: string, name: string): Promise<string> {
  const text = await readFile(join(folder, `${name}.json`), 'utf8');
  const { handler } = JSON.parse(text) as { readonly handler?: unknown };
  if (typeof handler !== 'string') throw new Error(`${name}.json of the artifact names no handler`);
  return handler;
}

interface Raised extends Error {
  readonly raised: true;
}

function raised(message: string): Raised {
  return Object.assign(new Error(message), { raised: true as const });
}

function isRaised(error: unknown): boolean {
  return error instanceof Error && 'raised' in error;
}
