import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'mocha';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('the packages as they are published', () => {
  let dir: string;
  const env = () => ({
    ...process.env,
    NO_COLOR: '1',
    SFX_LOCAL_HOME: join(dir, 'home'),
    SFX_CODE_CACHE: join(dir, 'code'),
    SFX_LOCAL_PORT: undefined,
  });
  const sfx = (cwd: string, ...words: string[]) =>
    execFileSync(process.execPath, [join(dir, 'node_modules/@sfx-deploy/cli/bin/sfx.cjs'), ...words], {
      cwd,
      env: env(),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });

  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'sfx-published-'));
    execFileSync(
      'npm',
      [
        'pack',
        '-w',
        'packages/cli',
        '-w',
        'packages/provider-local',
        '--ignore-scripts',
        '--pack-destination',
        dir,
      ],
      {
        cwd: root,
        stdio: 'ignore',
      },
    );
    for (const name of ['cli', 'provider-local']) {
      const to = join(dir, 'node_modules/@sfx-deploy', name);
      mkdirSync(to, { recursive: true });
      const file = readdirSync(dir).find((one) => one.startsWith(`sfx-deploy-${name}-`))!;
      execFileSync('tar', ['xzf', join(dir, file), '-C', to, '--strip-components=1']);
    }
    // The one dependency that is not ours.
    symlinkSync(join(root, 'node_modules/esbuild'), join(dir, 'node_modules/esbuild'));
  });
  after(() => {
    sfx(dir, 'local', 'stop');
    rmSync(dir, { recursive: true, force: true });
  });

  it('deploy a service of their own template, with nothing else installed', () => {
    sfx(dir, 'init', 'first', '--template', 'hello');
    const first = join(dir, 'first');
    assert.match(sfx(first, 'deploy'), /Release 1 is live on dev\./);
    assert.match(sfx(first, 'invoke', 'hello'), /"message": "Hello"/);
    assert.match(sfx(first, 'remove', '--yes'), /Nothing of first is left on dev\./);
  });
});
