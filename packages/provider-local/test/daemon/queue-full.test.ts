import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

if (process.platform === 'linux') {
  describe('a full disk under a queue', () => {
    it('refuses what is sent, keeps what it has, and goes on when there is room', function () {
      this.timeout(60_000);
      // A small disk of its own, in a namespace of its own: no privilege on this machine is needed.
      const script = join(import.meta.dirname, '..', 'fixtures', 'full-queue.ts');
      const command = 'mount -t tmpfs -o size=3m,mode=700 tmpfs "$1" && shift && exec "$@"';
      const node = [
        process.execPath,
        ...process.execArgv,
        '--conditions=sfx-source',
        '--import',
        'tsx',
        script,
      ];
      const home = execFileSync('mktemp', ['-d'], { encoding: 'utf8' }).trim();
      const env = { ...process.env, SFX_LOCAL_HOME: home };
      try {
        const text = execFileSync('unshare', ['-rm', 'sh', '-c', command, 'sh', home, ...node], {
          env,
          encoding: 'utf8',
        });
        assert.deepEqual(JSON.parse(text), {
          refused: 'SFX6004',
          refusedMany: 'SFX6004',
          kept: 3,
          acked: 'SFX6004',
          again: false,
          sent: 'none',
          room: true,
          there: true,
          gone: true,
          lines: [],
        });
      } finally {
        execFileSync('rmdir', [home]);
      }
    });
  });
}
