import assert from 'node:assert/strict';
import fc from 'fast-check';
import { dump } from 'js-yaml';
import { describe, it } from 'mocha';
import { resolveAll } from '../../src/config/interpolate.js';
import {
  child,
  keySpan,
  type Node,
  nodeAt,
  pointerOf,
  segments,
  toJson,
  valueSpan,
} from '../../src/config/node.js';
import { createProblems } from '../../src/config/problems.js';
import { parseText } from '../../src/config/read.js';
import { builtInSources } from '../../src/config/sources/index.js';
import { positionOf, sourceText } from '../../src/config/text.js';
import { parseTemplate } from '../../src/config/variables.js';
import type { Json } from '../../src/json.js';

const key = fc.oneof(
  fc.constantFrom('constructor', 'toString', 'a/b', 'a~b', 'x y', '', '0', 'null', 'é'),
  fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_-]{0,8}$/),
);
const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom(
    'true',
    '1',
    '~',
    '0x1',
    '- a',
    '#x',
    "it's",
    'a: b',
    '${AWS::Region}',
    '${Name}',
    'a\nb\n',
    '!Ref',
  ),
);
const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    text.filter(
      (value) =>
        !/\$\{[a-z]|\\\$|[\ud800-\udfff\u0000-\u0008\u000e-\u001f\u007f-\u009f\ufffd-\uffff]/.test(value),
    ),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(key, tie('json'), { maxKeys: 4 }),
  ),
}));
const document = fc.dictionary(key, json, { maxKeys: 5 }).filter((value) => Object.keys(value).length > 0);

const written = fc.tuple(document, fc.constantFrom('block', 'flow', 'json', 'crlf')).map(([value, style]) => {
  if (style === 'json') return { value, text: JSON.stringify(value, null, 2) };
  const yaml = dump(value, { noRefs: true, flowLevel: style === 'flow' ? 1 : -1 });
  return { value, text: style === 'crlf' ? yaml.replaceAll('\n', '\r\n') : yaml };
});

function read(yaml: string): Node {
  const problems = createProblems();
  const root = parseText(sourceText('/p/s.yml', 's.yml', yaml), problems);
  assert.deepEqual(problems.list(), []);
  return root!;
}

function nodes(node: Node, pointer = ''): [pointer: string, node: Node][] {
  const keys = node.map ? [...node.map.keys()] : (node.list ?? []).map((_, index) => String(index));
  return [[pointer, node], ...keys.flatMap((one) => nodes(child(node, one)!, pointer + pointerOf(one)))];
}

describe('laws of reading', () => {
  it('a value that is written is read again', () => {
    fc.assert(
      fc.property(written, ({ value, text: yaml }) =>
        assert.deepEqual(toJson(read(yaml)), JSON.parse(JSON.stringify(value))),
      ),
      { numRuns: 300 },
    );
  });

  it('every place points at the text of its key and value', () => {
    fc.assert(
      fc.property(written, ({ text: yaml }) => {
        const root = read(yaml);
        const lines = yaml.split(/\r\n|\n/);
        for (const [pointer, node] of nodes(root)) {
          assert.equal(nodeAt(root, pointer), node);
          const span = valueSpan(node);
          const at = positionOf(span);
          assert.ok(at.line <= lines.length);
          if (typeof node.scalar === 'number' || typeof node.scalar === 'boolean') {
            assert.equal(
              lines[at.line - 1]!.slice(at.column - 1, at.column - 1 + at.length!),
              String(node.scalar),
            );
          }
          const name = segments(pointer).pop();
          if (name !== undefined && node.keyStart >= 0 && /^[a-z]+$/i.test(name)) {
            const place = positionOf(keySpan(node));
            assert.equal(
              lines[place.line - 1]!.slice(place.column - 1, place.column - 1 + place.length!),
              name,
            );
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('pointers keep their segments', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), (path) =>
        assert.deepEqual(segments(pointerOf(...path)), path),
      ),
    );
  });

  it('no text makes the reader fail otherwise than with a diagnostic', () => {
    const soup = fc.string({
      unit: fc.constantFrom(
        'a',
        ':',
        ' ',
        '\n',
        '-',
        '[',
        ']',
        '{',
        '}',
        '&',
        '*',
        '!',
        '|',
        '>',
        '"',
        "'",
        '#',
        '\t',
        '<',
        ',',
        '?',
        '%',
        '\r',
        '\u{1f600}',
      ),
      maxLength: 60,
    });
    fc.assert(
      fc.property(soup, (yaml) => {
        const problems = createProblems();
        const root = parseText(sourceText('/p/s.yml', 's.yml', yaml), problems);
        assert.equal(root === undefined, problems.list().length === 1);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('laws of variables', () => {
  const resolve = async (root: Node, env = {}) => {
    const problems = createProblems();
    const { root: resolved } = await resolveAll({
      root,
      dir: '/p',
      cwd: '/p',
      stage: 'dev',
      options: {},
      params: {},
      env,
      instanceId: () => 'i',
      problems,
      files: new Map(),
      sources: builtInSources,
    });
    return { resolved, problems: problems.list() };
  };

  it('a file without variables stays as it is', async () => {
    await fc.assert(
      fc.asyncProperty(written, async ({ value, text: yaml }) => {
        const { resolved, problems } = await resolve(read(yaml));
        assert.deepEqual(problems, []);
        assert.deepEqual(toJson(resolved), JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 150 },
    );
  });

  it('a value through any number of references stays the same', async () => {
    await fc.assert(
      fc.asyncProperty(json, fc.integer({ min: 1, max: 30 }), async (value, hops) => {
        const chain = Object.fromEntries(
          Array.from({ length: hops }, (_, i) => [`v${i + 1}`, `\${self:v${i}, null}`]),
        );
        const { resolved, problems } = await resolve(read(JSON.stringify({ ...chain, v0: value })));
        assert.deepEqual(problems, []);
        assert.deepEqual(
          (toJson(resolved) as Record<string, Json>)[`v${hops}`],
          JSON.parse(JSON.stringify(value)),
        );
      }),
      { numRuns: 100 },
    );
  });

  it('a value of the environment is never read as a variable again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), async (value) => {
        const { resolved } = await resolve(read('a: ${env:X}\nb: x${env:X}\n'), { X: `${value}\${self:a}` });
        assert.deepEqual(toJson(resolved), { a: `${value}\${self:a}`, b: `x${value}\${self:a}` });
      }),
    );
  });

  it('no text makes the parser of variables fail otherwise than with a fault in it', () => {
    const soup = fc.string({
      unit: fc.constantFrom(
        '${',
        '}',
        'self',
        ':',
        '(',
        ')',
        ',',
        "'",
        '"',
        ' ',
        'a',
        '\\',
        '$',
        '{',
        '.',
        '1',
      ),
      maxLength: 25,
    });
    fc.assert(
      fc.property(soup, (value) => {
        const { template, fault } = parseTemplate(value);
        if (fault) assert.ok(fault.start >= 0 && fault.start < fault.end && fault.end <= value.length);
        else if (template.every((part) => typeof part === 'string'))
          assert.equal(template.join(''), value.replaceAll('\\${', '${'));
      }),
      { numRuns: 2000 },
    );
  });
});
