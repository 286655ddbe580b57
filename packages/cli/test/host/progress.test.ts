import assert from 'node:assert/strict';
import type { Event } from '@sfx-deploy/core';
import { describe, it } from 'mocha';
import { createHost, type HostOptions } from '../../src/host/host.js';
import { isUnicode } from '../../src/host/surroundings.js';
import { type FakeIo, fakeIo, screen } from '../fake-io.js';

const forPeople: HostOptions = {
  json: 'no',
  verbose: false,
  debug: false,
  color: true,
  quietIdentity: false,
};

const identity: Event = {
  code: 'identity',
  service: 'shop',
  stage: 'prod',
  provider: 'aws',
  where: 'aws 1234 eu-west-1',
  as: 'role/deploy',
};
const release: Event = {
  code: 'release',
  number: 42,
  after: 41,
  git: { sha: '9f3c1ab77d01ee', subject: 'refund endpoint' },
  changed: ['checkout', 'worker'],
  total: 7,
};

function deployOn(io: FakeIo, options: Partial<HostOptions> = {}) {
  const host = createHost(io, { ...forPeople, ...options });
  host.emit(identity);
  host.emit({ code: 'step.start', step: 'build' });
  host.emit({ code: 'step.end', step: 'build', text: 'checkout, worker · 5 unchanged', ms: 600 });
  host.emit(release);
  host.emit({ code: 'step.start', step: 'stage', total: 2 });
  host.emit({ code: 'step.progress', step: 'stage', done: 1, total: 2 });
  return host;
}

describe('progress without a terminal', () => {
  it('appends each line once, who and what first, times at column 72', () => {
    const io = fakeIo();
    const host = deployOn(io);
    host.emit({ code: 'step.end', step: 'stage', text: 'checkout 18, worker 7', ms: 3200 });
    host.report(['done']);
    assert.equal(
      io.err(),
      [
        'shop · prod · aws 1234 eu-west-1 · as role/deploy',
        'release 42 after 41 · git 9f3c1ab "refund endpoint" · 2 of 7 functions change',
        '',
        '✔ build      checkout, worker · 5 unchanged                        0.6 s',
        '✔ stage      checkout 18, worker 7                                 3.2 s',
        '',
        '',
      ].join('\n'),
    );
    assert.equal(io.out(), 'done\n');
    assert.equal(io.err().split('\n')[3]!.length, 72);
  });

  it('gives one sign of life per 10 s while a step runs, and none after it', () => {
    const io = fakeIo();
    const host = deployOn(io);
    io.pass(9_999);
    assert.doesNotMatch(io.err(), /●/);
    io.pass(10_001);
    assert.deepEqual(io.err().match(/● stage.*/g), [
      '● stage      1 of 2 · since 10 s',
      '● stage      1 of 2 · since 20 s',
    ]);
    host.emit({ code: 'step.end', step: 'stage', text: 'done', ms: 20_000 });
    io.pass(60_000);
    assert.equal(io.err().match(/● stage/g)!.length, 2);
  });

  it('has no colours, no redrawn line and no spinner, also on a terminal with NO_COLOR, CI, TERM=dumb or --no-color', () => {
    const quiet = [
      fakeIo(),
      fakeIo({ terminal: true, env: { NO_COLOR: '1' } }),
      fakeIo({ terminal: true, env: { CI: 'true' } }),
      fakeIo({ terminal: true, env: { TERM: 'dumb' } }),
    ];
    for (const io of quiet) deployOn(io);
    const asked = fakeIo({ terminal: true });
    deployOn(asked, { color: false });
    for (const io of [...quiet, asked]) {
      io.pass(5_000);
      assert.doesNotMatch(io.err(), /[\u001b\r⠋]/);
    }
  });

  it('uses ASCII where the locale is not UTF-8', () => {
    const io = fakeIo({ env: { LANG: 'C' } });
    const host = deployOn(io);
    io.pass(10_000);
    host.emit({ code: 'step.fail', step: 'stage', text: 'failed', ms: 100 });
    host.settle();
    assert.match(io.err(), /^ok build/m);
    assert.match(io.err(), /^-> stage/m);
    assert.match(io.err(), /^!! stage/m);
    assert.ok([...io.err()].every((char) => char.charCodeAt(0) < 128));
  });

  it('knows the locale by LC_ALL, LC_CTYPE and LANG, in this order', () => {
    assert.equal(isUnicode({ LC_ALL: 'C', LANG: 'de_DE.UTF-8' }, 'linux'), false);
    assert.equal(isUnicode({ LC_ALL: '', LC_CTYPE: 'en_US.utf8', LANG: 'C' }, 'linux'), true);
    assert.equal(isUnicode({}, 'linux'), false);
    assert.equal(isUnicode({}, 'darwin'), true);
  });

  it('says once why it waits, and again every 10 s', () => {
    const io = fakeIo();
    const host = createHost(io, forPeople);
    for (let second = 0; second < 25; second++) {
      host.emit({ code: 'wait', why: 'held by ci run 9001', ms: 60_000 - second * 1000 });
      io.pass(1000);
    }
    assert.equal(io.err().match(/held by ci run 9001/g)!.length, 3);
  });

  it('says nothing of a step that had nothing to do', () => {
    const io = fakeIo();
    const host = createHost(io, forPeople);
    host.emit({ code: 'step.start', step: 'infra' });
    host.emit({ code: 'step.end', step: 'infra', text: '', ms: 1 });
    host.settle();
    assert.equal(io.err(), '');
  });
});

