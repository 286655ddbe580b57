import assert from 'node:assert/strict';
import { isSfxError } from '@sfx-deploy/core';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { commands } from '../src/commands/index.js';
import { optionsOf } from '../src/commands/options.js';
import { sinceOf } from '../src/commands/since.js';
import { paramsOf } from '../src/context.js';
import { type Invocation, parse } from '../src/parse.js';

function run(...words: string[]): Extract<Invocation, { kind: 'run' }> {
  const invocation = parse(words, commands);
  assert.equal(invocation.kind, 'run');
  return invocation as Extract<Invocation, { kind: 'run' }>;
}

function refusal(...words: string[]): {
  code: string;
  message: string;
  ways?: readonly { command: string }[];
} {
  try {
    parse(words, commands);
  } catch (error) {
    assert.ok(isSfxError(error), String(error));
    return {
      code: error.code,
      message: error.message,
      ...(error.details.ways ? { ways: error.details.ways } : {}),
    };
  }
  return assert.fail(`${words.join(' ')} was accepted`);
}

describe('the words of a command line', () => {
  it('name a command with its options, before and after it', () => {
    const { command, given } = run(
      '--stage',
      'prod',
      'deploy',
      '--canary',
      '5',
      '-f',
      'a',
      '-f',
      'b',
      '--param',
      'k=v=w',
      '--yes',
    );
    assert.equal(command.name, 'deploy');
    assert.equal(given.text('stage'), 'prod');
    assert.equal(given.number('canary'), 5);
    assert.deepEqual(given.list('function'), ['a', 'b']);
    assert.deepEqual(given.list('param'), ['k=v=w']);
    assert.equal(given.flag('yes'), true);
    assert.equal(given.flag('force'), false);
  });

  it('understand the letters of Serverless Framework', () => {
    const { given } = run('status', '-s', 'prod', '-r', 'eu-west-1', '-c', 'a.yml', '--aws-profile', 'work');
    assert.deepEqual(given.all(), {
      stage: 'prod',
      region: 'eu-west-1',
      config: 'a.yml',
      'aws-profile': 'work',
    });
  });

  it('keep text that looks like a number as it was written', () => {
    assert.deepEqual(run('rollback', '007').positionals, ['007']);
    assert.equal(run('deploy', '--tag', '1.10').given.text('tag'), '1.10');
  });

  it('take ~n, digests and tags as the release to go back to', () => {
    for (const to of ['42', '~2', '9f3c1ab', 'v1']) assert.deepEqual(run('rollback', to).positionals, [to]);
  });

  it('let `info` mean status and `deploy list` mean releases', () => {
    assert.equal(run('info', '-s', 'prod').command.name, 'status');
    assert.equal(run('deploy', 'list', '-s', 'prod').command.name, 'releases');
  });

  it('read -f as follow in logs and as a function elsewhere', () => {
    const { given, positionals } = run('logs', '-f', 'list');
    assert.equal(given.flag('follow'), true);
    assert.deepEqual(positionals, ['list']);
    assert.equal(run('invoke', '-f', 'list').given.text('function'), 'list');
  });

  it('ask for help anywhere', () => {
    assert.deepEqual(parse([], commands), { kind: 'help' });
    assert.deepEqual(parse(['--help'], commands), { kind: 'help' });
    for (const words of [
      ['deploy', '--help'],
      ['deploy', '-h'],
      ['--help', 'deploy'],
      ['help', 'deploy'],
      ['deploy', '--wrong', '--help'],
    ]) {
      const invocation = parse(words, commands);
      assert.equal(invocation.kind === 'help' && invocation.command?.name, 'deploy', words.join(' '));
    }
  });
});

