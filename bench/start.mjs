// How long sfx takes to start, as a multiple of `node -e 0` in the same run. The bin itself is measured, not npx.
//   node bench/start.mjs [--rounds 15]
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { generateService } from './generate-service.mjs';
import { interleave, milliseconds, table, times, verdict } from './lib.mjs';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '15' } } });
const bin = fileURLToPath(new URL('../packages/cli/bin/sfx.cjs', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'sfx-bench-'));
const env = { NO_COLOR: '1', BENCH_SECRET: 'x', SFX_LOCAL_HOME: join(dir, 'home') };

const sizes = [
  [1, 1.6],
  [200, 3],
  [500, 4],
];

function commands() {
  const services = sizes.map(([n, bar]) => {
    const folder = join(dir, `service-${n}`);
    generateService(folder, n);
    return {
      name: `validate, ${n} ${n === 1 ? 'function' : 'functions'}`,
      words: ['validate'],
      cwd: folder,
      bar,
    };
  });
  return [
    { name: '--version', words: ['--version'], bar: 1.2 },
    { name: '--help', words: ['--help'], bar: 1.7 },
    { name: 'deploy --help', words: ['deploy', '--help'], bar: 1.5 },
    ...services,
  ];
}

/** Each command twice: with no code cache, so that V8 compiles all of it, and with the one that the runs before left. */
function cases() {
  return commands().flatMap((one, index) => {
    const cold = join(dir, `cold-${index}`);
    const argv = [process.execPath, bin, ...one.words];
    return [
      {
        ...one,
        cache: 'empty',
        argv,
        env: { ...env, SFX_CODE_CACHE: cold },
        before: () => {
          rmSync(cold, { recursive: true, force: true });
          mkdirSync(cold, { mode: 0o700 });
        },
      },
      { ...one, cache: 'warm', argv, env: { ...env, SFX_CODE_CACHE: join(dir, 'warm') } },
    ];
  });
}

try {
  mkdirSync(join(dir, 'warm'), { mode: 0o700 });
  const { floor, rows } = interleave(cases(), { rounds: Number(values.rounds) });
  const head = ['work', 'code cache', 'wall', 'x floor', 'bar', ''];
  const lines = rows.map(({ name, cache, ms, ratio, bar }) => [
    name,
    cache,
    milliseconds(ms),
    times(ratio),
    `<= ${bar} x`,
    verdict(ratio, bar),
  ]);
  console.log(
    `Start: floor is \`node -e 0\`, ${milliseconds(floor)}; median of ${values.rounds} interleaved runs\n`,
  );
  console.log(table(head, [['node -e 0', '', milliseconds(floor), times(1), '', ''], ...lines]));
} finally {
  rmSync(dir, { recursive: true, force: true });
}
