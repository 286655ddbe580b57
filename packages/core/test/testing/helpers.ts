import type { Connection } from '@sfx-deploy/core';
import { digestOf, type Ir, type Stamp, type Unit, type Version } from '@sfx-deploy/core';
import {
  artifactsOf,
  fileWorld,
  irOf,
  memoryProvider,
  memoryWorld,
  type PlainService,
  type ShapeName,
  simulatedClock,
  stageHands,
  type World,
} from '@sfx-deploy/core/testing';

export const scope = { service: 'shop', stage: 'prod' };

export function unitDigestOf(unit: Unit, artifact: string) {
  return digestOf({ artifact, build: unit.build, config: unit.config });
}

/** A connected provider of a shape with a run, hands, and a way to stage whole IRs. */
export async function connected(shape: ShapeName, options: { world?: World; seed?: number } = {}) {
  const world = options.world ?? memoryWorld();
  const clock = simulatedClock({ seed: options.seed ?? 1 });
  const run = clock.run('ana');
  const provider = memoryProvider({ shape, world });
  const connection = await provider.connect(scope, {}, run);
  const hands = stageHands(world, shape, scope, clock.now);
  const ir = (service: PlainService) => irOf(shape, service);
  return { world, clock, run, provider, connection, hands, ir };
}

export async function stageAll(
  connection: Connection,
  ir: Ir,
  stamp: Stamp = { release: 1, fence: 1 },
): Promise<Record<string, Version>> {
  const versions: Record<string, Version> = {};
  const artifacts = artifactsOf(ir);
  for (const unit of ir.units) {
    const artifact = artifacts[unit.id]!;
    versions[unit.id] = await connection.versions.stage(
      unit,
      unitDigestOf(unit, artifact.digest),
      artifact,
      stamp,
    );
  }
  return versions;
}

export { fileWorld };