describe('a mistyped command line', () => {
  it('is answered with the nearest name', () => {
    assert.deepEqual(refusal('delpoy'), {
      code: 'SFX1001',
      message: 'sfx has no command `delpoy`; did you mean `deploy`?',
    });
    assert.match(
      refusal('deploy', '--canari', '5').message,
      /no option `--canari`; did you mean `--canary`\?/,
    );
    assert.match(refusal('deploy', '--stag=x').message, /did you mean `--stage`\?/);
    assert.match(refusal('local', 'strat').message, /did you mean `start`\?/);
  });

  it('never guesses what a stray word meant', () => {
    assert.equal(refusal('deploy', 'prod').code, 'SFX1001');
    assert.equal(refusal('status', '--', 'x').code, 'SFX1001');
    assert.equal(refusal('--wrong').code, 'SFX1001');
    assert.equal(refusal('explain', '-z').code, 'SFX1001');
  });

  it('is refused where a value is missing, doubled or wrong', () => {
    for (const words of [
      ['deploy', '--canary'],
      ['deploy', '--canary', '0'],
      ['deploy', '--canary', '100'],
      ['deploy', '--canary', '5.5'],
      ['deploy', '--canary', '-5'],
      ['deploy', '--canary', 'five'],
      ['deploy', '--stage', '--yes'],
      ['deploy', '--stage', ''],
      ['deploy', '--stage', 'a', '--stage', 'b'],
      ['deploy', '--on-interrupted', 'forwards'],
      ['deploy', '--param'],
      ['deploy', '--wait', '1e9'],
      ['print', '--format', 'toml'],
      ['init'],
      ['local'],
    ]) {
      assert.equal(refusal(...words).code, 'SFX1002', words.join(' '));
    }
  });

  it('never breaks sfx, whatever it is', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'deploy',
        'logs',
        '--stage',
        '--json',
        '--',
        '-',
        '-s',
        '--no-json',
        '--canary=5',
        '__proto__',
        '--__proto__',
        'constructor',
      ),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (words) => {
        try {
          parse(words, commands);
        } catch (error) {
          assert.ok(isSfxError(error), String(error));
        }
      }),
      { numRuns: 400 },
    );
  });

  it('is told the way of sfx for what only Serverless Framework has', () => {
    const cases: [string[], string][] = [
      [['rollback', '-t', '1476893957131'], 'sfx rollback <release>'],
      [['rollback', '--timestamp=1476893957131'], 'sfx rollback <release>'],
      [['deploy', 'function', '-f', 'list', '-s', 'prod'], 'sfx deploy --function list -s prod'],
      [['deploy', '--package', 'x'], 'sfx deploy'],
      [['deploy', '--conceal'], 'sfx deploy'],
      [['invoke', 'local', '-f', 'x'], 'sfx deploy --provider local'],
      [['logs', '--tail'], 'sfx logs <function> --follow'],
      [['create', '-t', 'x'], 'sfx init <folder>'],
    ];
    for (const [words, command] of cases) {
      const { code, ways } = refusal(...words);
      assert.equal(code, 'SFX1005', words.join(' '));
      assert.equal(ways?.[0]?.command, command);
    }
  });
});

describe('the definitions of commands', () => {
  it('give each name and letter once', () => {
    const names = commands.flatMap((command) => [command.name, ...(command.aliases ?? [])]);
    assert.equal(new Set(names).size, names.length);
    for (const command of commands) {
      const options = optionsOf(command);
      const words = options.flatMap((option) => [option.name, ...(option.alias ? [option.alias] : [])]);
      assert.equal(new Set(words).size, words.length, command.name);
      assert.ok(command.examples.length > 0, command.name);
    }
  });

  it('have examples that parse', () => {
    for (const command of commands) {
      for (const example of command.examples) {
        const words = example.command
          .split(' | ')[0]!
          .split(' ')
          .slice(1)
          .map((word) => word.replaceAll("'", ''));
        assert.equal(run(...words).command.name, command.name, example.command);
      }
    }
  });
});

describe('values of options', () => {
  it('say since when as a duration or a date', () => {
    const now = Date.parse('2026-03-01T12:00:00Z');
    assert.equal(sinceOf('10m', now).toISOString(), '2026-03-01T11:50:00.000Z');
    assert.equal(sinceOf('1d', now).toISOString(), '2026-02-28T12:00:00.000Z');
    assert.equal(sinceOf('2026-01-01', now).toISOString(), '2026-01-01T00:00:00.000Z');
    for (const wrong of ['soon', '10', '10 m', '99999999999999999d']) {
      assert.throws(() => sinceOf(wrong, now), { code: 'SFX1002' });
    }
  });

  it('give params as key=value', () => {
    assert.deepEqual(paramsOf(['a=1', 'b=x=y', 'c=']), { a: '1', b: 'x=y', c: '' });
    assert.throws(() => paramsOf(['a']), { code: 'SFX1002' });
    assert.throws(() => paramsOf(['=a']), { code: 'SFX1002' });
  });
});
