import { fail } from '../errors.js';
import type { LogLine } from '../provider/contract.js';
import type { Head } from '../state/documents.js';
import { activationOf } from './activations.js';
import type { Context } from './context.js';
import type { VersionsByUnit } from './fleet.js';
import { openWork } from './open.js';
import { progressOf } from './progress.js';
import { select } from './select.js';
import { kept } from './window.js';

export interface LogsRequest {
  readonly functions?: readonly string[];
  readonly release?: string;
  readonly since: Date;
  readonly follow: boolean;
  readonly errors?: boolean;
  /** Only of this call: its id, or the beginning of one. */
  readonly activation?: string;
}

/**
 * `sfx logs`: lines of every function, by version and release; newest versions of the live and the open release.
 * Errors: SFX4117 (no such function), SFX4119 (nothing is deployed), SFX3005 (a provider without logs).
 */
export async function* logsOf(
  ctx: Context,
  request: LogsRequest,
): AsyncIterable<LogLine & { readonly release: number | null }> {
  const { head } = await ctx.state.readHead();
  if (head === undefined) throw fail('SFX4119', 'nothing is deployed to this stage');
  if (request.activation !== undefined && !request.follow) {
    yield* linesOfOne(ctx, request, request.activation);
    return;
  }
  const sources = await logSources(ctx, head, request);
  const lines = sources.map(async function* ({ release, key, version }): AsyncGenerator<Line> {
    const connection = ctx.fleet.of(key.slice(0, key.indexOf('/')));
    if (connection.logs === undefined)
      throw fail('SFX3005', `${key.slice(0, key.indexOf('/'))} has no logs that sfx can read`);
    for await (const line of connection.logs(version, request.since, request.follow)) {
      if (isMeant(line, request)) yield { ...line, release };
    }
  });
  yield* request.follow ? merged(lines) : sorted(lines);
}

function isMeant(line: LogLine, { errors, activation }: LogsRequest): boolean {
  if (errors && line.stream === 'stdout') return false;
  return activation === undefined || line.activation?.startsWith(activation) === true;
}

/** A call of a version that is not live any more has its lines too. */
async function* linesOfOne(ctx: Context, request: LogsRequest, id: string): AsyncGenerator<Line> {
  const one = await activationOf(ctx, id);
  for (const line of one.logs ?? []) {
    if (!request.errors || line.stream !== 'stdout')
      yield { ...line, activation: line.activation ?? one.id, release: one.release };
  }
}

async function logSources(ctx: Context, head: Head, request: LogsRequest) {
  const numbers =
    request.release === undefined ? [head.live, head.open] : [select(head, request.release).number];
  const sources: { release: number; key: string; version: VersionsByUnit[string] }[] = [];
  const units = new Set<string>();
  for (const number of numbers) {
    if (number === null) continue;
    const past = head.past.find((one) => one.number === number)!;
    const entries = past.status === 'open' ? (await openWork(ctx, head))?.entries : undefined;
    const versions = entries ? progressOf(entries).staged : (await kept(ctx.state, past))?.versions;
    for (const [key, version] of Object.entries(versions ?? {})) {
      units.add(version.unit);
      if (sources.some((one) => one.key === key && one.version.id === version.id)) continue;
      if (request.functions && !request.functions.includes(version.unit)) continue;
      sources.push({ release: number, key, version });
    }
  }
  const unknown = request.functions?.find((name) => !units.has(name));
  if (unknown !== undefined && units.size > 0)
    throw fail('SFX4117', `there is no function ${unknown}`, {
      hint: `There are: ${[...units].sort().join(', ')}.`,
    });
  return sources;
}

type Line = LogLine & { readonly release: number | null };

async function* sorted(sources: readonly AsyncIterable<Line>[]): AsyncIterable<Line> {
  const all: Line[] = [];
  for (const source of sources) for await (const line of source) all.push(line);
  yield* all.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

async function* merged(sources: readonly AsyncIterable<Line>[]): AsyncIterable<Line> {
  const iterators = sources.map((source) => source[Symbol.asyncIterator]());
  const pending = new Map(
    iterators.map((iterator, index) => [index, iterator.next().then((result) => ({ index, result }))]),
  );
  while (pending.size > 0) {
    const { index, result } = await Promise.race(pending.values());
    if (result.done) {
      pending.delete(index);
    } else {
      pending.set(
        index,
        iterators[index]!.next().then((next) => ({ index, result: next })),
      );
      yield result.value;
    }
  }
}
