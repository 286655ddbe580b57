import assert from 'node:assert/strict';
import { deployRelease } from '../../src/release/deploy.js';
import type { Exec, Executed } from '../../src/run.js';
import { act, bench, intentOf, service, siteOf } from './harness.js';
import { journalOf } from './support.js';

const checks = [{ name: 'whole', command: 'npm test', timeoutMs: 1000 }];
const passes: Executed = { as: 'exit', exit: 0, tail: [] };

describe('a check that runs a command', () => {
  async function deployed(ended: Executed, dir: string | null = '/service', env = {}) {
    const b = bench([siteOf('local')]);
    await b.deploy(b.run('ana'), intentOf(b.sites, service('one')));
    const ran: Exec[] = [];
    const run = b.run('ana', {
      env,
      async exec(program) {
        ran.push(program);
        return ended;
      },
    });
    const two = intentOf(b.sites, service('two'), { checks });
    const ctx = await b.context(run, { artifacts: two });
    const outcome = await deployRelease(dir === null ? ctx : { ...ctx, dir }, two, {
      waitMs: 0,
      command: 'deploy',
    });
    return { b, run, ran, outcome, two };
  }

  it('is told where the candidates answer, and of whom', async () => {
    const { ran, outcome } = await deployed(passes, '/service', { PATH: '/bin', TOKEN: 'abc' });
    assert.equal(outcome.ending, 'live', JSON.stringify(outcome.error));
    assert.equal(ran.length, 1);
    const { command, cwd, timeoutMs, env } = ran[0]!;
    assert.deepEqual([command, cwd, timeoutMs], ['npm test', '/service', 1000]);
    assert.match(env['SFX_URL']!, /^http:\/\/candidates\./);
    assert.deepEqual(
      [env['SFX_RELEASE'], env['SFX_CANDIDATE'], env['TOKEN'], env['PATH']],
      ['2', '1', 'abc', '/service/node_modules/.bin:/bin'],
    );
    assert.deepEqual(JSON.parse(env['SFX_HEADERS']!), { 'x-sfx-candidate': '1' });
    assert.ok(env['SFX_FUNCTION_CHECKOUT_VERSION']);
  });

  it('fails the release in every other ending, and its words stay out of the record', async () => {
    const endings: readonly (readonly [Executed, RegExp])[] = [
      [{ as: 'exit', exit: 3, tail: ['a secret'] }, /exit code 3/],
      [{ as: 'signal', exit: null, tail: ['a secret'] }, /was killed/],
      [{ as: 'time', exit: null, tail: ['a secret'] }, /longer than 1000 ms/],
    ];
    for (const [ended, message] of endings) {
      const { b, outcome } = await deployed(ended);
      assert.deepEqual([outcome.ending, outcome.exit, outcome.error?.code], ['failed', 1, 'SFX5002']);
      assert.match(outcome.error!.message, message);
      assert.deepEqual(outcome.error!.output, ['a secret']);
      assert.ok(!JSON.stringify(b.world.read()).includes('a secret'));
      assert.ok(!journalOf(b).some((entry) => entry.kind === 'moves' && entry.release === 2));
    }
  });

  it('that is interrupted leaves the release to resume, where its folder is', async () => {
    const { b, outcome, two } = await deployed({ as: 'interrupted', exit: null, tail: [] });
    assert.deepEqual([outcome.ending, outcome.error?.code], ['interrupted', 'SFX4120']);
    await assert.rejects(act.resume(b, b.run('bob'), two), { code: 'SFX5007' });
  });

  it('needs a folder: without one nothing is run and nothing moves (SFX5007)', async () => {
    const { b, ran, outcome } = await deployed(passes, null);
    assert.deepEqual([outcome.ending, outcome.error?.code, ran.length], ['failed', 'SFX5007', 0]);
    assert.ok(!journalOf(b).some((entry) => entry.kind === 'moves' && entry.release === 2));
  });
});
