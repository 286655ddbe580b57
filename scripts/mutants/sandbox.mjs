// A copy of the packages in a temporary folder, in which one mistake at a time is seeded. Nothing is written elsewhere.
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const BESIDE = ['package.json', '.mocharc.json', 'tsconfig.json', 'tsconfig.base.json', 'schemas'];
const LEFT_OUT = new Set(['node_modules', 'dist', 'bundle']);

/** Copies what tests need; what is installed is linked to. */
export async function openSandbox(root) {
  const dir = await mkdtemp(join(tmpdir(), 'sfx-mutants-'));
  const filter = (from) => !LEFT_OUT.has(basename(from));
  await cp(join(root, 'packages'), join(dir, 'packages'), { recursive: true, filter });
  for (const name of BESIDE) await cp(join(root, name), join(dir, name), { recursive: true });
  await linkModules(root, dir);
  return { dir, close: () => rm(dir, { recursive: true, force: true }) };
}

/** Installed packages as they are; those of this workspace are the copies. */
async function linkModules(root, dir) {
  const modules = join(dir, 'node_modules');
  await mkdir(join(modules, '@sfx-deploy'), { recursive: true });
  for (const name of await readdir(join(root, 'node_modules'))) {
    if (name === '@sfx-deploy') continue;
    await symlink(join(root, 'node_modules', name), join(modules, name));
  }
  for (const name of await readdir(join(dir, 'packages'))) {
    const { name: full } = JSON.parse(await readFile(join(dir, 'packages', name, 'package.json'), 'utf8'));
    await symlink(join(dir, 'packages', name), join(modules, full));
  }
}

/** `from` as it stands in a file, whatever its line breaks and indentation are. */
function patternOf(from) {
  const words = from.trim().split(/\s+/);
  return new RegExp(words.map((word) => word.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&')).join('\\s+'), 'g');
}

/** The text with the mistake in it. Throws unless `from` is there exactly once. */
export function seeded(text, { file, from, to }) {
  const found = text.match(patternOf(from))?.length ?? 0;
  if (found !== 1) throw new Error(`${file}: found ${found} times, must be there once:\n${from.trim()}`);
  return text.replace(patternOf(from), () => to.trim());
}

/** Does `act` with the mistake seeded, and takes it out again. */
export async function withMistake(sandbox, edits, act) {
  const before = new Map();
  try {
    for (const edit of edits) {
      const path = join(sandbox.dir, edit.file);
      const text = await readFile(path, 'utf8');
      if (!before.has(path)) before.set(path, text);
      await writeFile(path, seeded(text, edit));
    }
    return await act();
  } finally {
    for (const [path, text] of before) await writeFile(path, text);
  }
}
