// How long sfx takes to start, as a multiple of `node -e 0` in the same run. The bin itself is measured, not npx.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bin } from './engine.mjs';
import { generateService } from './generate-service.mjs';
import { interleave, milliseconds, times, withFolder } from './lib.mjs';

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

/**
 * Each command twice: with nothing that V8 compiled before, and as built, with what the build left beside the bundle. Each
 * run has a new folder for what it would keep for the next, so that none profits from the one before.
 */
function cases(dir) {
  const env = { NO_COLOR: '1', BENCH_SECRET: 'x', SFX_LOCAL_HOME: join(dir, 'home') };
  const fresh = join(dir, 'code');
  const before = () => {
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(fresh, { mode: 0o700 });
  };
  return commands(dir).flatMap((one) => {
    const argv = [process.execPath, bin, ...one.words];
    return [
      { ...one, name: `${one.name}; no code cache`, argv, env: { ...env, SFX_CODE_CACHE: 'off' } },
      { ...one, name: `${one.name}; as built`, argv, env: { ...env, SFX_CODE_CACHE: fresh }, before },
    ];
  });
}

/** Rows of the table; `rounds` interleaved runs of each case and of the floor. */
export function start({ rounds }) {
  return withFolder(async (dir) => {
    const { floor, rows } = await interleave(cases(dir), { rounds });
    return rows.map(({ name, ms, ratio, bar }) => ({
      work: name,
      measured: milliseconds(ms),
      floor: `node -e 0: ${milliseconds(floor)}`,
      ratio: times(ratio),
      bar: `<= ${bar} x`,
      holds: ratio <= bar,
    }));
  });
}
