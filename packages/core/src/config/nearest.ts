import { distance } from 'fastest-levenshtein';

/** Slips that a name of this length may have: one in a short one, a fifth of the letters in a long one. */
function slips(name: string): number {
  return name.length < 5 ? 1 : Math.max(2, Math.floor(name.length / 5));
}

function letters(name: string): string {
  return [...name].sort().join('');
}

/** The name that was most likely meant, if one is near enough: few slips, or the same letters in another order. */
export function nearest(name: string, names: Iterable<string>): string | undefined {
  const lower = name.toLowerCase();
  let best: string | undefined;
  let least = slips(name) + 1;
  for (const candidate of names) {
    if (candidate === name) continue;
    const other = candidate.toLowerCase();
    let steps = other === lower ? 0 : distance(lower, other);
    if (steps === 2 && lower.length === other.length && letters(lower) === letters(other)) steps = 1;
    if (steps < least && steps < candidate.length) {
      least = steps;
      best = candidate;
    }
  }
  return best;
}

/** `; did you mean x?` or nothing. */
export function didYouMean(name: string, names: Iterable<string>): string {
  const found = nearest(name, names);
  return found === undefined ? '' : `; did you mean ${found}?`;
}
