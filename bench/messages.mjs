// Messages through a queue to a function: how many per second, and whether one is lost when the daemon is killed three times.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { withEngine } from './engine.mjs';
import { times } from './lib.mjs';

const MESSAGES = 10_000;
const BATCH = 100;
const KILLS = 3;
const PATIENCE_MS = 180_000;

function write(dir, out) {
  mkdirSync(join(dir, 'src'), { recursive: true });
  writeFileSync(join(dir, 'package.json'), '{"name":"messages","private":true,"type":"module"}\n');
  writeFileSync(
    join(dir, 'src/door.js'),
    'export const get = async () => ({ url: process.env.SFX_EVENTS_URL });\n',
  );
  writeFileSync(
    join(dir, 'src/worker.js'),
    `import { appendFileSync } from 'node:fs';
export const take = async (event) => {
  appendFileSync(${JSON.stringify(out)}, event.Records.map((one) => one.body + '\\n').join(''));
};
`,
  );
  writeFileSync(
    join(dir, 'serverless.yml'),
    `service: messages
provider:
  name: local
functions:
  door:
    handler: src/door.get
    events:
      - http: GET /door
  worker:
    handler: src/worker.take
    events:
      - queue: { queue: orders, batchSize: 10, concurrency: 4 }
`,
  );
}

function seen(out) {
  if (!existsSync(out)) return { all: 0, distinct: new Set() };
  const bodies = readFileSync(out, 'utf8')
    .split('\n')
    .filter((text) => text !== '');
  return { all: bodies.length, distinct: new Set(bodies) };
}

/** Where messages are sent to; asked again after a kill, since only an instance knows. */
async function doorOf(service) {
  const answer = await fetch(`${await service.url()}/door`);
  return (await answer.json()).url;
}

/** Sends messages `from` to `to`; resolves when all are accepted. A batch that was not answered is sent again. */
async function send(door, from, to) {
  for (let n = from; n < to; n += BATCH) {
    const rows = Array.from({ length: Math.min(BATCH, to - n) }, (_, i) =>
      JSON.stringify({ body: `m${n + i}` }),
    );
    for (;;) {
      try {
        const answer = await fetch(`${await door()}/queues/orders`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-ndjson' },
          body: `${rows.join('\n')}\n`,
        });
        if (answer.status === 202) break;
        throw new Error(`the door answered ${answer.status} ${await answer.text()}`);
      } catch (error) {
        if (!/fetch failed|answered 503/.test(String(error.message))) throw error;
        await sleep(50);
      }
    }
  }
}

async function arrived(out, count) {
  const deadline = performance.now() + PATIENCE_MS;
  while (seen(out).distinct.size < count) {
    if (performance.now() > deadline) return;
    await sleep(20);
  }
}

function rate() {
  return withEngine(async ({ service }) => {
    const shop = service(1);
    const out = join(shop.dir, '../rate.txt');
    write(shop.dir, out);
    await shop.sfx(['deploy']);
    const door = await doorOf(shop);
    const began = performance.now();
    const sent = send(async () => door, 0, MESSAGES).then(() => performance.now() - began);
    await arrived(out, MESSAGES);
    const wall = performance.now() - began;
    const { distinct } = seen(out);
    return {
      work: `${MESSAGES} messages through a queue`,
      measured: `${Math.round((distinct.size / wall) * 1000)} /s`,
      floor: `sent and on disk: ${Math.round((MESSAGES / (await sent)) * 1000)} /s`,
      ratio: times((await sent) / wall),
      bar: 'all of them',
      holds: distinct.size === MESSAGES,
      wrong: distinct.size !== MESSAGES,
    };
  });
}

function kills() {
  return withEngine(async ({ env, service }) => {
    const shop = service(1);
    const out = join(shop.dir, '../kills.txt');
    write(shop.dir, out);
    await shop.sfx(['deploy']);
    let door = await doorOf(shop);
    const sending = send(async () => door, 0, MESSAGES);
    for (let kill = 1; kill <= KILLS; kill++) {
      while (seen(out).distinct.size < (MESSAGES * kill) / (KILLS + 2)) await sleep(5);
      process.kill(JSON.parse(readFileSync(join(env.SFX_LOCAL_HOME, 'engine.json'), 'utf8')).pid, 'SIGKILL');
      await shop.sfx(['local', 'start']);
      door = await doorOf(shop);
    }
    await sending;
    await arrived(out, MESSAGES);
    const { all, distinct } = seen(out);
    const lost = MESSAGES - distinct.size;
    return {
      work: `messages lost through ${KILLS} kills of the daemon, of ${MESSAGES}`,
      measured: `${lost} lost, ${all - distinct.size} came twice`,
      floor: '0',
      ratio: '',
      bar: '0 lost',
      holds: lost === 0,
      wrong: lost !== 0,
    };
  });
}

export async function messages() {
  return [await rate(), await kills()];
}
