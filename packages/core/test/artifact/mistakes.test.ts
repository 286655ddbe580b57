import assert from 'node:assert/strict';
import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { buildUnits } from '../../src/artifact/index.js';
import type { Json } from '../../src/json.js';
import { buildOne, filesIn, realRun, refused, temporary, unit, write } from './samples.js';

describe('a mistake in code or handler', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await temporary();
  });
  afterEach(() => rm(dir, { recursive: true }));

  const at = () => ({ file: 'serverless.yml', line: 3, column: 14, length: 8 });
  const yaml = 'functions:\n  list:\n    handler: scr/list.get\n';

  it('such as a handler file that is not there is shown where it is written', async () => {
    await write(dir, { 'serverless.yml': yaml, 'src/list.ts': '' });
    const error = await refused(buildOne(dir, unit({ list: 'scr/list.get' }), { at }));
    assert.equal(error.code, 'SFX2301');
    assert.deepEqual(error.details.at, at());
    assert.equal(
      error.details.frame,
      [
        '  2 |   list:',
        '  3 |     handler: scr/list.get',
        '    |              ^^^^^^^^ no scr/list.{ts,mts,js,mjs,cjs}; did you mean src/list?',
      ].join('\n'),
    );
  });

  for (const handler of ['list', 'src/list', 'src/.get', 'list.', '']) {
    it(`such as the handler "${handler}" is told what a handler is`, async () => {
      const error = await refused(buildOne(dir, unit({ list: handler })));
      assert.equal(error.code, 'SFX2301');
      assert.match(error.message, /names no export: a file without its ending, a dot, and the export/);
    });
  }

  it('such as a folder of the handler’s name is not taken for a file', async () => {
    await write(dir, { 'src/list.js/x.js': '' });
    assert.equal((await refused(buildOne(dir, unit({ list: 'src/list.get' })))).code, 'SFX2301');
  });

  it('such as wrong syntax is shown with file, line, column and marks', async () => {
    await write(dir, { 'src/a.ts': 'export const ä = 1;\nexport const run = () => "ä" oops;\n' });
    const error = await refused(buildOne(dir, unit({ a: 'src/a.run' })));
    assert.equal(error.code, 'SFX2302');
    assert.deepEqual(error.details.at, { file: 'src/a.ts', line: 2, column: 30, length: 4 });
    assert.equal(
      error.details.frame,
      [
        '  1 | export const ä = 1;',
        '  2 | export const run = () => "ä" oops;',
        `    |${' '.repeat(30)}^^^^`,
      ].join('\n'),
    );
  });

  it('such as a module that is not there names it, with the nearest file', async () => {
    await write(dir, { 'src/a.ts': "import './catalgo.js';\nexport const run = 1;", 'src/catalog.ts': '' });
    const error = await refused(buildOne(dir, unit({ a: 'src/a.run' })));
    assert.equal(error.code, 'SFX2303');
    assert.equal(error.message, './catalgo.js: no such file; did you mean catalog?');
    assert.deepEqual(error.details.at, { file: 'src/a.ts', line: 1, column: 8, length: 14 });
  });

  it('is placed relative to where the command runs', async () => {
    await write(dir, { 'deep/src/a.ts': 'let a = ;', 'serverless.yml': yaml });
    const project = join(dir, 'deep');
    const one = await refused(buildOne(project, unit({ a: 'src/a.run' }), { cwd: dir }));
    assert.equal(one.details.at?.file, 'deep/src/a.ts');
    const two = await refused(buildOne(project, unit({ list: 'scr/list.get' }), { cwd: dir, at }));
    assert.match(two.details.frame!, /handler: scr\/list\.get/);
  });

  it('such as a package that is not there names it', async () => {
    await write(dir, { 'a.js': "import 'left-pad';\nexport const run = 1;" });
    const error = await refused(buildOne(dir, unit({ a: 'a.run' })));
    assert.deepEqual([error.code, error.message], ['SFX2303', 'left-pad: no such package']);
  });

  it('such as a missing export lists those that exist, through re-exports too', async () => {
    await write(dir, {
      'src/list.ts': "export * from './more.js';\nexport const put = 1;\nexport type get = string;",
      'src/more.ts': 'export const gett = 1;',
    });
    const error = await refused(buildOne(dir, unit({ list: 'src/list.get', ok: 'src/list.put' })));
    assert.equal(error.code, 'SFX2304');
    assert.equal(
      error.message,
      'function list: no export get: src/list.ts exports gett, put; did you mean gett?',
    );
  });

  it('such as a missing default export is one too', async () => {
    await write(dir, { 'a.js': 'export {};' });
    const error = await refused(buildOne(dir, unit({ a: 'a.default' })));
    assert.equal(error.message, 'function a: no export default: a.js exports nothing');
  });

  it('is told together with all others, each once', async () => {
    await write(dir, {
      'a.js': "import 'x1';\nimport './shared.js';\nexport const run = 1;",
      'b.js': "import './shared.js';\nexport const run = 1;",
      'shared.js': 'let a = ;',
    });
    const error = await refused(buildOne(dir, unit({ a: 'a.run', b: 'b.run' })));
    const found = error.details.diagnostics!.map(
      ({ code, at }) => `${code} ${at!.file}:${at!.line}:${at!.column}`,
    );
    assert.deepEqual(found.sort(), ['SFX2302 shared.js:1:9', 'SFX2303 a.js:1:8']);
    assert.equal(error.message, '2 problems in the code');
  });

  it('such as code from outside of the project is refused, also through a link', async () => {
    await write(dir, {
      'out/x.js': 'export const x = 1;',
      'in/a.js': "export { x as run } from '../out/x.js';",
    });
    const one = await refused(buildOne(join(dir, 'in'), unit({ a: 'a.run' })));
    assert.equal(one.code, 'SFX2306');
    await symlink(join(dir, 'out'), join(dir, 'in/linked'));
    await write(dir, { 'in/a.js': "export { x as run } from './linked/x.js';" });
    const two = await refused(buildOne(join(dir, 'in'), unit({ a: 'a.run' })));
    assert.equal(two.code, 'SFX2306');
  });

  it('such as a doubtful line is a warning, and only in the project itself', async () => {
    const doubtful = 'export const run = () => ({ a: 1, a: 2 });';
    await write(dir, { 'a.js': `import 'p';\n${doubtful}`, 'node_modules/p/index.js': doubtful });
    const run = realRun();
    await buildOne(dir, unit({ a: 'a.run' }), {}, run);
    assert.equal(run.events.length, 1);
    const [event] = run.events;
    assert.ok(
      event?.code === 'warning' && event.error === 'SFX2309' && event.at === 'a.js:2:35',
      JSON.stringify(event),
    );
  });

  it('of a provider that asks for an unknown build is named as that', async () => {
    const unknown: Json[] = [
      null,
      'x',
      { kind: 'rust' },
      { kind: 'node', host: 'moon', bundle: true, include: [], entries: [] },
    ];
    for (const build of unknown) {
      const error = await refused(
        buildUnits(
          [{ key: 'x', unit: { ...unit({ a: 'a.run' }), build }, dir }],
          { cacheDir: join(dir, '.sfx') },
          realRun(),
        ),
      );
      assert.equal(error.code, 'SFX2310');
    }
  });

  it('leaves an interrupted build at once', async () => {
    await write(dir, { 'a.js': 'export const run = 1;' });
    const error = await refused(buildOne(dir, unit({ a: 'a.run' }), {}, realRun(AbortSignal.abort())));
    assert.equal(error.code, 'SFX4120');
  });
});

