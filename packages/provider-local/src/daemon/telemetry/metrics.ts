/** Requests, errors and latency of one version. */
export interface VersionMetrics {
  record(ms: number, failed: boolean, cold?: boolean): void;
  /** Undefined when nothing was recorded in that time. `from` and `to`: milliseconds since 1970. */
  read(
    from: number,
    to: number,
  ): { readonly requests: number; readonly errors: number; readonly p95Ms: number } | undefined;
  /** All since this engine started. */
  totals(): Totals;
  /** Something was recorded since `save`. */
  changed(): boolean;
  /** For the disk, and back from it. */
  save(): SavedMetrics;
}

/** Counts that only ever grow in the life of an engine; the next one begins again at 0, as counters may. */
export interface Totals {
  readonly requests: number;
  readonly errors: number;
  readonly cold: number;
  /** Of all of them together. */
  readonly seconds: number;
  /** Requests that took up to each of `BOUNDS`, and longer than the one before. */
  readonly latency: readonly number[];
}

/** Upper bounds of a latency histogram, in milliseconds; what takes longer than the last is in none. */
export const BOUNDS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000];

interface Slot {
  /** Second since 1970 that it begins at. */
  readonly start: number;
  /** Seconds that it spans. */
  readonly span: number;
  requests: number;
  errors: number;
  readonly latency: Map<number, number>;
}

export type SavedMetrics = readonly (readonly [
  start: number,
  span: number,
  requests: number,
  errors: number,
  latency: [number, number][],
])[];

/** Buckets grow by 5 %: a percentile read from them is at most that far off. */
const GROWTH = Math.log(1.05);
const SMALLEST_MS = 0.05;
/** Seconds are kept one by one this long, then by tens, then not at all. */
const FINE_S = 120;
const COARSE_S = 10;
const KEPT_S = 3_600;

export function versionMetrics(now: () => number, saved: SavedMetrics = []): VersionMetrics {
  let slots: Slot[] = saved.map(([start, span, requests, errors, latency]) => ({
    start,
    span,
    requests,
    errors,
    latency: new Map(latency),
  }));
  let compacted = 0;
  let changed = false;
  const totals = { requests: 0, errors: 0, cold: 0, seconds: 0, latency: BOUNDS.map(() => 0) };
  return {
    record(ms, failed, cold = false) {
      totals.requests += 1;
      if (failed) totals.errors += 1;
      if (cold) totals.cold += 1;
      totals.seconds += ms / 1000;
      const bound = boundOf(ms);
      if (bound < BOUNDS.length) totals.latency[bound]! += 1;
      const second = Math.floor(now() / 1000);
      let slot = slots.at(-1);
      if (slot === undefined || slot.span !== 1 || slot.start !== second) {
        if (Math.abs(second - compacted) >= COARSE_S) {
          slots = compact(slots, second);
          compacted = second;
        }
        slot = { start: second, span: 1, requests: 0, errors: 0, latency: new Map() };
        slots.push(slot);
      }
      changed = true;
      slot.requests += 1;
      if (failed) slot.errors += 1;
      const bucket = bucketOf(ms);
      slot.latency.set(bucket, (slot.latency.get(bucket) ?? 0) + 1);
    },
    read(from, to) {
      const meant = slots.filter((slot) => (slot.start + slot.span) * 1000 > from && slot.start * 1000 <= to);
      const requests = meant.reduce((sum, slot) => sum + slot.requests, 0);
      if (requests === 0) return undefined;
      const errors = meant.reduce((sum, slot) => sum + slot.errors, 0);
      return { requests, errors, p95Ms: percentile(meant, requests, 0.95) };
    },
    totals: () => totals,
    changed: () => changed,
    save() {
      changed = false;
      return slots.map(({ start, span, requests, errors, latency }) => [
        start,
        span,
        requests,
        errors,
        [...latency],
      ]);
    },
  };
}

function compact(slots: readonly Slot[], second: number): Slot[] {
  const merged = new Map<string, Slot>();
  for (const slot of slots) {
    // A clock that was set back leaves slots in the future; those count as now.
    const age = second - slot.start;
    if (age > KEPT_S) continue;
    const coarse = slot.span > 1 || age > FINE_S;
    const span = coarse ? COARSE_S : 1;
    const start = coarse ? slot.start - (slot.start % COARSE_S) : slot.start;
    const into = merged.get(`${start}/${span}`);
    if (into === undefined) merged.set(`${start}/${span}`, { ...slot, start, span });
    else add(into, slot);
  }
  return [...merged.values()];
}

function add(into: Slot, slot: Slot): void {
  into.requests += slot.requests;
  into.errors += slot.errors;
  for (const [bucket, count] of slot.latency)
    into.latency.set(bucket, (into.latency.get(bucket) ?? 0) + count);
}

function boundOf(ms: number): number {
  let n = 0;
  while (n < BOUNDS.length && ms > BOUNDS[n]!) n += 1;
  return n;
}

function bucketOf(ms: number): number {
  return ms <= SMALLEST_MS ? 0 : Math.ceil(Math.log(ms / SMALLEST_MS) / GROWTH);
}

function percentile(slots: readonly Slot[], requests: number, share: number): number {
  const all = new Map<number, number>();
  for (const slot of slots)
    for (const [bucket, count] of slot.latency) all.set(bucket, (all.get(bucket) ?? 0) + count);
  let left = Math.ceil(requests * share);
  let upper = 0;
  for (const [bucket, count] of [...all].sort(([a], [b]) => a - b)) {
    upper = SMALLEST_MS * Math.exp(bucket * GROWTH);
    left -= count;
    if (left <= 0) break;
  }
  return Math.round(upper * 100) / 100;
}
