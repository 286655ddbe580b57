// Tests against programs that are not ours: a browser, the parser of Prometheus, the messages of OpenTelemetry. They are
// installed once, beside the packages; what cannot be installed is an error, never a test that is left out.
// Usage: npm run test:emulators [-- patterns of files, or options of mocha]
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const tools = join(root, 'node_modules/.cache/sfx-emulators');

const PYTHON = ['prometheus-client==0.26.0', 'opentelemetry-proto==1.45.2'];
const BROWSER = ['puppeteer-core@25.16.0', '@sparticuz/chromium@153.0.0'];

/** Runs `install` in a folder of its own, unless what is in it is what is wanted. */
function once(name, wanted, install) {
  const folder = join(tools, name);
  const stamp = join(folder, 'installed.json');
  const text = JSON.stringify(wanted);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === text) return folder;
  console.log(`installing ${wanted.join(', ')}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  install(folder);
  writeFileSync(stamp, text);
  return folder;
}

const run = (command, args, cwd) => execFileSync(command, args, { cwd, stdio: 'inherit' });

const inPython = (folder) => join(folder, 'bin/python');
const python = once('python', PYTHON, (folder) => {
  run(process.env.SFX_PYTHON ?? 'python3', ['-m', 'venv', folder], folder);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PYTHON];
  run(inPython(folder), pip, folder);
});
const browser = once('browser', BROWSER, (folder) => {
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  run('npm', ['install', '--no-audit', '--no-fund', '--silent', ...BROWSER], folder);
});

const given = process.argv.slice(2);
const files = given.some((word) => !word.startsWith('-')) ? [] : ['test/emulators/**/*.test.ts'];
const { status } = spawnSync(join(root, 'node_modules/.bin/mocha'), ['--exit', ...files, ...given], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, SFX_BROWSER: browser, SFX_EMULATORS_PYTHON: inPython(python) },
});
process.exitCode = status ?? 1;
