// How long sfx takes to start, as a multiple of `node -e 0` in the same run. The bin itself is measured, not npx.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bin } from './engine.mjs';
import { generateService } from './generate-service.mjs';
import { interleave, milliseconds, times } from './lib.mjs';

const sizes = [
  [1, 1.6],
  [200, 3],
  [500, 4],
];

function commands(dir) {
  const services = sizes.map(([n, bar]) => {
    const folder = join(dir, `service-${n}`);
    generateService(folder, n);
    const name = `validate, ${n} ${n === 1 ? 'function' : 'functions'}`;
    return { name, words: ['validate'], cwd: folder, bar };
  });
  return [
    { name: '--version', words: ['--version'], cwd: dir, bar: 1.2 },
    { name: '--help', words: ['--help'], cwd: dir, bar: 1.7 },
    { name: 'deploy --help', words: ['deploy', '--help'], cwd: dir, bar: 1.5 },
    ...services,
  ];
}

/** Each command twice: with no code cache, so that V8 compiles all of it, and with the one that the runs before left. */
function cases(dir) {
  const env = { NO_COLOR: '1', BENCH_SECRET: 'x', SFX_LOCAL_HOME: join(dir, 'home') };
  const warm = join(dir, 'warm');
  mkdirSync(warm, { mode: 0o700 });
  return commands(dir).flatMap((one, index) => {
    const cold = join(dir, `cold-${index}`);
    const argv = [process.execPath, bin, ...one.words];
    const before = () => {
      rmSync(cold, { recursive: true, force: true });
      mkdirSync(cold, { mode: 0o700 });
    };
    return [
      {
        ...one,
        name: `${one.name}; code cache empty`,
        argv,
        env: { ...env, SFX_CODE_CACHE: cold },
        before,
      },
      { ...one, name: `${one.name}; warm`, argv, env: { ...env, SFX_CODE_CACHE: warm } },
    ];
  });
}

/** Rows of the table; `rounds` interleaved runs of each case and of the floor. */
export function start({ rounds }) {
  const dir = mkdtempSync(join(tmpdir(), 'sfx-bench-'));
  try {
    const { floor, rows } = interleave(cases(dir), { rounds });
    return rows.map(({ name, ms, ratio, bar }) => ({
      work: name,
      measured: milliseconds(ms),
      floor: `node -e 0: ${milliseconds(floor)}`,
      ratio: times(ratio),
      bar: `<= ${bar} x`,
      holds: ratio <= bar,
    }));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
