// The local engine as a server: requests per second, cold starts, its own start, its memory; beside a bare HTTP server and
// the servers that others bring. All rates of one width are measured in the same minute, each beside the bare server's.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { withEngine } from './engine.mjs';
import { functionName, generateService } from './generate-service.mjs';
import { median, milliseconds, times, withFolder } from './lib.mjs';
import { installPeers, peerBin } from './peers.mjs';
import { ask, cannon, freePort, keptAgent, memoryOf, startServer } from './servers.mjs';

const SECONDS = 5;
const RATE_BAR = 0.6;
const START_BAR = 2.3;
const MEMORY_BAR_MB = 80;
const COLD = 100;

const RAW =
  "require('http').createServer((q,s)=>{s.setHeader('content-type','application/json');s.end('{\"ok\":true}')}).listen(+process.env.PORT,'127.0.0.1')";

/** Starts the bare server for as long as `act` takes. */
async function withRaw(act) {
  const port = await freePort();
  const server = await startServer({
    argv: [process.execPath, '-e', RAW],
    env: { PORT: String(port) },
    port,
    path: '/',
  });
  try {
    return await act({ port, ...server });
  } finally {
    await server.stop();
  }
}

/** Rates of a server and of the bare one, in turn, so that a busy machine hits both. */
async function rates(url, raw, width) {
  const own = [];
  const bare = [];
  for (let round = 0; round < 3; round++) {
    bare.push((await cannon(`http://127.0.0.1:${raw.port}/`, width, SECONDS)).rate);
    const { rate, failed } = await cannon(url, width, SECONDS);
    if (failed > 0) throw new Error(`${failed} calls of ${url} failed`);
    own.push(rate);
  }
  return { own: median(own), bare: median(bare) };
}

function rateRow(name, width, { own, bare }, bar) {
  const ratio = own / bare;
  return {
    work: `${name}, ${width} connections`,
    measured: `${Math.round(own)} /s`,
    floor: `bare HTTP ${Math.round(bare)} /s`,
    ratio: times(ratio),
    bar: bar === undefined ? '' : `>= ${times(bar)}`,
    holds: bar === undefined || ratio >= bar,
  };
}

export function rateRows() {
  return withRaw((raw) =>
    withEngine(async ({ service }) => {
      const shop = service(1);
      await shop.sfx(['deploy']);
      shop.edit(2);
      await shop.sfx(['deploy', '--canary', '5'], [0, 5]);
      const url = `${await shop.url()}/${functionName(0)}`;
      const rows = [];
      for (const width of [10, 50])
        rows.push(rateRow('engine, 5 % split, metrics on', width, await rates(url, raw, width), RATE_BAR));
      return rows;
    }),
  );
}

/** A service of `n` functions for serverless-offline, with the same answers. */
function offlineService(dir) {
  generateService(dir, 20, { provider: 'aws' });
  const file = join(dir, 'serverless.yml');
  writeFileSync(file, `${readFileSync(file, 'utf8')}plugins:\n  - serverless-offline\n`);
  mkdirSync(join(dir, 'node_modules'), { recursive: true });
}

function peers(dir, ports) {
  const offline = join(dir, 'offline');
  const framework = join(dir, 'framework');
  mkdirSync(framework, { recursive: true });
  mkdirSync(offline, { recursive: true });
  offlineService(offline);
  writeFileSync(
    join(framework, 'index.js'),
    `const ff = require(${JSON.stringify(peerBin('@google-cloud/functions-framework'))});\nff.http('hello', (req, res) => res.json({ ok: true }));\n`,
  );
  writeFileSync(join(framework, 'package.json'), '{"name":"framework","main":"index.js"}\n');
  const sls = join(peerBin('serverless'), 'bin/serverless.js');
  const offlinePorts = ['--httpPort', ports[0], '--lambdaPort', ports[1], '--albPort', ports[2]].map(String);
  return [
    {
      name: 'serverless-offline',
      argv: [
        process.execPath,
        sls,
        'offline',
        '--noPrependStageInUrl',
        '--host',
        '127.0.0.1',
        ...offlinePorts,
      ],
      cwd: offline,
      env: { NODE_PATH: peerBin(''), SLS_TELEMETRY_DISABLED: '1', SLS_NOTIFICATIONS_MODE: 'off' },
      port: ports[0],
      path: `/${functionName(0)}`,
      second: `/${functionName(1)}`,
    },
    {
      name: 'functions-framework',
      argv: [
        process.execPath,
        join(peerBin('@google-cloud/functions-framework'), 'build/src/main.js'),
        '--target=hello',
        `--port=${ports[3]}`,
      ],
      cwd: framework,
      port: ports[3],
      path: '/',
    },
  ];
}

export function peerRows() {
  return withRaw((raw) =>
    withFolder(async (dir) => {
      const ports = [];
      for (let n = 0; n < 4; n++) ports.push(await freePort());
      const rows = [];
      for (const peer of peers(dir, ports)) {
        const server = await startServer(peer);
        try {
          rows.push(plain(`${peer.name}, start to first answer`, milliseconds(server.firstMs)));
          if (peer.second !== undefined)
            rows.push(
              plain(`${peer.name}, cold function`, milliseconds((await ask(peer.port, peer.second)).ms)),
            );
          for (const width of [10, 50]) {
            const url = `http://127.0.0.1:${peer.port}${peer.path}`;
            rows.push(rateRow(peer.name, width, await rates(url, raw, width)));
          }
          rows.push(plain(`${peer.name}, memory after load`, `${Math.round(memoryOf(server.pid) ?? 0)} MB`));
        } finally {
          await server.stop();
        }
      }
      return rows;
    }),
  );
}

