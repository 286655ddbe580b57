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
  /** Whether this machine has a program; of `python3` one that functions can run with. */
  has(program: string): Promise<boolean>;
  close(): Promise<void>;
}

/** As the documents have them: the engine at its usual port, and the first service on it. */
const ENGINE = '127.0.0.1:4100';
const SERVICE = '127.0.0.1:4101';

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
  const can = async (command: string) => (await shell(command, { cwd: folder, env })).code === 0;
  const has = (program: string) =>
    can(program === 'python3' ? `python3 -c '${OLD_PYTHON}'` : `command -v ${program}`);
  if (!(await has('curl'))) await putProgram(folder, 'curl', CURL);
  await putProgram(folder, 'without-python', (await has('python3')) ? '#!/bin/sh' : WITHOUT_PYTHON);
  await putProgram(folder, 'eventually', EVENTUALLY);
  const run = async (script: string) => {
    const engine = script.replaceAll(ENGINE, `127.0.0.1:${env['SFX_LOCAL_PORT']}`);
    const text = engine.includes(SERVICE) ? engine.replaceAll(SERVICE, await addressOf(env)) : engine;
    return shell(remembering(folder, text), { cwd: folder, env });
  };
  return {
    clone,
    run,
    has,
    async close() {
      await shell('sfx local stop', { cwd: folder, env });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function environment(folder: string, clone: string): Promise<NodeJS.ProcessEnv> {
  const bin = join(clone, 'node_modules/.bin');
  return {
    // Last: what the machine has itself goes before what stands in for it.
    PATH: [bin, process.env['PATH'], join(folder, 'bin')].join(delimiter),
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
const valueOf = (name) => {
  const at = words.indexOf(name);
  return at < 0 ? undefined : words.splice(at, 2)[1];
};
const body = valueOf('--data');
const headers = new Headers();
for (let line = valueOf('-H'); line !== undefined; line = valueOf('-H')) headers.append(...line.split(/: (.*)/s, 2));
const url = words.find((word) => word.startsWith('http'));
const answer = await fetch(url, { headers, ...(body === undefined ? {} : { method: 'POST', body }) });
if (words.includes('-i')) {
  console.log(\`HTTP/1.1 \${answer.status} \${answer.statusText}\`);
  for (const [name, value] of answer.headers) console.log(\`\${name}: \${value}\`);
}
console.log(await answer.text());
`;

const OLD_PYTHON = 'import sys; sys.exit(sys.version_info < (3, 9))';

/** What a reader without Python does with the shop: takes its function in Python out of the file of this folder. */
const WITHOUT_PYTHON = `#!/usr/bin/env node
import { readFileSync, writeFileSync } from 'node:fs';
const text = readFileSync('serverless.yml', 'utf8');
writeFileSync('serverless.yml', text.replace(/^ {2}stats:\\n(?: {4}.*\\n)+/m, ''));
`;

/** `eventually TEXT COMMAND`: what the engine does by itself a moment later. */
const EVENTUALLY = `#!/bin/sh
text=$1; shift; tries=0
until "$@" | grep -e "$text"; do
  tries=$((tries + 1))
  [ "$tries" -lt 200 ] || exit 1
  sleep 0.1
done
`;

async function putProgram(folder: string, name: string, text: string): Promise<void> {
  const bin = join(folder, 'bin');
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, 'package.json'), '{ "type": "module" }');
  await writeFile(join(bin, name), text, { mode: 0o755 });
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
