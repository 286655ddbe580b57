import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { loadConfig } from '../../src/config/index.js';
import { inProject, lines, load, problems, refusal, runWith, service } from './project.js';

const custom = async (text: string): Promise<unknown> => {
  const { document } = await load(service(`custom:\n${text}`));
  return (document as { custom: unknown }).custom;
};

describe('reading a configuration', () => {
  it('finds serverless.yml, .yaml or .json where the command runs', async () => {
    const { 'serverless.yml': text, ...rest } = service('');
    assert.equal((await load({ 'serverless.yaml': text!, ...rest })).service.name, 'shop');
    const json = JSON.stringify(
      { service: 'shop', provider: { name: 'local' }, functions: { list: { handler: 'list.get' } } },
      null,
      '\t',
    );
    assert.equal((await load({ 'serverless.json': json, ...rest })).service.functions[0]?.name, 'list');
  });

  it('says when there is no file, and names the one that was likely meant', async () => {
    assert.equal((await refusal({})).code, 'SFX1004');
    const error = await refusal({ 'serverles.yml': '' });
    assert.match(error.message, /did you mean serverles\.yml\?/);
    const named = await refusal({ 'prod.yml': '' }, { file: 'prd.yml' });
    assert.equal(named.code, 'SFX1004');
    assert.match(named.message, /prd\.yml; did you mean prod\.yml\?/);
    assert.match((await refusal({ 'serverless.ts': '' })).message, /is code/);
  });

  it('shows files relative to where the command runs', async () => {
    const files = { 'api/serverless.yml': 'service: shop\nprovider: {name: local}\nfunction: {}\n' };
    assert.deepEqual(await lines(files, { file: 'api/serverless.yml' }), [
      'SFX2201 api/serverless.yml:3:1 function is not a key of the file; did you mean functions?',
    ]);
  });

  it('takes anchors, aliases and merge keys', async () => {
    assert.deepEqual(
      await custom(
        '  a: &a {x: 1, y: 2}\n  b: *a\n  c:\n    <<: *a\n    y: 3\n  d:\n    y: 4\n    <<: [*a, {z: 5}]\n',
      ),
      {
        a: { x: 1, y: 2 },
        b: { x: 1, y: 2 },
        c: { x: 1, y: 3 },
        d: { y: 4, x: 1, z: 5 },
      },
    );
  });

  it('reads the short forms of CloudFormation', async () => {
    const text =
      '  a: !Ref T\n  b: !GetAtt T.Arn\n  c: !Sub "${AWS::Region}-x"\n  d: !If [c, !Ref A, !Ref B]\n  e: !Join\n    - ","\n    - [a, b]\n';
    assert.deepEqual(await custom(text), {
      a: { Ref: 'T' },
      b: { 'Fn::GetAtt': ['T', 'Arn'] },
      c: { 'Fn::Sub': '${AWS::Region}-x' },
      d: { 'Fn::If': ['c', { Ref: 'A' }, { Ref: 'B' }] },
      e: { 'Fn::Join': [',', ['a', 'b']] },
    });
  });

  it('reads scalars by the core schema, and keeps digits that a number would lose', async () => {
    const text = '  a: [1, 0x10, 1.5, true, ~, no, 2012-10-17, "1", 12345678901234567890, 1e3, .5, -7]\n';
    assert.deepEqual(await custom(text), {
      a: [1, 16, 1.5, true, null, 'no', '2012-10-17', '1', '12345678901234567890', 1000, 0.5, -7],
    });
  });

  it('takes a byte order mark and line ends of Windows, and counts lines and columns as an editor does', async () => {
    const text = '\ufeffservice: shop\r\nprovider:\r\n  name: local\r\nfunctoins: {}\r\n';
    const [problem] = await problems(text);
    assert.deepEqual(problem?.at, { file: 'serverless.yml', line: 4, column: 1, length: 9 });
    assert.equal(
      problem?.frame,
      [
        '  3 |   name: local',
        '  4 | functoins: {}',
        '    | ^^^^^^^^^ unknown key; did you mean functions?',
      ].join('\n'),
    );
  });

  it('keeps names such as constructor and toString as plain keys', async () => {
    assert.deepEqual(await custom('  constructor: 1\n  toString: 2\n  hasOwnProperty: 3\n'), {
      constructor: 1,
      toString: 2,
      hasOwnProperty: 3,
    });
    assert.match((await lines(service('constructor: 1\n')))[0]!, /^SFX2201 .* constructor is not a key/);
  });

  it('refuses __proto__, however it is written, and changes no prototype', async () => {
    for (const text of ['  __proto__: {x: 1}\n', '  "__proto__": {x: 1}\n', '  a: {__proto__: {x: 1}}\n']) {
      assert.match((await lines(service(`custom:\n${text}`)))[0]!, /^SFX2001 .*__proto__ is not allowed/);
    }
    assert.equal(({} as Record<string, unknown>)['x'], undefined);
  });
});

