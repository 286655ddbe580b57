import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buildUnits } from '../../src/artifact/index.js';
import {
  ask,
  buildOne,
  bytesOf,
  context,
  filesIn,
  load,
  realRun,
  temporary,
  unit,
  write,
} from './samples.js';

describe('a bundled unit', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await temporary();
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('is one module per function that runs where nothing else is', async () => {
    await write(dir, {
      'src/list.ts':
        "import { all } from './catalog.js';\nexport const get = async (): Promise<number[]> => all();",
      'src/catalog.ts': 'export const all = (): number[] => [1, 2];',
      'src/front.js': "export default { fetch: () => Response.json('front') };",
    });
    const artifact = await buildOne(dir, unit({ list: 'src/list.get', front: './src/front.default' }));
    assert.deepEqual(Object.keys(await filesIn(artifact)), ['front.mjs', 'list.mjs']);
    const list = await load(artifact, 'list');
    assert.equal(list.style, 'event');
    assert.deepEqual(await ask(list, 'GET /'), { status: 200, body: [1, 2] });
    const front = await load(artifact, 'front');
    assert.equal(front.style, 'fetch');
    assert.deepEqual(await ask(front, 'GET /'), { status: 200, body: 'front' });
  });

  it('finds handlers with each ending, TypeScript before JavaScript', async () => {
    await write(dir, {
      'a.ts': 'export const run = () => 1;',
      'a.js': 'export const run = () => 0;',
      'b.mts': 'export const run = () => 2;',
      'c.js': 'export const run = () => 3;',
      'd.mjs': 'export const run = () => 4;',
      'e.cjs': 'exports.run = () => 5;',
      'v1.2/f.js': 'export const run = () => 6;',
    });
    const names = ['a', 'b', 'c', 'd', 'e', 'v1.2/f'];
    const artifact = await buildOne(
      dir,
      unit(Object.fromEntries(names.map((name) => [name.slice(-1), `${name}.run`]))),
    );
    const values = await Promise.all(
      names.map(async (name) => (await load(artifact, name.slice(-1))).invoke(0, context)),
    );
    assert.deepEqual(values, [1, 2, 3, 4, 5, 6]);
  });

  it('carries CommonJS packages, which need require and their own folder', async () => {
    await write(dir, {
      'node_modules/old/index.js':
        "const { sep } = require('node:path');\nmodule.exports = () => [sep, typeof __dirname, typeof __filename];",
      'node_modules/old/package.json': '{"name":"old","main":"index.js"}',
      'a.js': "import old from 'old';\nexport const run = () => old();",
    });
    const adapted = await load(await buildOne(dir, unit({ a: 'a.run' })), 'a');
    assert.deepEqual(await adapted.invoke(0, context), ['/', 'string', 'string']);
  });

  it('lets a handler make its own require and __dirname', async () => {
    await write(dir, {
      'a.js': [
        "import { createRequire } from 'node:module';",
        'const require = createRequire(import.meta.url);',
        "const __dirname = 'mine';",
        "export const run = () => [require('node:path').sep, __dirname];",
      ].join('\n'),
    });
    const adapted = await load(await buildOne(dir, unit({ a: 'a.run' })), 'a');
    assert.deepEqual(await adapted.invoke(0, context), ['/', 'mine']);
  });

  it('knows a function exported as fetch, although bundling renames it', async () => {
    await write(dir, {
      'a.js': "import { ask } from './b.js';\nexport function fetch() { return Response.json(typeof ask); }",
      'b.js': "export const ask = () => fetch('http://127.0.0.1');",
    });
    const artifact = await buildOne(dir, unit({ a: 'a.fetch' }));
    assert.match((await filesIn(artifact))['a.mjs']!, /function fetch2\(/);
    assert.equal((await load(artifact, 'a')).style, 'fetch');
  });

  it('names no folder of the machine it was built on', async () => {
    await write(dir, {
      'src/a.js': "import * as b from './b.cjs';\nexport const run = () => b;",
      'src/b.cjs': 'exports.b = 1;',
    });
    const { 'a.mjs': text } = await filesIn(await buildOne(dir, unit({ a: 'src/a.run' })));
    assert.ok(!text!.includes(dir));
    assert.ok(!text!.includes('packages/runtime'));
  });

  it('does not depend on what is built beside it', async () => {
    await write(dir, {
      'shared.js': 'export const one = () => 1;\nexport const two = () => 2;',
      'data.json': '{"a":1,"b":2}',
      'a.js':
        "import { one } from './shared.js';\nimport data from './data.json';\nexport const run = () => [one(), data.a];",
      'b.js':
        "export const run = async () => [await import('./shared.js'), require('./data.json'), require('./shared.js')];",
      'c.js': "import { two } from './shared.js';\nexport const run = () => two();",
    });
    const names = ['a', 'b', 'c'];
    const requests = names.map((name) => ({ key: name, unit: unit({ [name]: `${name}.run` }), dir }));
    const together = await buildUnits(requests, { cacheDir: join(dir, '.one') }, realRun());
    for (const request of requests) {
      const alone = await buildUnits([request], { cacheDir: join(dir, `.${request.key}`) }, realRun());
      assert.equal(alone[request.key]!.digest, together[request.key]!.digest, request.key);
    }
  });

  it('puts files that are included beside the code, at their own paths', async () => {
    await write(dir, {
      'a.js': 'export const run = () => 1;',
      'templates/x/y.html': '<p>',
      'templates/z.md': '#',
    });
    const artifact = await buildOne(dir, unit({ a: 'a.run' }, { include: ['templates/**', '!**/*.md'] }));
    const files = await filesIn(artifact);
    assert.deepEqual(Object.keys(files), ['a.mjs', 'templates/x/y.html']);
    assert.equal(files['templates/x/y.html'], '<p>');
  });

  it('takes the default of a CommonJS module, said in any way', async () => {
    await write(dir, {
      'a.js': 'exports.default = () => 1; exports.other = 2;',
      'b.js': "Object.defineProperty(exports, '__esModule', { value: true }); exports.default = () => 2;",
      'c.js': 'module.exports = () => 3;',
    });
    for (const [n, name] of ['a', 'b', 'c'].entries()) {
      const adapted = await load(await buildOne(dir, unit({ [name]: `${name}.default` })), name);
      assert.equal(await adapted.invoke(0, context), n + 1, name);
    }
  });

  it('may take code from all of its workspace', async () => {
    await write(dir, {
      'package.json': '{"workspaces":["services/*"]}',
      'lib/x.js': 'export const x = 7;',
      'services/shop/a.js': "import { x } from '../../lib/x.js';\nexport const run = () => x;",
    });
    const adapted = await load(await buildOne(join(dir, 'services/shop'), unit({ a: 'a.run' })), 'a');
    assert.equal(await adapted.invoke(0, context), 7);
  });

  it('has the digest and size of its bytes', async () => {
    await write(dir, { 'a.js': 'export const run = () => 1;' });
    const artifact = await buildOne(dir, unit({ a: 'a.run' }));
    const bytes = await bytesOf(artifact);
    assert.equal(artifact.size, bytes.length);
    const { createHash } = await import('node:crypto');
    assert.equal(artifact.digest, `sha256:${createHash('sha256').update(bytes).digest('hex')}`);
  });
});
