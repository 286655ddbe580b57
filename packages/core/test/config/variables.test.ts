import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'mocha';
import { loadConfig } from '../../src/config/index.js';
import { resolveAll } from '../../src/config/interpolate.js';
import { maskScalar, toJson } from '../../src/config/node.js';
import { createProblems } from '../../src/config/problems.js';
import { parseText } from '../../src/config/read.js';
import { builtInSources } from '../../src/config/sources/index.js';
import type { VariableSource } from '../../src/config/sources/source.js';
import { sourceText } from '../../src/config/text.js';
import { type Files, type Given, inProject, lines, load, problems, runWith, service } from './project.js';

const custom = async (text: string, given: Given = {}, files: Files = {}): Promise<unknown> => {
  const loaded = await load({ ...service(`custom:\n${text}`), ...files }, given);
  return (loaded.revealed() as { custom: unknown }).custom;
};

describe('variables', () => {
  it('take any place of the file, with its type, before or after', async () => {
    assert.deepEqual(
      await custom(
        '  a: ${self:custom.b.c}\n  b: {c: [1, {d: true}]}\n  e: ${self:custom.b.c.1.d}\n  f: x-${self:custom.b.c.0}\n',
      ),
      {
        a: [1, { d: true }],
        b: { c: [1, { d: true }] },
        e: true,
        f: 'x-1',
      },
    );
    assert.deepEqual(await custom('  a: ${self:service}-${self:functions.list.handler}\n'), {
      a: 'shop-list.get',
    });
  });

  it('go through other variables on the way to their place', async () => {
    const files = { 'c/dev.yml': 'deep: {value: "${self:custom.name}"}\nlist: [a, b]\n' };
    const text =
      '  name: n\n  file: ${file(./c/${opt:stage}.yml)}\n  a: ${self:custom.file.deep.value}\n  b: ${file(c/dev.yml):list.1}\n';
    assert.deepEqual(await custom(text, {}, files), {
      name: 'n',
      file: { deep: { value: 'n' }, list: ['a', 'b'] },
      a: 'n',
      b: 'b',
    });
  });

  it('fall back to literals and other sources, in order', async () => {
    const text =
      "  a: ${env:NO, 'x'}\n  b: ${opt:no, \"y\"}\n  c: ${env:NO, opt:no, self:custom.d}\n  d: 3\n  e: ${env:NO, 5}\n  f: ${env:NO, true}\n  g: ${env:NO, null}\n  h: ${env:NO, ''}\n  i: ${env:NO, ${self:custom.d}}\n  j: ${env:NO, 'a-${self:custom.d}'}\n  k: ${file(no.yml):x, 'no file'}\n  l: ${file(no.yml), -1.5}\n";
    assert.deepEqual(await custom(text), {
      a: 'x',
      b: 'y',
      c: 3,
      d: 3,
      e: 5,
      f: true,
      g: null,
      h: '',
      i: 3,
      j: 'a-3',
      k: 'no file',
      l: -1.5,
    });
  });

  it("leave what is CloudFormation's alone, and `\\${` as text", async () => {
    const text =
      "  a: ${AWS::Region}\n  b: arn:${AWS::Partition}:${Name}/${Table.Arn}-${self:service}\n  c: '\\${self:service}'\n  d: $x {y} ${}\n";
    assert.deepEqual(await custom(text), {
      a: '${AWS::Region}',
      b: 'arn:${AWS::Partition}:${Name}/${Table.Arn}-shop',
      c: '${self:service}',
      d: '$x {y} ${}',
    });
  });

  it('read options, the environment, parameters and the run itself', async () => {
    const files = service(
      "custom:\n  a: ${opt:color}\n  b: ${env:COLOR}\n  c: ${param:own}\n  d: ${param:shared}\n  e: ${param:cli}\n  f: ${sls:stage}\n  g: ${sls:instanceId}\n  h: ${param:old}\n  i: ${strToBool(${env:FLAG})}\nstages:\n  prod:\n    params: {own: '${self:service}-1', shared: mine}\n  default:\n    params: {own: no, shared: no, cli: no}\nparams:\n  default: {old: o}\n",
    );
    const { document, ...loaded } = await load(files, {
      stage: 'prod',
      options: { color: 'red' },
      env: { COLOR: 'blue', FLAG: 'false' },
      params: { cli: 'given' },
    });
    assert.deepEqual((loaded.revealed() as { custom: unknown }).custom, {
      a: 'red',
      b: 'blue',
      c: 'shop-1',
      d: 'mine',
      e: 'given',
      f: 'prod',
      g: 'abababababababab',
      h: 'o',
      i: false,
    });
    assert.deepEqual((document as { custom: unknown }).custom, {
      a: '${opt:color}',
      b: '${env:COLOR}',
      c: 'shop-1',
      d: 'mine',
      e: '${param:cli}',
      f: 'prod',
      g: 'abababababababab',
      h: 'o',
      i: false,
    });
  });

  it('choose the stage by --stage, then provider.stage, then dev, and opt:stage is that one', async () => {
    const text = (stage: string) =>
      `service: shop\nprovider:\n  name: local\n${stage}custom:\n  s: \${opt:stage}\n  t: \${self:provider.stage}\n`;
    const seen = async (stage: string, given: Given = {}) => {
      const loaded = await load(text(stage), given);
      return [loaded.service.stage, ...Object.values((loaded.document as { custom: object }).custom)];
    };
    assert.deepEqual(await seen(''), ['dev', 'dev', 'dev']);
    assert.deepEqual(await seen('  stage: qa\n'), ['qa', 'qa', 'qa']);
    assert.deepEqual(await seen('  stage: qa\n', { stage: 'prod' }), ['prod', 'prod', 'prod']);
    assert.deepEqual(await seen("  stage: ${opt:stage, 'beta'}\n"), ['beta', 'beta', 'beta']);
    assert.deepEqual(await seen('  stage: ${env:S}\n', { env: { S: 'e1' } }), ['e1', 'e1', 'e1']);
  });
});