describe('YAML that is wrong', () => {
  const wrong: readonly [what: string, text: string | Uint8Array, expected: RegExp][] = [
    [
      'a key twice',
      'service: a\nservice: b\n',
      /^SFX2001 serverless.yml:2:1 the key service is written twice/,
    ],
    ['a tab', 'service: a\nprovider:\n\tname: local\n', /^SFX2001 serverless.yml:3:1 a tab cannot indent/],
    ['an open bracket', 'service: [a\n', /^SFX2001 serverless.yml:\d:\d+ /],
    ['an open quote', 'service: "a\n', /^SFX2001 .* a quote or bracket that was opened is not closed/],
    ['a line without a colon', 'service: a\nprovider\n', /^SFX2001 serverless.yml:[23]:\d+ /],
    ['wrong indentation', 'service: a\n  provider: x\n', /^SFX2001 serverless.yml:2:\d+ /],
    ['two documents', 'service: a\n---\nservice: b\n', /^SFX2001 serverless.yml:2:1 a second document/],
    ['nothing', '', /^SFX2001 serverless.yml:1:1 the file is empty/],
    ['only comments', '# nothing\n', /^SFX2001 .* the file is empty/],
    ['a list', '- a\n', /^SFX2001 .* must be a mapping/],
    [
      'an unknown tag',
      'service: !Reff x\n',
      /^SFX2001 serverless.yml:1:10 the tag !Reff is not known; did you mean !Ref\?/,
    ],
    [
      'an unknown alias',
      'a: &shared 1\nb: *sharde\n',
      /^SFX2001 serverless.yml:2:4 no anchor &sharde .* did you mean shared\?/,
    ],
    ['an anchor in itself', 'a: &a [*a]\n', /^SFX2001 .* would hold itself/],
    ['a merge of a scalar', 'a:\n  <<: x\n', /^SFX2001 serverless.yml:2:3 '<<' takes a mapping/],
    ['a key that is a list', '[a, b]: c\n', /^SFX2001 .* a key must be text/],
    ['a null byte', 'service: a\0b\n', /^SFX2001 .* null byte/],
    [
      'deep nesting',
      `a: ${'['.repeat(150)}${']'.repeat(150)}\n`,
      /^SFX2001 .* nested deeper than 100 levels/,
    ],
    [
      'bytes that are not UTF-8',
      Buffer.from([0x61, 0x3a, 0x20, 0xff, 0x0a]),
      /^SFX2001 serverless.yml:1:4 the file is not UTF-8/,
    ],
  ];
  for (const [what, text, expected] of wrong) {
    it(`${what} is refused at its place`, async () => {
      const [first] = await lines({ 'serverless.yml': text });
      assert.match(first ?? '', expected);
    });
  }

  it('an alias bomb is refused before it is built', async () => {
    const levels = Array.from(
      { length: 12 },
      (_, i) => `  l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(', ')}]`,
    );
    const text = `service: a\ncustom:\n  l0: &l0 [x]\n${levels.join('\n')}\n`;
    assert.match((await lines(text))[0]!, /^SFX2001 .* aliases make this file larger/);
  });

  it('a bomb of variables is refused before it is built', async () => {
    const levels = Array.from(
      { length: 12 },
      (_, i) => `  l${i + 1}: [${Array(9).fill(`'\${self:custom.l${i}}'`).join(', ')}]`,
    );
    assert.match((await lines(service(`custom:\n  l0: [x]\n${levels.join('\n')}\n`)))[0]!, /^SFX2109 /);
    const texts = Array.from(
      { length: 30 },
      (_, i) => `  t${i + 1}: '\${self:custom.t${i}}\${self:custom.t${i}}'`,
    );
    assert.match((await lines(service(`custom:\n  t0: xxxx\n${texts.join('\n')}\n`)))[0]!, /^SFX2109 /);
  });

  it('a file over 10 MB, in UTF-16, or that is a folder is refused without being read as YAML', async () => {
    assert.match(
      (await refusal({ 'serverless.yml': `# ${'x'.repeat(11 * 1024 * 1024)}` })).message,
      /larger than 10 MB/,
    );
    assert.match(
      (await refusal({ 'serverless.yml': Buffer.from('\ufeffa: b', 'utf16le') })).message,
      /UTF-16/,
    );
    await inProject({ 'serverless.yml/x': '' }, async (dir) => {
      await assert.rejects(loadConfig({ cwd: dir, options: {}, params: {} }, runWith()), /is a folder/);
    });
  });
});
