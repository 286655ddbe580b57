import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Intent } from '../../src/plan/intent.js';
import { onlyFunctions } from '../../src/release/only.js';
import { shapes } from '../../src/testing/index.js';
import { act, type Bench, bench, intentOf, servedNow, service, siteOf } from './harness.js';
import { refused, stage } from './plan-stage.js';
import { digestIn } from './support.js';

describe('one function alone', () => {
  const only = async (b: Bench, next: Intent, names: string[]): Promise<Intent> => {
    const found = await onlyFunctions(
      await b.context(b.run()),
      'memory',
      next.irs['memory']!,
      names,
      shapes.lambda,
    );
    const built = Object.fromEntries(
      found.build.map((unit) => [`memory/${unit.id}`, next.artifacts[`memory/${unit.id}`]!]),
    );
    return { ...next, irs: { memory: found.ir }, artifacts: { ...found.artifacts, ...built } };
  };

  it('is a whole release in which the others keep their versions', async () => {
    const { b, two } = await stage();
    const one = intentOf(b.sites, service('one'));
    const outcome = await b.deploy(b.run(), await only(b, two, ['list']));
    assert.deepEqual([outcome.ending, outcome.release?.number], ['live', 2]);
    const served = servedNow(b);
    assert.deepEqual(Object.keys(served['memory GET /products']!), [digestIn(two, 'list')]);
    assert.deepEqual(Object.keys(served['memory POST /orders']!), [digestIn(one, 'checkout')]);
    await act.rollback(b, b.run());
    assert.deepEqual(Object.keys(servedNow(b)['memory GET /products']!), [digestIn(one, 'list')]);
  });

  it("brings its new triggers along and nobody else's", async () => {
    const { b } = await stage();
    const next = intentOf(
      b.sites,
      service('two', {
        functions: {
          list: { code: 'list two', routes: ['GET /products', 'GET /all'] },
          more: { code: 'more', routes: ['GET /more'] },
        },
      }),
    );
    await b.deploy(b.run(), await only(b, next, ['list']));
    assert.deepEqual(Object.keys(servedNow(b)).sort(), [
      'memory GET /all',
      'memory GET /products',
      'memory POST /orders',
      'memory orders',
    ]);
    await b.deploy(b.run(), await only(b, next, ['more']));
    assert.ok('memory GET /more' in servedNow(b));
  });

  it('takes a trigger over that moves to it', async () => {
    const { b } = await stage();
    const next = intentOf(b.sites, {
      functions: {
        ...service('two').functions,
        list: { code: 'list two' },
        catalog: { code: 'catalog', routes: ['GET /products'] },
      },
    });
    await b.deploy(b.run(), await only(b, next, ['catalog']));
    assert.deepEqual(Object.keys(servedNow(b)['memory GET /products']!), [digestIn(next, 'catalog')]);
  });

  it('must be there (SFX4117), on a provider that versions functions (SFX3005)', async () => {
    const { b, two } = await stage();
    await refused(b, () => only(b, two, ['nobody']), 'SFX4117', /There are: checkout, list, worker/);
    const app = await stage('slots');
    await refused(
      app.b,
      async (run) =>
        onlyFunctions(await app.b.context(run), 'memory', app.two.irs['memory']!, ['list'], shapes.slots),
      'SFX3005',
    );
  });

  it('can be the first release', async () => {
    const b = bench([siteOf('lambda')]);
    const intent = intentOf(b.sites, service('one'));
    const outcome = await b.deploy(b.run(), await only(b, intent, ['list']));
    assert.equal(outcome.ending, 'live');
    assert.deepEqual(Object.keys(servedNow(b)), ['memory GET /products']);
  });
});