describe('included files', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await temporary();
    await write(dir, { 'a.js': 'export const run = () => 1;' });
  });
  afterEach(() => rm(dir, { recursive: true }));

  async function included(include: string[]): Promise<{ names: string[]; warnings: string[] }> {
    const run = realRun();
    const artifact = await buildOne(dir, unit({ a: 'a.run' }, { include }), {}, run);
    const names = Object.keys(await filesIn(artifact)).filter((name) => name !== 'a.mjs');
    return {
      names,
      warnings: run.events.map((event) =>
        event.code === 'warning' ? `${event.error} ${event.message}` : '',
      ),
    };
  }

  it('never hold secrets that a wildcard has caught; each is named in a warning', async () => {
    const secrets = [
      'conf/.env',
      'conf/.env.prod',
      'conf/tls/server.key',
      'conf/id_rsa',
      'conf/x.pem',
      'conf/.npmrc',
    ];
    await write(
      dir,
      Object.fromEntries(
        [...secrets, 'conf/ok.txt', 'conf/.git/HEAD', 'conf/.hidden'].map((name) => [name, 's']),
      ),
    );
    const { names, warnings } = await included(['conf/**']);
    assert.deepEqual(names, ['conf/.hidden', 'conf/ok.txt']);
    assert.deepEqual(
      warnings,
      [...secrets].sort().map((name) => `SFX2308 include: ${name} is left out: files like it hold secrets`),
    );
  });

  it('hold a secret that is named itself', async () => {
    await write(dir, { 'conf/.env': 's', 'conf/x.pem': 's' });
    assert.deepEqual(await included(['conf/.env', './conf/*']), {
      names: ['conf/.env'],
      warnings: ['SFX2308 include: conf/x.pem is left out: files like it hold secrets'],
    });
  });

  it('hold packages only where a pattern speaks of them', async () => {
    await write(dir, { 'node_modules/p/x.js': '', 'lib/node_modules/q/x.js': '', 'lib/y.txt': '' });
    assert.deepEqual((await included(['lib/**'])).names, ['lib/y.txt']);
    assert.deepEqual((await included(['node_modules/p/**'])).names, ['node_modules/p/x.js']);
  });

  it('are missed with a warning', async () => {
    assert.deepEqual((await included(['nix/*'])).warnings, ['SFX2308 include: nix/* matches no file']);
  });

  it('lie in the project itself and not elsewhere in its workspace', async () => {
    await write(dir, {
      'package.json': '{"workspaces":["in"]}',
      'in/a.js': 'export const run = 1;',
      'out.txt': 'x',
    });
    const error = await refused(buildOne(join(dir, 'in'), unit({ a: 'a.run' }, { include: ['../out.txt'] })));
    assert.equal(error.code, 'SFX2306');
  });

  it('from outside are refused, also through a link', async () => {
    await write(dir, { 'in/a.js': 'export const run = 1;', 'out.txt': 'x' });
    await symlink(join(dir, 'out.txt'), join(dir, 'in/link.txt'));
    for (const pattern of ['../out.txt', '../*.txt', 'link.txt', '*.txt']) {
      const error = await refused(buildOne(join(dir, 'in'), unit({ a: 'a.run' }, { include: [pattern] })));
      assert.equal(error.code, 'SFX2306', pattern);
    }
  });
});
