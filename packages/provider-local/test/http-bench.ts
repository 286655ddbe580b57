import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type CallerOptions, createCaller } from '../src/daemon/calls/caller.js';
import { createGateway, type GatewayOptions } from '../src/daemon/http/gateway.js';
import { createRouter, type RouteSource } from '../src/daemon/http/router.js';
import type { Input, Outcome } from '../src/daemon/instances/outcomes.js';
import type { Chosen } from '../src/daemon/stage/versions.js';

export type HttpInput = Extract<Input, { kind: 'http' }>;
/** What a function does with a call. */
export type Act = (input: Input) => Outcome | Promise<Outcome>;

export interface TestGateway {
  readonly port: number;
  readonly url: string;
  /** What was recorded of each call: its function, milliseconds left out. */
  readonly recorded: { readonly function: string; readonly failed: boolean }[];
  readonly lines: string[];
  /** Calls that began, by function. */
  readonly begun: { readonly function: string; readonly candidate: boolean; readonly input: Input }[];
  /** Token of the alias; another one is as a flip. */
  flip(): void;
  close(): Promise<void>;
}

export interface Setting extends GatewayOptions {
  readonly functions: Readonly<Record<string, Act>>;
  /** `GET /x` → function, with what else a route has. */
  readonly routes: Readonly<Record<string, string | (Partial<RouteSource> & { readonly function: string })>>;
  /** Functions that have a candidate. */
  readonly candidates?: readonly string[];
}

/** The gateway alone, over functions that answer as a test says: no engine, no instance. */
export async function testGateway(setting: Setting): Promise<TestGateway> {
  const { functions, routes, candidates = [], ...options } = setting;
  const recorded: TestGateway['recorded'] = [];
  const begun: TestGateway['begun'] = [];
  const lines: string[] = [];
  let flips = 1;
  const choose: CallerOptions['choose'] = (_alias, unit, candidate) => {
    const act = functions[unit];
    if (act === undefined) return 'nothing live';
    if (candidate && !candidates.includes(unit)) return 'no candidate';
    const serving = {
      shown: `${unit}@abcdef1`,
      version: { id: `${unit}@abcdef1`, unit },
      pool: {
        call: async (input: Input) => {
          begun.push({ function: unit, candidate, input });
          return act(input);
        },
      },
      metrics: {
        record: (_ms: number, failed: boolean) => recorded.push({ function: unit, failed }),
      },
      log: (_stream: string, text: string) => lines.push(text),
    };
    return { serving, release: 3 } as unknown as Chosen;
  };
  const activations = {
    began: () => undefined,
    ended: () => undefined,
  } as unknown as CallerOptions['activations'];
  const caller = createCaller({ choose, byId: () => undefined, activations, now: Date.now });
  const router = createRouter(
    Object.entries(routes).map(([source, given]): RouteSource => {
      const [method = '', path = ''] = source.split(' ');
      const more = typeof given === 'string' ? { function: given } : given;
      return { method, path, alias: 'live', cors: null, ...more };
    }),
  );
  const scope = { service: 'shop', stage: 'dev' };
  const server = createGateway({ scope, caller, router: () => router, token: () => String(flips) }, options);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    recorded,
    lines,
    begun,
    flip: () => {
      flips += 1;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

export function answered(
  body: string | Uint8Array | null,
  status = 200,
  headers: readonly string[] = [],
): Outcome {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  return { kind: 'http', status, headers, body: bytes };
}

export function streamed(
  stream: AsyncIterable<Uint8Array>,
  headers: readonly string[] = [],
  status = 200,
): Outcome {
  return { kind: 'http', status, headers, body: null, stream };
}

/** Bytes on a connection of its own. */
export interface Wire {
  readonly socket: Socket;
  write(text: string | Uint8Array): void;
  /** All that came so far, as latin1. */
  got(): string;
  /** Resolves once `pattern` came, with all that came. */
  until(pattern: RegExp): Promise<string>;
  closed(): Promise<string>;
}

export async function wire(port: number): Promise<Wire> {
  const socket = connect(port, '127.0.0.1');
  let got = '';
  const listeners = new Set<() => void>();
  const changed = () => {
    for (const listener of listeners) listener();
  };
  let closed = false;
  socket.on('data', (chunk: Buffer) => {
    got += chunk.toString('latin1');
    changed();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    closed = true;
    changed();
  });
  await once(socket, 'connect');
  const when = (holds: () => boolean) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        if (!holds()) {
          if (closed) reject(new Error(`closed before it came; got ${JSON.stringify(got)}`));
          return;
        }
        listeners.delete(look);
        resolve(got);
      };
      listeners.add(look);
      look();
    });
  return {
    socket,
    write: (text) => socket.write(text),
    got: () => got,
    until: (pattern) => when(() => pattern.test(got)),
    closed: () => when(() => closed),
  };
}

/** One request on a connection of its own, which it closes. */
export async function exchange(port: number, text: string | Uint8Array): Promise<string> {
  const one = await wire(port);
  one.write(text);
  return one.closed();
}

/** Resolves when `holds` does; looks again every few milliseconds. */
export async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}
