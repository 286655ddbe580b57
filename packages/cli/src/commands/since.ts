import { fail } from '@sfx-deploy/core/errors';

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `10m` before now, or a date. Throws SFX1002. */
export function sinceOf(text: string, now: number): Date {
  const match = /^(\d+)([smhd])$/.exec(text);
  const ms = match
    ? now - Number(match[1]) * units[match[2]!]!
    : /^\d{4}-\d\d-\d\d/.test(text)
      ? Date.parse(text)
      : Number.NaN;
  if (Number.isNaN(ms) || Number.isNaN(new Date(ms).getTime())) {
    throw fail('SFX1002', `--since ${text} is neither a duration (30s, 10m, 2h, 1d) nor a date`);
  }
  return new Date(ms);
}
