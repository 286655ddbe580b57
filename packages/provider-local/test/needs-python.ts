import { spawnSync } from 'node:child_process';

/** Python 3.9 or newer, as the engine looks for it. */
function hasPython(): boolean {
  return ['python3', 'python'].some((name) => {
    const asked = spawnSync(name, ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))']);
    return asked.status === 0;
  });
}

/** For a hook or test of what runs Python: leaves it out, and says so, on a machine that has only Node. */
export function needsPython(this: Mocha.Context): void {
  if (hasPython()) return;
  process.stderr.write('left out: there is no Python 3 here\n');
  this.skip();
}
