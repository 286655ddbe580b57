import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { act, bench, canary, intentOf, service, siteOf } from './harness.js';

describe('the status of a stage', () => {
  it('shows calls and errors of each version by its own digest', async () => {
    const b = bench([siteOf('lambda')]);
    const first = intentOf(b.sites, service('one'));
    const second = intentOf(b.sites, service('two'), { rollout: canary(10) });
    await b.deploy(b.run(), first);
    const opened = await b.deploy(b.run(), second);
    assert.equal(opened.ending, 'canary');
    const digestOf = async (n: number) =>
      (await (await b.context(b.run())).state.readRelease(n)).units['memory/list']!;
    b.hands().setMetrics(await digestOf(1), { requests: 90, errors: 1, p95Ms: 20 });
    b.hands().setMetrics(await digestOf(2), { requests: 10, errors: 5, p95Ms: 30 });
    const status = await act.status(b, b.run());
    const list = status.units.find((unit) => unit.name === 'list')!;
    assert.deepEqual(list.metrics, {
      stable: { requests: 90, errors: 1, p95Ms: 20 },
      candidate: { requests: 10, errors: 5, p95Ms: 30 },
    });
    assert.deepEqual([status.candidate?.release, status.candidate?.percent], [2, 10]);
    assert.deepEqual(status.drift, []);
  });

  it('reads, and writes nothing', async () => {
    const b = bench([siteOf('local')]);
    await b.deploy(b.run(), intentOf(b.sites, service('one')));
    const before = JSON.stringify(b.world.read());
    const run = b.run();
    await act.status(b, run);
    assert.equal(JSON.stringify(b.world.read()), before);
    assert.deepEqual(
      run.calls.filter((call) => call.writes),
      [],
    );
  });

  it('names an alias that somebody moved', async () => {
    const b = bench([siteOf('lambda')]);
    await b.deploy(b.run(), intentOf(b.sites, service('one')));
    const one = (await act.status(b, b.run())).units.find((unit) => unit.name === 'list')!.stable;
    await b.deploy(b.run(), intentOf(b.sites, service('two')));
    b.hands().moveAlias('list', { list: { stable: one } });
    const { drift } = await act.status(b, b.run());
    assert.deepEqual(drift, [{ alias: 'memory/list', table: { list: { stable: one } } }]);
  });
});
