import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { anchorsOf, documents, linksOf, root, textOf } from './documents.js';

/** Ways to install or run a package from npm, followed by the name that belongs to somebody else. */
const UNSCOPED =
  /\b(?:npm (?:i|install|add|exec|x)|npx|pnpm (?:add|dlx|exec)|yarn (?:add|dlx|exec)|bunx|bun add)\b(?: +-[-\w=]+)* +sfx\b(?!-)/g;

/** Documents that name `npx sfx` with the clone, where alone it is ours. */
const saysClone = new Set(documents.filter((path) => /\bIn the clone,[^.]*`npx sfx`/.test(textOf(path))));

describe('the documents', () => {
  it('are there', () => assert.ok(documents.length > 15));

  it('tell nobody to install or run the package sfx, which is somebody else’s', () => {
    const told: string[] = documents.flatMap((path) =>
      [...textOf(path).matchAll(UNSCOPED)].map((match) => `${path}: ${match[0]}`),
    );
    // In the clone `npx` finds what `npm ci` built: it may be named in one breath with it.
    const unsafe = told.filter((one) => !one.endsWith(': npx sfx') || !saysClone.has(one.split(':')[0]!));
    assert.deepEqual(unsafe, []);
  });

  it('link to files and headings that exist', () => {
    const broken = documents.flatMap((path) =>
      linksOf(path)
        .filter(
          ({ file, anchor }) =>
            !existsSync(join(root, file)) || (anchor !== '' && !anchorsOf(file).has(anchor)),
        )
        .map(({ file, anchor }) => `${path}: ${file}${anchor === '' ? '' : `#${anchor}`}`),
    );
    assert.deepEqual(broken, []);
  });

  it('name only error codes that exist', () => {
    const known = anchorsOf('docs/reference/errors.md');
    const unknown = documents.flatMap((path) =>
      [...textOf(path).matchAll(/\bSFX\d{4}\b/g)]
        .filter((match) => !known.has(match[0].toLowerCase()))
        .map((match) => `${path}: ${match[0]}`),
    );
    assert.deepEqual(unknown, []);
  });

  it('name the folders and files of the daemon that there are', () => {
    const daemon = join(root, 'packages/provider-local/src/daemon');
    const [, engine = ''] = textOf('docs/architecture.md').split('\n## The engine\n');
    const told = [...engine.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]!).sort();
    const there = readdirSync(daemon, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    assert.deepEqual(told, there.map((entry) => entry.name).sort());
    const files = [...engine.matchAll(/`(\w+\/[\w-]+\.ts)`/g)].map((match) => match[1]!);
    assert.ok(files.length > 3);
    const isThere = (file: string) =>
      existsSync(join(daemon, file)) || existsSync(join(daemon, 'instances', file));
    assert.deepEqual(
      files.filter((file) => !isThere(file)),
      [],
    );
  });

  it('have reference pages that say what the code says', () => {
    execFileSync(process.execPath, [join(root, 'scripts/reference.mjs'), '--check'], { stdio: 'inherit' });
  });
});