describe('variables that cannot be filled', () => {
  it('are all reported, each at its place, with why', async () => {
    const text =
      'custom:\n  a: ${env:MISSING}\n  b: "x ${opt:no}"\n  c: ${self:custom.dd.e}\n  d: ${param:p}\n  e: ${file(no.yml)}\n  f: ${ssm:/x}\n  g: ${sefl:x}\n  h: ${self:custom.a}\n  i: ${env:MISSING';
    assert.deepEqual(await lines(service(text)), [
      'SFX2101 serverless.yml:8:6 ${env:MISSING} has no value: it is not set in the environment',
      'SFX2101 serverless.yml:9:9 ${opt:no} has no value: --no was not passed',
      'SFX2101 serverless.yml:10:6 ${self:custom.dd.e} has no value: custom has no dd',
      'SFX2101 serverless.yml:11:6 ${param:p} has no value: no --param sets it, nor does stages.dev.params',
      'SFX2101 serverless.yml:12:6 ${file(no.yml)} has no value: there is no file no.yml',
      'SFX2102 serverless.yml:13:6 ${ssm:…} is not a source that sfx reads',
      'SFX2102 serverless.yml:14:6 ${sefl:…} is not a source that sfx reads; did you mean self?',
      'SFX2106 serverless.yml:16:6 this variable is not closed',
    ]);
  });

  it('of which one needs itself name the whole way round', async () => {
    assert.deepEqual(
      await lines(
        service('custom:\n  a: ${self:custom.b}\n  b: x${self:custom.c.d}\n  c: {d: "${self:custom.a}"}\n'),
      ),
      [
        'SFX2103 serverless.yml:10:11 this variable needs itself: custom.a -> custom.b -> custom.c.d -> custom.a',
      ],
    );
    assert.match(
      (await lines(service('custom:\n  all: ${self:}\n')))[0]!,
      /SFX2103 .* the whole file -> .*custom\.all -> the whole file/,
    );
    assert.match(
      (
        await lines(
          'service: a\nprovider:\n  name: local\n  stage: ${self:custom.s}\ncustom:\n  s: ${self:provider.stage}\n',
        )
      )[0]!,
      /SFX2103 /,
    );
  });

  it('a mapping within a text, an unquoted fallback and an empty one are refused', async () => {
    assert.deepEqual(
      await lines(
        service(
          'custom:\n  a: x-${self:custom.m}\n  m: {}\n  b: ${env:X, dev}\n  c: ${env:X, }\n  d: ${env:}\n',
        ),
      ),
      [
        'SFX2108 serverless.yml:8:8 ${self:custom.m} is a mapping, which cannot be a part of a text',
        "SFX2106 serverless.yml:10:15 put a text in quotes: 'dev'",
        'SFX2106 serverless.yml:11:15 a fallback is missing here',
        'SFX2106 serverless.yml:12:6 ${env:} names nothing; write ${env:NAME}',
      ],
    );
  });

  it('files outside the project, files that are code, and links that lead out are not read', async () => {
    const found = await lines(
      service(
        'custom:\n  a: ${file(../x.yml)}\n  b: ${file(/etc/passwd)}\n  c: ${file(~/x.yml), 1}\n  d: ${file(x.js):y}\n  e: ${file(./x.ts)}\n',
      ),
    );
    assert.deepEqual(
      found.map((line) => line.slice(0, 24)),
      [
        'SFX2104 serverless.yml:8',
        'SFX2104 serverless.yml:9',
        'SFX2105 serverless.yml:1',
        'SFX2105 serverless.yml:1',
      ],
    );
    await inProject({ ...service('custom:\n  a: ${file(link.yml)}\n') }, async (dir) => {
      await inProject({ 'out.yml': 'secret: 1\n' }, async (other) => {
        await symlink(join(other, 'out.yml'), join(dir, 'link.yml'));
        await assert.rejects(
          loadConfig({ cwd: dir, options: {}, params: {} }, runWith()),
          (error: { details: { diagnostics: { code: string }[] } }) =>
            error.details.diagnostics[0]?.code === 'SFX2104',
        );
        assert.notEqual(dirname(other), dir);
      });
    });
  });

  it('a problem inside an included file is shown there', async () => {
    const files = {
      ...service('', 'functions: ${file(fns.yml)}\n'),
      'fns.yml': 'list:\n  handler: list.get\n  memorySize: lots\n  timout: 3\n',
    };
    const found = await problems(files);
    assert.deepEqual(
      found.map(({ code, at }) => `${code} ${at?.file}:${at?.line}:${at?.column}`),
      ['SFX2202 fns.yml:3:15', 'SFX2201 fns.yml:4:3'],
    );
    assert.match(found[0]!.frame!, / {2}3 \| {3}memorySize: lots\n {4}\| {15}\^{4} must be a whole number/);
    assert.deepEqual(
      await lines({ ...service('custom:\n  a: ${file(bad.yml)}\n'), 'bad.yml': 'a: 1\na: 2\n' }),
      ['SFX2001 bad.yml:2:1 the key a is written twice in this mapping'],
    );
    const used = {
      ...service('', 'functions:\n  list:\n    handler: list.get\n    memorySize: ${file(m.yml):m}\n'),
      'm.yml': 'm: lots\n',
    };
    assert.deepEqual(await lines(used), [
      'SFX2202 m.yml:1:4 functions.list.memorySize must be a whole number, not lots (used at serverless.yml:7)',
    ]);
  });

  it('do not hide other problems, and bring no problems that only follow from them', async () => {
    const text =
      'service: shop\nprovider: {name: local}\nfunctions:\n  list:\n    handler: ${env:H}\n    memorySize: ${env:M}\n    events:\n      - http: ${env:E}\n    oops: 1\n';
    assert.deepEqual(
      (await lines(text)).map((line) => line.slice(0, 7)),
      ['SFX2101', 'SFX2101', 'SFX2101', 'SFX2201'],
    );
  });
});