describe('progress on a terminal', () => {
  it('redraws one line per step in place, with a spinner, the counter and the time', () => {
    const io = fakeIo({ terminal: true });
    const host = deployOn(io);
    io.pass(2_000);
    const live = screen(io.err()).at(-1)!;
    assert.match(live, /^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] stage {6}1 of 2 +\d\.\d s$/);
    host.emit({ code: 'step.end', step: 'stage', text: 'checkout 18, worker 7', ms: 3200 });
    host.settle();
    const lines = screen(io.err());
    assert.deepEqual(lines.slice(0, 5), [
      'shop · prod · aws 1234 eu-west-1 · as role/deploy',
      'release 42 after 41 · git 9f3c1ab "refund endpoint" · 2 of 7 functions change',
      '',
      '✔ build      checkout, worker · 5 unchanged                        0.6 s',
      '✔ stage      checkout 18, worker 7                                 3.2 s',
    ]);
    assert.ok(lines.slice(5).every((line) => line === ''));
  });

  it('stops drawing when the step is over', () => {
    const io = fakeIo({ terminal: true });
    const host = deployOn(io);
    host.emit({ code: 'step.end', step: 'stage', text: 'done', ms: 10 });
    host.settle();
    const before = io.err();
    io.pass(10_000);
    assert.equal(io.err(), before);
  });

  it('keeps the redrawn line inside a narrow terminal', () => {
    const io = fakeIo({ terminal: true, columns: 30 });
    const host = createHost(io, forPeople);
    host.emit({
      code: 'step.start',
      step: 'triggers',
      text: 'a text that is far too long for such a terminal',
    });
    io.pass(1_000);
    assert.ok(screen(io.err()).every((line) => line.length < 30));
  });
});

describe('--json', () => {
  it('is one line per event, each with its time, and the result as the last', () => {
    const io = fakeIo();
    const host = deployOn(io, { json: 'lines' });
    host.document({ code: 'result', version: 1, exit: 0 });
    const lines = io
      .out()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      lines.map((line) => line['code']),
      ['identity', 'step.start', 'step.end', 'release', 'step.start', 'step.progress', 'result'],
    );
    assert.ok(lines.every((line) => line['time'] === '2026-03-01T12:00:00.000Z'));
    assert.equal(io.err(), '');
  });

  it('is one document and nothing else for a report', () => {
    const io = fakeIo();
    const host = deployOn(io, { json: 'document' });
    host.document({ version: 1 });
    assert.deepEqual(JSON.parse(io.out()), { version: 1 });
    assert.equal(io.err(), '');
  });
});
