import type { Activation, LogLine } from '@sfx-deploy/plugin';
import type { Kept } from '../../calls/activations.js';
import { refusal } from '../../refusal.js';
import type { Stage } from '../../stage/stage.js';
import { type AdminCall, type AdminRoute, known, missing, route, STAGE } from './route.js';

/** What is known of single calls. Results are in it: the door is the owner's. */
export const activationRoutes: readonly AdminRoute[] = [
  route('GET', `${STAGE}/activations`, list),
  route('GET', `${STAGE}/activations/:activation`, one),
];

const DEFAULT_LIMIT = 30;
const MOST = 20_000;
/** Lines that are told with an activation: the last ones. */
const LINES = 1_000;

async function list(call: AdminCall): Promise<Activation[]> {
  const stage = known(call);
  if (stage === undefined) return [];
  const { query } = call;
  const [fn, status] = [query.get('function'), query.get('status')];
  const since = numberOf(query.get('since'));
  const limit = numberOf(query.get('limit')) ?? DEFAULT_LIMIT;
  return stage.activations.list({
    ...(fn === null ? {} : { function: fn }),
    ...(status === null ? {} : { status }),
    ...(since === undefined ? {} : { since }),
    limit: Math.min(limit, MOST),
  });
}

function numberOf(text: string | null): number | undefined {
  if (text === null) return undefined;
  const number = Number(text);
  if (Number.isFinite(number) && number >= 0) return number;
  throw refusal(400, 'SFX6010', `not a number: ${JSON.stringify(text)}`);
}

async function one(call: AdminCall): Promise<Activation> {
  const stage = known(call);
  const kept = await stage?.activations.find(call.path['activation']!);
  if (stage === undefined || kept === undefined) return missing('activation');
  return { ...kept, logs: await linesOf(stage, kept, call.signal) };
}

/** What the call wrote, from each version that tried; a version that was removed took its lines with it. */
async function linesOf(stage: Stage, kept: Kept, signal: AbortSignal): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  const tried = stage.versions.all().filter((serving) => serving.version.unit === kept.function);
  for (const serving of tried) {
    // Another version can only have had it before it was tried again.
    if (serving.version.id !== kept.version && kept.attempt < 2) continue;
    const query = { since: 0, follow: false, activation: kept.id };
    for await (const line of serving.logs.read(query, signal)) {
      lines.push({ ...line, function: kept.function, version: serving.version.id });
    }
  }
  return lines.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)).slice(-LINES);
}
