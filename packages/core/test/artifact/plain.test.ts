import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buildOne, context, filesIn, load, refused, temporary, unit, write } from './samples.js';

describe('a unit that is not bundled', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await temporary();
  });
  afterEach(() => rm(dir, { recursive: true }));

  const plain = (handlers: Record<string, string>, include: string[] = []) =>
    unit(handlers, { bundle: false, include });

  it('is the files as they are, with a small entry per function', async () => {
    const files = {
      'package.json': '{"type":"module","x":1}',
      'src/a.js': "import { b } from './lib/b.js'; // kept\nexport const run = () => b;",
      'src/lib/b.js': 'export const b = 7',
      'src/unused.js': '',
    };
    await write(dir, files);
    const artifact = await buildOne(dir, plain({ a: 'src/a.run' }));
    const { 'a.mjs': entry, ...rest } = await filesIn(artifact);
    const { 'src/unused.js': _unused, ...used } = files;
    assert.deepEqual(rest, used);
    assert.match(entry!, /from "\.\/src\/a\.js"/);
    assert.equal(await (await load(artifact, 'a')).invoke(0, context), 7);
  });

  it('runs CommonJS, also where Node cannot see the exports and where there is a default', async () => {
    await write(dir, {
      'a.cjs': "const { b } = require('./b.cjs');\nmodule.exports = Object.fromEntries([['run', () => b]]);",
      'b.cjs': 'exports.b = 8;',
      'c.js': "Object.defineProperty(exports, '__esModule', { value: true });\nexports.default = () => 9;",
    });
    const artifact = await buildOne(dir, plain({ a: 'a.run', c: 'c.default' }));
    assert.equal(await (await load(artifact, 'a')).invoke(0, context), 8);
    assert.equal(await (await load(artifact, 'c')).invoke(0, context), 9);
  });

  it('takes the type of its modules from further up', async () => {
    await write(dir, {
      'package.json': '{"type":"module","name":"top"}',
      'in/src/a.js': 'export const run = () => 1',
    });
    const files = await filesIn(await buildOne(join(dir, 'in'), plain({ a: 'src/a.run' })));
    assert.equal(files['package.json'], '{"type":"module"}\n');
  });

  it('carries packages that are included', async () => {
    await write(dir, {
      'package.json': '{"type":"module"}',
      'a.js': "import { left } from 'pad';\nexport const run = () => left;",
      'node_modules/pad/index.mjs': 'export const left = 1;',
      'node_modules/pad/package.json': '{"name":"pad","exports":"./index.mjs"}',
    });
    const artifact = await buildOne(dir, plain({ a: 'a.run' }, ['node_modules/pad/**']));
    assert.equal(await (await load(artifact, 'a')).invoke(0, context), 1);
  });

  for (const [what, files, code, message] of [
    [
      'a package that is not there',
      { 'a.js': "import 'pad';\nexport const run = 1" },
      'SFX2303',
      /a\.js imports pad/,
    ],
    [
      'a name that only a bundler completes',
      { 'a.mjs': "import './b';\nexport const run = 1", 'b.js': '' },
      'SFX2303',
      /imports \.\/b: Node needs the whole name, as in b\.js/,
    ],
    ['TypeScript', { 'a.ts': 'export const run = () => 1' }, 'SFX2311', /a\.ts needs bundling/],
    ['a missing export', { 'a.mjs': 'export const go = 1' }, 'SFX2304', /a\.mjs exports go/],
    ['wrong syntax', { 'a.js': 'export const run = (' }, 'SFX2302', /Unexpected end of file/],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await write(dir, files);
      const error = await refused(buildOne(dir, plain({ f: 'a.run' })));
      assert.equal(error.code, code);
      assert.match(error.message, message);
    });
  }

  it('refuses a file from outside, because it has no place in the artifact', async () => {
    await write(dir, { 'b.mjs': '', 'in/a.mjs': "import '../b.mjs';\nexport const run = 1;" });
    const error = await refused(buildOne(join(dir, 'in'), plain({ a: 'a.run' })));
    assert.equal(error.code, 'SFX2306');
  });

  it('refuses a file that has the name of an entry', async () => {
    await write(dir, { 'a.mjs': 'export const run = () => 1' });
    const error = await refused(buildOne(dir, plain({ a: 'a.run' })));
    assert.equal(error.code, 'SFX2307');
    assert.match(error.message, /^a\.mjs is both/);
  });
});