function plain(work, measured) {
  return { work, measured, floor: '', ratio: '', bar: '', holds: true };
}

function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];
}

/** First calls of functions that have no instance, one after another. */
async function coldCalls(shop, count, pauseMs) {
  const { port } = new URL(await shop.url());
  const agent = keptAgent();
  const walls = [];
  try {
    await ask(port, '/nothing-here', agent);
    for (let n = 0; n < count; n++) {
      const { status, ms } = await ask(port, `/${functionName(n)}`, agent);
      if (status !== 200) throw new Error(`a cold call ended with ${status}`);
      walls.push(ms);
      // A blank is made again in the background.
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  } finally {
    agent.destroy();
  }
  return walls;
}

/** Every handler carries an SDK: a bundle of more than the 600 KB that the bar is for. Answers its KB. */
function fatten(dir, count) {
  const lib = join(peerBin('@aws-sdk/client-dynamodb'));
  for (let n = 0; n < count; n++) {
    const name = functionName(n);
    writeFileSync(
      join(dir, 'src', `${name}.js`),
      `const { DynamoDBClient } = require(${JSON.stringify(lib)});\nconst client = new DynamoDBClient({ region: 'eu-west-1' });\nmodule.exports.handler = async () => ({ statusCode: 200, body: '${name} ' + typeof client.send });\n`,
    );
  }
  const { outputFiles } = buildSync({
    entryPoints: [join(dir, 'src', `${functionName(0)}.js`)],
    bundle: true,
    platform: 'node',
    write: false,
  });
  return Math.round(outputFiles[0].contents.length / 1000);
}

async function coldRow({ work, count, blanks, fat, bars }) {
  return withEngine(async ({ env, service }) => {
    env.SFX_LOCAL_BLANKS = String(blanks);
    const shop = service(count);
    const size = fat ? ` of ${fatten(shop.dir, count)} KB` : '';
    await shop.sfx(['deploy']);
    // Nothing runs after a start: every first call is a cold one.
    await shop.sfx(['local', 'stop']);
    await shop.sfx(['local', 'start']);
    const walls = await coldCalls(shop, count, fat ? 250 : 120);
    const [p50, p99] = [percentile(walls, 0.5), percentile(walls, 0.99)];
    return {
      work: work.replace('bundle', `bundle${size}`),
      measured: `p50 ${milliseconds(p50)}, p99 ${milliseconds(p99)}`,
      floor: '',
      ratio: '',
      bar: bars === undefined ? '' : bars.map(([name, ms]) => `${name} <= ${ms} ms`).join(', '),
      holds: bars === undefined || bars.every(([name, ms]) => (name === 'p50' ? p50 : p99) <= ms),
    };
  });
}

export async function coldRows() {
  const small = [
    ['p50', 10],
    ['p99', 25],
  ];
  return [
    await coldRow({
      work: 'cold start, small function, a blank at hand',
      count: COLD,
      blanks: 1,
      bars: small,
    }),
    await coldRow({ work: 'cold start, small function, no blank', count: COLD, blanks: 0 }),
    await coldRow({
      work: 'cold start, a bundle, a blank at hand',
      count: 20,
      blanks: 1,
      fat: true,
      bars: [['p50', 60]],
    }),
    await coldRow({ work: 'cold start, a bundle, no blank', count: 20, blanks: 0, fat: true }),
  ];
}

/** From the start of the daemon's process to the first answer of a function that it kept, and its memory at rest. */
export function startRows() {
  return withEngine(async ({ env, service }) => {
    const shop = service(1);
    await shop.sfx(['deploy']);
    const { port } = new URL(await shop.url());
    await shop.sfx(['local', 'stop']);
    const entry = createRequire(import.meta.url).resolve('@sfx-deploy/provider-local');
    const daemon = join(entry, '../daemon/main.js');
    const settings = { home: env.SFX_LOCAL_HOME, port: Number(env.SFX_LOCAL_PORT), explicit: true };
    const own = [];
    const bare = [];
    let rest;
    for (let round = 0; round < 9; round++) {
      bare.push(await withRaw(async (raw) => raw.firstMs));
      const server = await startServer({
        argv: [process.execPath, daemon, JSON.stringify(settings)],
        env,
        port: Number(port),
        path: `/${functionName(0)}`,
      });
      own.push(server.firstMs);
      if (round === 8) {
        // At rest: what answered first stays warm, and the blank is there again.
        await new Promise((resolve) => setTimeout(resolve, 3_000));
        rest = memoryOf(server.pid);
      }
      await server.stop();
    }
    const [first, floor] = [median(own), median(bare)];
    return [
      {
        work: 'engine, start to first answer',
        measured: milliseconds(first),
        floor: `bare HTTP ${milliseconds(floor)}`,
        ratio: times(first / floor),
        bar: `<= ${times(START_BAR)}`,
        holds: first / floor <= START_BAR,
      },
      {
        work: 'engine at rest, one warm instance and its blanks',
        measured: `${Math.round(rest ?? 0)} MB`,
        floor: '',
        ratio: '',
        bar: `<= ${MEMORY_BAR_MB} MB`,
        holds: rest !== undefined && rest <= MEMORY_BAR_MB,
      },
    ];
  });
}

export async function serving() {
  installPeers();
  return [...(await rateRows()), ...(await startRows()), ...(await coldRows()), ...(await peerRows())];
}
