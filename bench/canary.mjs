// What the judge makes of canaries under real traffic: each seed is a release of one of three kinds, with errors and
// latencies drawn from that seed, called over HTTP while its rollout runs. Counts false alarms and misses.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withEngine } from './engine.mjs';
import { load } from './load.mjs';

/** 0.2 % of a good release fail: a judge that never met an error would have nothing to be wrong about. */
const KINDS = {
  good: { errors: 0.002, ms: 10, wanted: 'promoted' },
  failing: { errors: 0.04, ms: 10, wanted: 'rolled back' },
  slow: { errors: 0.002, ms: 30, wanted: 'rolled back' },
};
const ENDINGS = { 0: 'promoted', 3: 'rolled back', 5: 'inconclusive' };
const WIDTH = 24;
/** Services that roll out at the same time. */
const SIDE_BY_SIDE = 2;

function write(dir, name, { errors, ms }, seed) {
  mkdirSync(join(dir, 'src'), { recursive: true });
  writeFileSync(join(dir, 'package.json'), '{"name":"canary","private":true,"type":"module"}\n');
  writeFileSync(
    join(dir, 'src/pay.js'),
    `// mulberry32
let state = ${seed};
function draw() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
export const get = async () => {
  await new Promise((resolve) => setTimeout(resolve, ${ms}));
  return { statusCode: draw() < ${errors} ? 500 : 200, body: 'paid' };
};
`,
  );
  writeFileSync(
    join(dir, 'serverless.yml'),
    `service: ${name}
provider:
  name: local
functions:
  pay:
    handler: src/pay.get
    concurrency: 1
    events:
      - http: GET /pay
rollout:
  steps:
    - setWeight: 30
    - pause: 2s
  analysis:
    interval: 600ms
    failureLimit: 2
    minSamples: 200
    metrics:
      - { name: error-rate, max: 1% }
      - { name: latency-p95, tolerance: 80% }
`,
  );
}

/** One release under traffic; how it ended. */
async function rollOut(shop, calls) {
  let done = false;
  const url = `${await shop.url()}/pay`;
  const ended = shop.exitOf(['deploy']).finally(() => (done = true));
  await load([url], { calls: 0, width: calls, any: true, during: () => ended });
  if (!done) throw new Error('the deploy did not end');
  return ENDINGS[await ended] ?? `exit ${await ended}`;
}

async function lane(service, name, seeds, tally) {
  const shop = service(name);
  write(shop.dir, name, KINDS.good, 1);
  await shop.exitOf(['deploy']);
  for (const seed of seeds) {
    const kind = Object.keys(KINDS)[seed % 3];
    write(shop.dir, name, KINDS[kind], seed + 1000);
    const ended = await rollOut(shop, WIDTH);
    const key = `${kind}: ${ended}`;
    tally.set(key, (tally.get(key) ?? 0) + 1);
    process.stderr.write('.');
  }
}

function count(tally, kind, ended) {
  return tally.get(`${kind}: ${ended}`) ?? 0;
}

function total(tally, kind) {
  return [...tally].reduce((sum, [key, n]) => sum + (key.startsWith(`${kind}:`) ? n : 0), 0);
}

function row(work, hits, all, bar, holds) {
  return { work, measured: `${hits} of ${all}`, floor: '', ratio: '', bar, holds };
}

/** @param {{ seeds: number }} options */
export function canary({ seeds = 200 }) {
  return withEngine(async ({ bare }) => {
    const tally = new Map();
    const all = Array.from({ length: seeds }, (_, seed) => seed);
    await Promise.all(
      Array.from({ length: SIDE_BY_SIDE }, (_, side) =>
        lane(
          bare,
          `canary-${side}`,
          all.filter((seed) => seed % SIDE_BY_SIDE === side),
          tally,
        ),
      ),
    );
    process.stderr.write('\n');
    const good = total(tally, 'good');
    const alarms = count(tally, 'good', 'rolled back');
    const rows = [
      row(
        `false alarms: good canaries rolled back, ${seeds} seeds`,
        alarms,
        good,
        '< 5 %',
        alarms < Math.max(1, good * 0.05),
      ),
    ];
    for (const kind of ['failing', 'slow']) {
      const bad = total(tally, kind);
      const misses = count(tally, kind, 'promoted');
      rows.push(
        row(`misses: ${kind} canaries promoted`, misses, bad, '< 5 %', misses < Math.max(1, bad * 0.05)),
      );
    }
    const open = Object.keys(KINDS).reduce((sum, kind) => sum + count(tally, kind, 'inconclusive'), 0);
    rows.push(row('left open: too little traffic to tell', open, seeds, '', true));
    const strange = [...tally].filter(
      ([key]) => !Object.values(ENDINGS).some((ending) => key.endsWith(`: ${ending}`)),
    );
    if (strange.length > 0) throw new Error(`canaries ended with ${strange.map(([key]) => key).join(', ')}`);
    return rows;
  });
}
