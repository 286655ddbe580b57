import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Backends, type BackendsOptions, createBackends } from '../src/daemon/instances/backends.js';
import { type Crowd, type CrowdOptions, createCrowd } from '../src/daemon/instances/crowd.js';
import type { Input, Outcome } from '../src/daemon/instances/outcomes.js';
import { createPool, type Pool, type PoolOptions } from '../src/daemon/instances/pool.js';
import type { VersionConfig } from '../src/wire.js';

export interface TestPool {
  readonly pool: Pool;
  /** `stream: text`, with ` [activation]` where it is known. */
  readonly lines: string[];
  call(payload?: unknown, input?: Partial<Input>): Promise<Outcome>;
  http(url?: string, input?: Partial<Input>): Promise<Outcome>;
}

export interface TestPools {
  readonly crowd: Crowd;
  readonly dir: string;
  make(code: string, config?: Partial<VersionConfig>, options?: Partial<PoolOptions>): Promise<TestPool>;
  close(): Promise<void>;
}

/** Pools of real instances, without an engine around them. */
export async function testPools(options: BackendsOptions & CrowdOptions = {}): Promise<TestPools> {
  const dir = await mkdtemp(join(tmpdir(), 'sfx-pool-'));
  const backends: Backends = createBackends(options);
  const crowd = createCrowd(options);
  const pools: Pool[] = [];
  let made = 0;
  return {
    crowd,
    dir,
    async make(code, change = {}, more = {}) {
      const name = `f${++made}`;
      await writeFile(join(dir, `${name}.mjs`), code);
      const config: VersionConfig = {
        runtime: 'nodejs20.x',
        memory: 128,
        timeout: 5_000,
        environment: {},
        ...change,
      };
      const lines: string[] = [];
      const pool = createPool({
        name,
        memory: config.memory,
        timeout: config.timeout,
        now: Date.now,
        crowd,
        start: backends.of(config, dir),
        folder: dir,
        config,
        log: (stream, text, activation) =>
          lines.push(`${stream}: ${text}${activation === undefined ? '' : ` [${activation}]`}`),
        load: {
          module: pathToFileURL(join(dir, `${name}.mjs`)).href,
          root: pathToFileURL(`${dir}/`).href,
          memory: config.memory,
          environment: { PATH: process.env['PATH'] ?? '', ...config.environment },
          context: { function: name, version: `${name}@1`, release: 1, service: 'shop', stage: 'dev' },
        },
        ...more,
      });
      pools.push(pool);
      let calls = 0;
      const id = () => `${name}-${++calls}`;
      return {
        pool,
        lines,
        call: (payload = null, input = {}) =>
          pool.call({
            kind: 'invoke',
            requestId: id(),
            payload: JSON.stringify(payload),
            ...input,
          } as Input),
        http: (url = '/', input = {}) =>
          pool.call({
            kind: 'http',
            requestId: id(),
            method: 'GET',
            url: `http://127.0.0.1${url}`,
            headers: [],
            body: null,
            params: [],
            route: 'GET /',
            ...input,
          } as Input),
      };
    },
    async close() {
      await Promise.all(pools.map((pool) => pool.drain(0)));
      backends.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** What an `invoke` answered. Throws where it failed. */
export function resultOf(outcome: Outcome): unknown {
  if (outcome.kind === 'json') return JSON.parse(outcome.text);
  throw new Error(`not a result: ${JSON.stringify(outcome)}`);
}
