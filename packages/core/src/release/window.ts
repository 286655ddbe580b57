import type { Version } from '../provider/contract.js';
import type { Head, Past, Release } from '../state/documents.js';
import type { StageState } from '../state/stage-state.js';
import { qualify, type VersionsByUnit } from './fleet.js';

const good = (past: Past) => past.status === 'live' || past.status === 'superseded';

/**
 * Releases whose versions are kept: the newest `keep` good ones that differ from each other, and what was rolled back
 * since, so that going forward again stays possible. Newest first.
 */
export function rollbackWindow(past: readonly Past[], keep: number): readonly Past[] {
  const newestFirst = [...past].sort((a, b) => b.number - a.number);
  const digests = new Set<string>();
  let oldest = Number.POSITIVE_INFINITY;
  for (const one of newestFirst) {
    if (!good(one) || one.staged === undefined || one.forgotten) continue;
    if (!digests.has(one.digest) && digests.size >= keep) break;
    digests.add(one.digest);
    oldest = one.number;
  }
  return newestFirst.filter(
    (one) =>
      one.number >= oldest &&
      one.staged !== undefined &&
      !one.forgotten &&
      one.status !== 'failed' &&
      one.status !== 'open',
  );
}

/** Good releases before the live one that differ from it and from each other, newest first: `~1`, `~2`, … */
export function earlierGood(head: Head): readonly Past[] {
  const live = head.past.find((one) => one.number === head.live);
  if (live === undefined) return [];
  const seen = new Set<string>([live.digest]);
  const result: Past[] = [];
  for (const one of [...head.past].sort((a, b) => b.number - a.number)) {
    if (one.number >= live.number || seen.has(one.digest)) continue;
    if (good(one)) result.push(one);
    // What was rolled back is bad under each of its earlier numbers too.
    if (good(one) || one.status === 'rolled back') seen.add(one.digest);
  }
  return result;
}

export interface Kept {
  readonly past: Past;
  readonly release: Release;
  /** Empty when it never came as far as journaling them. */
  readonly versions: VersionsByUnit;
}

/** A release of the past with its versions, or undefined when its documents are not kept any more. */
export async function kept(state: StageState, past: Past): Promise<Kept | undefined> {
  if (past.forgotten || past.status === 'open') return undefined;
  const release = await state.readRelease(past.number);
  if (past.staged === undefined) return { past, release, versions: {} };
  const entry = await state.readEntry(past.staged);
  return { past, release, versions: entry.kind === 'staged' ? entry.versions : {} };
}

/** A version with its provider, as one text. */
export function versionKey(provider: string, version: Pick<Version, 'unit' | 'id'>): string {
  return `${qualify(provider, version.unit)}@${version.id}`;
}
