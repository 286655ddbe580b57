import { hexOf } from '../../../names.js';
import type { StageMeta, VersionConfig } from '../../../wire.js';
import { refusal, textOf } from '../../refusal.js';
import {
  type AdminCall,
  type AdminRoute,
  found,
  jsonOf,
  known,
  MB,
  missing,
  route,
  STAGE,
  scopeOf,
  VERSION,
  version,
} from './route.js';

/** Versions: their artifacts, instances, logs and metrics. */
export const versionRoutes: readonly AdminRoute[] = [
  route(
    'GET',
    `${STAGE}/versions/:unit`,
    async (call) => known(call)?.versions.list(call.path['unit']!) ?? [],
  ),
  route('GET', VERSION, async (call) => version(call).version),
  route('PUT', VERSION, putVersion, 256 * MB),
  route('DELETE', VERSION, removeVersion),
  route('POST', `${VERSION}/warm`, warm),
  route('POST', `${VERSION}/cool`, async (call) => version(call).pool.drain(10_000)),
  route('GET', `${VERSION}/logs`, logs),
  route('GET', `${VERSION}/metrics`, metrics),
];

/** Body: the length of the JSON in 4 bytes, the JSON, then the zip. */
async function putVersion(call: AdminCall): Promise<unknown> {
  const { body } = call;
  const length = body.length >= 4 ? body.readUInt32BE(0) : 0;
  if (length === 0 || 4 + length > body.length)
    throw refusal(400, 'SFX6003', 'the version has no configuration');
  const meta = jsonOf<StageMeta>(body.subarray(4, 4 + length));
  checkConfig(meta);
  const hex = hexOf(call.path['digest']!);
  if (hex === undefined)
    throw refusal(400, 'SFX6007', `not a digest: ${JSON.stringify(call.path['digest'])}`);
  const stage = await call.engine.stages.ensure(scopeOf(call));
  return stage.serially(() => stage.versions.put(call.path['unit']!, hex, meta, body.subarray(4 + length)));
}

function checkConfig({ release, config }: Partial<StageMeta>): void {
  const { memory, timeout, environment } = (config ?? {}) as Partial<VersionConfig>;
  const values = Object.values(environment ?? { missing: null });
  const good =
    Number.isInteger(release) &&
    Number.isFinite(memory) &&
    Number(memory) > 0 &&
    Number.isFinite(timeout) &&
    Number(timeout) > 0;
  if (!good || values.some((value) => typeof value !== 'string')) {
    throw refusal(400, 'SFX6010', 'release, memory, timeout or environment of the version is not valid');
  }
}

async function removeVersion(call: AdminCall): Promise<void> {
  const [stage, one] = [known(call), found(call)];
  if (stage === undefined || one === undefined) return;
  await stage.serially(async () => {
    const aliases = stage.namedBy(one.version.id);
    if (aliases.length > 0)
      throw refusal(409, 'SFX3107', `version ${one.version.id} has alias ${aliases.join(', ')}`);
    await stage.versions.remove(one.version);
  });
}

async function warm(call: AdminCall): Promise<void> {
  const one = version(call);
  await one.pool.warm().catch((error: unknown) => {
    throw refusal(502, 'SFX3106', `${one.version.unit} did not come up: ${textOf(error)}`);
  });
}

async function logs(call: AdminCall): Promise<unknown> {
  const one = version(call);
  const since = Number(call.query.get('since') ?? 0);
  const activation = call.query.get('activation');
  const query = { since, follow: call.query.get('follow') === '1', ...(activation && { activation }) };
  return () => one.logs.read(query, call.signal);
}

async function metrics(call: AdminCall): Promise<unknown> {
  const { from, to } = { from: Number(call.query.get('from')), to: Number(call.query.get('to')) };
  return version(call).metrics.read(from, to) ?? missing('metrics');
}
