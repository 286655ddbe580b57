import assert from 'node:assert/strict';
import type { Json } from '@sfx-deploy/core';
import fc from 'fast-check';
import { load } from 'js-yaml';
import { describe, it } from 'mocha';
import { commands } from '../../src/commands/index.js';
import { engineLines, stoppedLines } from '../../src/render/engine.js';
import { commandHelpLines, helpLines } from '../../src/render/help.js';
import { plainLook } from '../../src/render/look.js';
import { age, clip, columns, harmless, seconds, size, timed, wrap } from '../../src/render/text.js';
import { toYaml } from '../../src/render/yaml.js';

describe('text', () => {
  it('says times, ages and sizes in the unit that fits', () => {
    assert.deepEqual([0, 49, 600, 59_940, 60_000, 125_000].map(seconds), [
      '0.0 s',
      '0.0 s',
      '0.6 s',
      '59.9 s',
      '1 min 0 s',
      '2 min 5 s',
    ]);
    assert.deepEqual([0, 40_000, 360_000, 3 * 3_600_000, 48 * 3_600_000].map(age), [
      'now',
      '40 s',
      '6 min',
      '3 h',
      '2 days',
    ]);
    assert.deepEqual([999, 415_000, 2_300_000].map(size), ['999 B', '415 KB', '2.3 MB']);
  });

  it('keeps times at column 72, also beside colours, and leaves out what took no time', () => {
    assert.equal(timed('ok', 600, plainLook).length, 72);
    assert.equal(timed('\u001b[32mok\u001b[39m', 600, plainLook).replace(/\u001b\[\d+m/g, '').length, 72);
    assert.equal(timed('ok', 10, plainLook), 'ok');
    assert.match(timed('x'.repeat(80), 600, plainLook), /x {2}0\.6 s$/);
  });

  it('wraps without losing or splitting a word', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z]{1,30}$/), { minLength: 1 }),
        fc.integer({ min: 1, max: 40 }),
        (words, room) => {
          const lines = wrap(words.join(' '), room);
          assert.equal(lines.join(' '), words.join(' '));
          assert.ok(lines.every((line) => line.length <= room || !line.includes(' ')));
        },
      ),
    );
  });

  it('shows control characters of others instead of obeying them', () => {
    assert.equal(harmless('a\u001b[2Kb\rc\td'), 'a\\x1b[2Kb\\x0dc\td');
  });

  it('cuts a line at what is seen of it', () => {
    assert.equal(clip('abcdef', 6), 'abcdef');
    assert.equal(clip('abcdefg', 6), 'abcde…');
    assert.equal(clip('\u001b[1mabcdefg\u001b[22m h', 6), '\u001b[1mabcde\u001b[22m…');
  });

  it('aligns columns by what is seen', () => {
    assert.deepEqual(
      columns([
        ['\u001b[1ma\u001b[22m', 'b'],
        ['ccc', 'd'],
      ]),
      ['\u001b[1ma\u001b[22m    b', 'ccc  d'],
    );
  });
});

describe('YAML', () => {
  it('reads back as what it was made of', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = JSON.parse(JSON.stringify(value)) as Json;
        assert.deepEqual(JSON.parse(JSON.stringify(load(toYaml(json)))), json);
      }),
      { numRuns: 300 },
    );
  });

  it('quotes what YAML would read as something else', () => {
    assert.equal(
      toYaml({ a: 'true', b: '1', c: 'GET /x/{id}', d: 'src/list.get', e: [], f: [{ g: null }] }),
      'a: "true"\nb: "1"\nc: "GET /x/{id}"\nd: src/list.get\ne: []\nf:\n  - g: null\n',
    );
  });
});

describe('help', () => {
  it('fits 80 columns and names every command', () => {
    const all = helpLines(commands, '0.1.0', plainLook);
    for (const command of commands)
      assert.ok(
        all.some((line) => line.startsWith(`  ${command.name} `)),
        command.name,
      );
    for (const line of [...all, ...commands.flatMap((command) => commandHelpLines(command, plainLook))]) {
      assert.ok(line.length <= 80, line);
    }
  });
});

describe('the local engine on the screen', () => {
  const services = [
    { service: 'shop', stage: 'dev', url: 'http://127.0.0.1:4101', functions: ['a', 'b'], versions: 3 },
  ];

  it('is shown with its home and what it serves', () => {
    assert.deepEqual(
      engineLines({ running: true, pid: 7, url: 'http://127.0.0.1:4100', home: '/h', services }, plainLook),
      [
        'local engine running, pid 7, http://127.0.0.1:4100',
        '  home       /h',
        '',
        '  shop · dev  2 functions  3 versions  http://127.0.0.1:4101',
      ],
    );
  });

  it('says what it leaves when it stops', () => {
    assert.deepEqual(stoppedLines({ stopped: true, home: '/h', services }, plainLook).slice(0, 2), [
      'Stopped. 1 stage comes back with the next start.',
      '  leaves     /h',
    ]);
    assert.equal(
      stoppedLines({ stopped: false, home: '/h', services: [] }, plainLook)[0],
      'No engine was running.',
    );
  });
});
