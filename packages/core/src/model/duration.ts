const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `800ms`, `5m`, `1.5h`; a bare number is seconds. Undefined when it is no duration. */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value === 'number')
    return value >= 0 && Number.isFinite(value) ? Math.round(value * 1000) : undefined;
  const found = typeof value === 'string' ? /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(value) : null;
  return found ? Math.round(Number(found[1]) * UNITS[found[2] ?? 's']!) : undefined;
}

/** The share (0.01) of `1%` or `1`. Undefined when it is no percentage. */
export function parsePercent(value: unknown): number | undefined {
  if (typeof value === 'number') return value >= 0 && Number.isFinite(value) ? value / 100 : undefined;
  const found = typeof value === 'string' ? /^(\d+(?:\.\d+)?)%?$/.exec(value) : null;
  return found ? Number(found[1]) / 100 : undefined;
}

/** A duration as it is written: the largest unit that divides it. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (ms !== 0 && ms % UNITS[unit]! === 0) return `${ms / UNITS[unit]!}${unit}`;
  }
  return `${ms}ms`;
}
