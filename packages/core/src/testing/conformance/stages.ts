import assert from 'node:assert/strict';
import type { Scope } from '../../provider/contract.js';
import {
  type Bench,
  type Case,
  first,
  goLive,
  type Opened,
  setDone,
  tableOf,
  targetOf,
  type Versions,
} from './bench.js';

interface Deployed {
  readonly opened: Opened;
  readonly versions: Versions;
}

async function deploy(bench: Bench, scope: Scope): Promise<Deployed> {
  const opened = await bench.open(scope);
  const ir = bench.options.ir('a');
  const versions = await bench.stage(opened, 'a');
  await goLive(opened, ir, versions);
  for (const resource of [...ir.infra, ...ir.triggers]) {
    await opened.connection.resources[resource.kind]!.reconcile(targetOf(resource), undefined);
  }
  return { opened, versions };
}

async function isWhole(bench: Bench, { opened, versions }: Deployed): Promise<void> {
  const ir = bench.options.ir('a');
  for (const unit of ir.units) {
    const ids = (await opened.connection.versions.list(unit.id)).map((version) => version.id);
    assert.deepEqual(ids, [versions[unit.id]?.id]);
  }
  for (const alias of ir.aliases) {
    assert.deepEqual((await opened.connection.traffic.read(alias)).table, tableOf(alias, versions));
  }
  for (const resource of [...ir.infra, ...ir.triggers]) {
    const now = await opened.connection.resources[resource.kind]!.read(targetOf(resource));
    assert.equal(now?.owner, 'ours', `${resource.kind} ${resource.id}`);
  }
  const unit = first(ir.units, 'a unit');
  const alias = first(ir.aliases, 'an alias');
  const name = first(unit.functions, 'a function');
  await opened.connection.invoke({ alias: alias.id, function: name }, bench.options.payload?.(name) ?? null);
}

async function isEmpty(bench: Bench, opened: Opened): Promise<void> {
  const ir = bench.options.ir('a');
  for (const unit of ir.units) assert.deepEqual(await opened.connection.versions.list(unit.id), []);
  for (const alias of ir.aliases) assert.deepEqual((await opened.connection.traffic.read(alias)).table, {});
  for (const resource of [...ir.infra, ...ir.triggers]) {
    const now = await opened.connection.resources[resource.kind]!.read(targetOf(resource));
    assert.notEqual(now?.owner, 'ours', `${resource.kind} ${resource.id}`);
  }
}

async function takeDown(bench: Bench, { opened, versions }: Deployed): Promise<void> {
  const ir = bench.options.ir('a');
  for (const resource of [...ir.triggers, ...ir.infra]) {
    const handler = opened.connection.resources[resource.kind]!;
    const now = await handler.read(targetOf(resource));
    if (now !== undefined) await handler.remove(targetOf(resource), now);
  }
  for (const alias of ir.aliases) await setDone(opened, alias, { from: tableOf(alias, versions), to: {} });
  for (const version of Object.values(versions)) await opened.connection.versions.remove(version);
}

/** A pair of scopes that must share nothing. */
function neighbours({
  scope,
}: Bench): readonly { readonly name: string; readonly a: Scope; readonly b: Scope }[] {
  const { service, stage } = scope;
  return [
    { name: 'two stages of one service', a: scope, b: { service, stage: `${stage}2` } },
    { name: 'a stage whose name begins with the other one', a: scope, b: { service, stage: `${stage}-b` } },
    {
      name: 'services and stages whose names run into each other',
      a: { service: `${service}-x`, stage },
      b: { service, stage: `x-${stage}` },
    },
  ];
}

export const stageCases: readonly Case[] = [0, 1, 2].map((index) => ({
  name: [
    'two stages of one service share nothing',
    'a stage whose name begins with that of another shares nothing with it',
    'services and stages whose names run into each other share nothing',
  ][index]!,
  async test(bench) {
    const { a, b } = neighbours(bench)[index]!;
    const mine = await deploy(bench, a);
    const other = await bench.open(b);
    await isEmpty(bench, other);
    const theirs = await deploy(bench, b);
    await isWhole(bench, mine);
    await takeDown(bench, mine);
    await isEmpty(bench, mine.opened);
    await isWhole(bench, theirs);
  },
}));
