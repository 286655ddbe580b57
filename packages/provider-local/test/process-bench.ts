import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Answer } from '../src/daemon/instances/calls.js';
import type { Instance, InstanceEvents } from '../src/daemon/instances/instance.js';
import { type Input, messageOf } from '../src/daemon/instances/outcomes.js';
import { createProcesses, type Processes } from '../src/daemon/instances/process/kinds.js';
import type { VersionConfig } from '../src/wire.js';

export interface Written {
  readonly stream: string;
  readonly text: string;
  readonly activation: string | undefined;
}

/** One instance, without a pool: what it is sent and what it says. */
export interface Bench {
  readonly instance: Instance;
  readonly folder: string;
  readonly wrote: Written[];
  readonly used: number[];
  /** Resolves once it is ready; rejects with why it is not. */
  readonly ready: Promise<void>;
  /** Resolves with why it ended. */
  readonly gone: Promise<string>;
  /** Resolves with the answer, or rejects when the instance ends. */
  call(input: Partial<Input> & { kind: Input['kind'] }, ms?: number): Promise<Answer>;
  /** `call` of an invocation: the result, or throws what it threw. */
  invoke(payload: unknown, ms?: number): Promise<unknown>;
  /** Chunks of streamed answers, and their ends. */
  readonly chunks: Map<number, Buffer[]>;
  readonly ends: Map<number, string | undefined>;
  lines(stream: string): string[];
}

export interface BenchOptions {
  readonly config: Partial<VersionConfig>;
  readonly files: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly python?: string;
}

const PATH = process.env['PATH'] ?? '';

/** Instances, and what ends them and takes their folders away. */
export function processBench() {
  const known = new Map<string | undefined, Processes>();
  const processesOf = (python: string | undefined) => {
    const made = known.get(python) ?? createProcesses(python);
    known.set(python, made);
    return made;
  };
  const open: { instance: Instance; gone: Promise<string>; root: string }[] = [];
  return {
    async start(options: BenchOptions): Promise<Bench> {
      const root = await realpath(await mkdtemp(join(tmpdir(), 'sfx-process-')));
      const folder = join(root, 'files');
      for (const [path, text] of Object.entries(options.files)) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), text, { mode: 0o700 });
      }
      const bench = begin(folder, options, processesOf(options.python));
      open.push({ ...bench, root });
      return bench;
    },
    async close() {
      for (const { instance, gone, root } of open.splice(0)) {
        instance.terminate();
        await gone;
        await rm(root, { recursive: true, force: true });
      }
    },
  };
}

function later<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

function begin(folder: string, { config, environment = {} }: BenchOptions, processes: Processes): Bench {
  const whole: VersionConfig = {
    runtime: 'nodejs20.x',
    memory: 128,
    timeout: 5_000,
    environment,
    isolation: 'process',
    ...config,
  };
  const wrote: Written[] = [];
  const used: number[] = [];
  const chunks = new Map<number, Buffer[]>();
  const ends = new Map<number, string | undefined>();
  const calls = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>();
  const ready = later<void>();
  const gone = later<string>();
  let problem: string | undefined;
  const events: InstanceEvents = {
    ready: () => ready.resolve(),
    unloadable(message) {
      problem = message;
      setImmediate(() => instance.terminate());
    },
    took: () => undefined,
    answered(answer) {
      calls.get(answer[0])?.resolve(answer);
      calls.delete(answer[0]);
    },
    chunk: (id, bytes) => void chunks.set(id, [...(chunks.get(id) ?? []), Buffer.from(bytes)]),
    ended: (id, why) => void ends.set(id, why),
    pong: () => undefined,
    used: (bytes) => void used.push(bytes),
    gone(why) {
      for (const { reject } of calls.values()) reject(new Error(`gone: ${why}`));
      ready.reject(new Error(problem ?? why));
      gone.resolve(why);
    },
    wrote: (stream, text, activation) => void wrote.push({ stream, text, activation }),
  };
  ready.promise.catch(() => undefined);
  const instance = processes.of(whole)!(
    {
      name: 'shop-dev-stats',
      memory: whole.memory,
      folder,
      config: whole,
      load: {
        module: pathToFileURL(join(folder, 'stats.mjs')).href,
        root: pathToFileURL(`${folder}/`).href,
        environment: { PATH, ...environment },
        memory: whole.memory,
        context: { function: 'stats', version: 'stats-1', release: 7, service: 'shop', stage: 'dev' },
      },
    },
    events,
  );
  let last = 0;
  const call: Bench['call'] = (input, ms = 10_000) => {
    const id = ++last;
    const base = { requestId: `call-${id}`, depth: 0, payload: 'null' };
    const http = {
      method: 'GET',
      url: 'http://shop.localhost/',
      headers: [],
      body: null,
      params: [],
      route: 'GET /',
    };
    instance.send(messageOf({ ...base, ...http, ...input } as Input, id, Date.now() + ms));
    return new Promise((resolve, reject) => calls.set(id, { resolve, reject }));
  };
  return {
    instance,
    folder,
    wrote,
    used,
    chunks,
    ends,
    ready: ready.promise,
    gone: gone.promise,
    call,
    async invoke(payload, ms) {
      const answer = await call({ kind: 'invoke', payload: JSON.stringify(payload) }, ms);
      if (answer[1] !== -1) throw new Error(String(answer[2]));
      return JSON.parse(String(answer[2]));
    },
    lines: (stream) => wrote.filter((one) => one.stream === stream).map((one) => one.text),
  };
}

/** A handler module of Node whose `invoke` has this body, with `payload` and `ctx`. */
export function nodeFiles(invoke: string, top = ''): Record<string, string> {
  return {
    'stats.mjs': `${top}
export default {
  style: 'event',
  async http(req) { return { status: 200, headers: [], body: new TextEncoder().encode(req.method) }; },
  async invoke(payload, ctx) { ${invoke} },
};`,
  };
}

export function pythonFiles(code: string): Record<string, string> {
  return { 'stats.json': JSON.stringify({ handler: 'src/stats.handler' }), 'src/stats.py': code };
}
