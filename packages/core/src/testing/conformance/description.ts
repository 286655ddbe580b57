import assert from 'node:assert/strict';
import { canonical } from '../../json.js';
import type { Ir } from '../../provider/contract.js';
import { type Case, notApplicable } from './bench.js';

function isPlain(value: unknown): void {
  assert.deepEqual(JSON.parse(JSON.stringify(value)), value, 'JSON and nothing else');
}

function fits(ir: Ir, can: { readonly unit: string; readonly alias: string }): void {
  const units = new Set(ir.units.map((unit) => unit.id));
  const covered = ir.aliases.flatMap((alias) => alias.units);
  assert.deepEqual([...covered].sort(), [...units].sort(), 'every unit has one alias');
  if (can.unit === 'function') for (const unit of ir.units) assert.equal(unit.functions.length, 1, unit.id);
  if (can.alias === 'unit') for (const alias of ir.aliases) assert.equal(alias.units.length, 1, alias.id);
  if (can.alias === 'service') assert.ok(ir.aliases.length <= 1, 'one alias for the whole service');
  for (const trigger of ir.triggers) {
    const alias = ir.aliases.find((one) => one.id === trigger.alias);
    assert.ok(alias !== undefined, `${trigger.id} points at an alias`);
    const unit = ir.units.find(
      (one) => alias.units.includes(one.id) && one.functions.includes(trigger.function),
    );
    assert.ok(unit !== undefined, `${trigger.id} points at a function of its alias`);
  }
  const ids = [...ir.infra, ...ir.triggers].map((resource) => `${resource.kind} ${resource.id}`);
  assert.equal(new Set(ids).size, ids.length, 'ids are unique');
}

export const descriptionCases: readonly Case[] = [
  {
    name: 'a provider says its name, its contract version and its schema',
    async test({ options: { provider } }) {
      assert.match(provider.name, /^[a-z][a-z0-9-]*$/);
      assert.equal(provider.apiVersion, 0);
      isPlain(provider.schema);
      isPlain(provider.documented);
    },
  },
  {
    name: 'what is probed is no more than what is documented, and of the same kind',
    async test(bench) {
      const { documented } = bench.options.provider;
      const { capabilities: probed, ...connection } = (await bench.open()).connection;
      assert.equal(probed.unit, documented.unit);
      assert.equal(probed.alias, documented.alias);
      assert.ok(probed.split.targets <= documented.split.targets);
      assert.ok(probed.writesPerSecond > 0);
      assert.equal(100 % probed.split.step, 0, 'steps add up to 100 %');
      assert.ok(probed.seats === null || probed.seats >= probed.split.targets);
      assert.equal(connection.metrics !== undefined, probed.metricsByVersion);
      for (const kind of probed.triggers) assert.ok(documented.triggers.includes(kind), kind);
    },
  },
  {
    name: 'a connection says where it goes',
    async test(bench) {
      assert.notEqual((await bench.open()).connection.identity.where, '');
    },
  },
  {
    name: 'compile is pure: the same input, the same JSON, and nothing but JSON',
    async test({ options: { provider, service } }) {
      if (service === undefined) throw notApplicable('no service to compile');
      const before = canonical({ ...service, at: null });
      const ir = provider.compile(service, service.provider.options, provider.documented);
      isPlain(ir);
      assert.equal(
        canonical(provider.compile(service, service.provider.options, provider.documented)),
        canonical(ir),
      );
      assert.equal(canonical({ ...service, at: null }), before, 'the service is left as it was');
      fits(ir, provider.documented);
    },
  },
  {
    name: 'the IR fits the capabilities',
    async test(bench) {
      for (const variant of ['a', 'b', 'config'] as const) {
        const ir = bench.options.ir(variant);
        isPlain(ir);
        fits(ir, (await bench.open()).connection.capabilities);
      }
    },
  },
  {
    name: 'metrics of a version that nobody called are none, or zero requests',
    async test(bench) {
      const opened = await bench.open();
      const { metrics } = opened.connection;
      if (metrics === undefined) throw notApplicable('no metrics by version');
      for (const version of Object.values(await bench.stage(opened, 'a'))) {
        const known = await metrics(version, new Date(0), new Date(8.64e15));
        assert.ok(known === undefined || known.requests === 0);
      }
    },
  },
];
