import {
  fail,
  isObject,
  type Json,
  type JsonObject,
  type Scope,
  type Unit,
  type Version,
  type Versions,
} from '@sfx-deploy/plugin';
import type { Client } from './client.js';
import { hexOf } from './names.js';
import type { StageMeta, VersionConfig } from './wire.js';

export function stagePath(scope: Scope): string {
  return `/v1/stages/${scope.service}/${scope.stage}`;
}

/** By its name alone: who knows a version from an alias's table knows no more. */
export function versionPath(scope: Scope, version: Pick<Version, 'unit' | 'id'>): string {
  return `${stagePath(scope)}/versions/${version.unit}/${version.id.slice(version.id.lastIndexOf('@') + 1)}`;
}

/** Versions are folders by digest. Uploading one, starting and stopping its instances: no caller notices. */
export function versions(scope: Scope, client: Client): Versions {
  return {
    list: (unit) =>
      client.ask<Version[]>({
        op: 'versions.list',
        on: unit,
        method: 'GET',
        path: `${stagePath(scope)}/versions/${unit}`,
      }),
    async stage(unit, digest, artifact, stamp) {
      const path = `${stagePath(scope)}/versions/${unit.id}/${hexOf(digest) ?? digest}`;
      const known = await client.find<Version>({
        op: 'versions.stage.look',
        on: unit.id,
        method: 'GET',
        path,
      });
      if (known !== undefined) return known;
      const meta: StageMeta = { release: stamp.release, config: configOf(unit) };
      return client.ask<Version>({
        op: 'versions.stage',
        on: unit.id,
        method: 'PUT',
        path,
        bytes: () => framed(meta, artifact.bytes()),
        timeoutMs: 120_000,
      });
    },
    warm: (version) =>
      client.ask({
        op: 'versions.warm',
        on: version.unit,
        method: 'POST',
        path: `${versionPath(scope, version)}/warm`,
      }),
    async cool(version) {
      await client.find({
        op: 'versions.cool',
        on: version.unit,
        method: 'POST',
        path: `${versionPath(scope, version)}/cool`,
      });
    },
    remove: (version) =>
      client.ask({
        op: 'versions.remove',
        on: version.unit,
        method: 'DELETE',
        path: versionPath(scope, version),
      }),
  };
}

/** The length of the configuration in 4 bytes, the configuration, the zip. */
async function* framed(meta: StageMeta, zip: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const head = Buffer.from(JSON.stringify(meta));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(head.length);
  yield length;
  yield head;
  yield* zip;
}

function configOf(unit: Unit): VersionConfig {
  const config = (isObject(unit.config) ? unit.config : {}) as JsonObject;
  const { isolation, instances, calls, command } = config;
  const environment = (isObject(config['environment']) ? config['environment'] : {}) as JsonObject;
  return {
    runtime: String(config['runtime'] ?? 'nodejs'),
    memory: Number(config['memory'] ?? 256),
    timeout: Number(config['timeout'] ?? 30_000),
    environment: Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [name, textOf(unit, name, value)]),
    ),
    ...(isolation === 'thread' || isolation === 'process' ? { isolation } : {}),
    ...(typeof instances === 'number' ? { instances } : {}),
    ...(typeof calls === 'number' ? { calls } : {}),
    ...(Array.isArray(command) ? { command: command.map(String) } : {}),
  };
}

/** A value that is still a reference would reach the handler as one: it must have been filled before. */
function textOf(unit: Unit, name: string, value: Json): string {
  if (isObject(value)) throw fail('SFX4203', `no value for ${name} of ${unit.id}`, { unit: unit.id });
  return value === null ? '' : String(value);
}