describe('sources that take time', () => {
  it('are asked together, and again when their answers lead to more', async () => {
    const asked: string[] = [];
    const slow: VariableSource = {
      name: 'slow',
      read: ({ address, at, shown }) => {
        asked.push(address ?? '');
        const { scalar } = { scalar: address === 'key' ? 'b' : `value of ${address}` };
        const base = {
          kind: 'scalar' as const,
          list: null,
          map: null,
          keyStart: -1,
          keyEnd: -1,
          dynamic: false,
          site: at,
        };
        return {
          pending: Promise.resolve({
            node: { ...base, scalar, source: at.source, start: -1, end: -1, taint: `\${${shown}}` },
          }),
        };
      },
    };
    const problemsFound = createProblems();
    const root = parseText(
      sourceText('/p/s.yml', 's.yml', 'a: ${slow:a}\nb: x-${slow:${slow:key}}\nc: ${self:a}\n'),
      problemsFound,
    )!;
    const { root: resolved } = await resolveAll({
      root,
      dir: '/p',
      cwd: '/p',
      stage: 'dev',
      options: {},
      params: {},
      env: {},
      instanceId: () => 'i',
      problems: problemsFound,
      files: new Map(),
      sources: [...builtInSources, slow],
    });
    assert.equal(problemsFound.errors, 0);
    assert.deepEqual(toJson(resolved), { a: 'value of a', b: 'x-value of b', c: 'value of a' });
    assert.deepEqual(toJson(resolved, maskScalar), {
      a: '${slow:a}',
      b: 'x-${slow:${slow:key}}',
      c: '${slow:a}',
    });
    assert.deepEqual([...new Set(asked)], ['a', 'key', 'b']);
  });
});
