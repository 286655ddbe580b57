import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Connection, digestOf, type Json, type Target, type Trigger } from '@sfx-deploy/plugin';
import { handler, type TestEngine } from './bench.js';
import { until } from './daemon/feed-bench.js';

/** Writes what it is called for into the file `SEEN`, a line each; or fails, with `FAIL`. */
export const RECORD = handler(
  'return text("")',
  `if (process.env.FAIL === '1') throw new Error('no'); fs.appendFileSync(process.env.SEEN, JSON.stringify(payload.$event) + '\\n');`,
  `import fs from 'node:fs';`,
);

/** A trigger as a release makes it. */
export async function pulling(
  connection: Connection,
  kind: string,
  name: string,
  props: Record<string, Json>,
  enabled = true,
): Promise<Readonly<Record<string, Json>>> {
  const trigger: Trigger = {
    id: `${kind}:${name}`,
    kind,
    source: name,
    props,
    alias: 'live',
    function: 'sweep',
    delivers: 'pulls',
    dependsOn: [],
  };
  const observed = await connection.resources[kind]!.reconcile(
    {
      resource: trigger,
      to: { alias: 'live', function: 'sweep' },
      props,
      digest: digestOf(props),
      enabled,
      stamp: { release: 1, fence: 1 },
    },
    undefined,
  );
  return observed.outputs;
}

/** A daemon that ends as by a power cut. */
export async function kill(engine: TestEngine): Promise<void> {
  const { pid } = JSON.parse(await readFile(join(engine.home, 'engine.json'), 'utf8')) as { pid: number };
  process.kill(pid, 'SIGKILL');
  await until(() => {
    try {
      return !process.kill(pid, 0);
    } catch {
      return true;
    }
  });
}

/** Deliveries that the function wrote down. */
export async function seenIn(file: string): Promise<Record<string, Json>[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as Record<string, Json>);
}

/** Takes a trigger away, as a release does that has it no more. */
export async function removed(connection: Connection, kind: string, name: string): Promise<void> {
  const target = { resource: { id: `${kind}:${name}`, kind } } as Target;
  await connection.resources[kind]!.remove(target, (await connection.resources[kind]!.read(target))!);
}
