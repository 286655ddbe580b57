import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { root } from './documents.js';

/** What came of a script; streams together, as a terminal shows them. */
export interface Ran {
  readonly code: number | null;
  readonly output: string;
}

/** A folder that looks like a clone, with an engine of its own, in which one document's commands are run in order. */
export interface World {
  readonly clone: string;
  /** In the folder where the script before it ended, with what that exported. */
  run(script: string): Promise<Ran>;
  close(): Promise<void>;
}

/** As the documents have it: what a service gets when the engine has its usual port. */
const SHOWN = '127.0.0.1:4101';

export async function openWorld(start = '.'): Promise<World> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'sfx-docs-')));
  const clone = join(folder, 'sfx');
  await mkdir(join(folder, 'memory'));
  await mkdir(clone);
  await cp(join(root, 'package.json'), join(clone, 'package.json'));
  await symlink(join(root, 'node_modules'), join(clone, 'node_modules'));
  await cp(join(root, 'examples'), join(clone, 'examples'), {
    recursive: true,
    filter: (path) => !/[\\/](\.sfx|node_modules)$/.test(path),
  });
  await writeFile(join(folder, 'memory/cwd'), join(clone, start));
  await writeFile(join(folder, 'memory/exports'), '');
  const env = await environment(folder, clone);
  if ((await shell('command -v curl', { cwd: folder, env })).code !== 0) await putCurl(folder, env);
  const run = async (script: string) => {
    const text = script.includes(SHOWN) ? script.replaceAll(SHOWN, await addressOf(env)) : script;
    return shell(remembering(folder, text), { cwd: folder, env });
  };
  return {
    clone,
    run,
    async close() {
      await shell('sfx local stop', { cwd: folder, env });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function environment(folder: string, clone: string): Promise<NodeJS.ProcessEnv> {
  const bin = join(clone, 'node_modules/.bin');
  return {
    PATH: [bin, process.env['PATH']].join(delimiter),
    HOME: folder,
    TMPDIR: folder,
    LANG: 'C.UTF-8',
    NO_COLOR: '1',
    SFX_LOCAL_HOME: join(folder, 'engine'),
    SFX_LOCAL_PORT: String(await freePort()),
    SFX_CODE_CACHE: join(folder, 'code'),
    // A package that is not in the clone is an error, not a download.
    npm_config_offline: 'true',
    npm_config_update_notifier: 'false',
  };
}

/** As much of curl as the documents use, for a machine that has none: the tests need Node only. */
const CURL = `#!/usr/bin/env node
const words = process.argv.slice(2);
const at = words.indexOf('--data');
const [, body] = at < 0 ? [] : words.splice(at, 2);
const shown = words.includes('-i');
const answer = await fetch(words.find((word) => word.startsWith('http')), body ? { method: 'POST', body } : {});
if (shown) console.log(\`HTTP/1.1 \${answer.status} \${answer.statusText}\`);
if (shown) for (const [name, value] of answer.headers) console.log(\`\${name}: \${value}\`);
console.log(await answer.text());
`;

async function putCurl(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'package.json'), '{ "type": "module" }');
  await writeFile(join(bin, 'curl'), CURL, { mode: 0o755 });
  env['PATH'] = `${env['PATH']}${delimiter}${bin}`;
}

/** Folder and exports go from one script to the next, as in one terminal. */
function remembering(folder: string, script: string): string {
  const memory = join(folder, 'memory');
  return [
    `. '${memory}/exports'`,
    `cd "$(cat '${memory}/cwd')"`,
    `trap 'code=$?; pwd > "${memory}/cwd"; export -p > "${memory}/exports"; exit $code' EXIT`,
    'set -e',
    script,
  ].join('\n');
}

function shell(script: string, options: { cwd: string; env: NodeJS.ProcessEnv }): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', `exec 2>&1\n${script}`], {
      ...options,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const parts: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => parts.push(part));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output: Buffer.concat(parts).toString('utf8') }));
  });
}

/** Where the engine has put the one service that it serves. */
async function addressOf(env: NodeJS.ProcessEnv): Promise<string> {
  const { output } = await shell('sfx local status --json', { cwd: tmpdir(), env });
  const { services } = JSON.parse(output) as { services: { url: string | null }[] };
  const url = services[0]?.url;
  if (!url) throw new Error(`no service has an address: ${output}`);
  return new URL(url).host;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** Fails with what to do where the command line is not built. */
export async function needBuilt(): Promise<void> {
  try {
    await readFile(join(root, 'packages/cli/dist/sfx.cjs'));
  } catch (error) {
    throw new Error('The command line is not built. Run `npm run build`, then the tests again.', {
      cause: error,
    });
  }
}
