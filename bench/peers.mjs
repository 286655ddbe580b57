// Other local servers, and the load generator: installed by the bench into a folder that is kept for the next run.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../node_modules/.cache/sfx-bench', import.meta.url));

const wanted = {
  autocannon: '8.0.0',
  serverless: '3.40.0',
  'serverless-offline': '13.9.0',
  '@google-cloud/functions-framework': '3.4.6',
  '@aws-sdk/client-dynamodb': '3.726.1',
};

/** Installs once; answers the folder. Throws with what npm said. */
export function installPeers() {
  const stamp = join(folder, `installed-${Object.values(wanted).join('-')}`);
  if (existsSync(stamp)) return folder;
  mkdirSync(folder, { recursive: true });
  const manifest = { name: 'sfx-bench-peers', version: '1.0.0', private: true, dependencies: wanted };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  const done = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel', 'error'], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (done.status !== 0) throw new Error(`npm install of the peers failed\n${done.stdout}${done.stderr}`);
  writeFileSync(stamp, '');
  return folder;
}

/** Where a program of a peer is. */
export function peerBin(name) {
  return join(folder, 'node_modules', name);
}
