import { fail } from '../errors.js';
import type { Head, Past } from '../state/documents.js';
import { earlierGood, rollbackWindow } from './window.js';

/**
 * Finds a release by number, `~n` (the n-th earlier good release that differs), tag, digest or git sha (both by prefix of
 * at least 4 characters). Errors: SFX4111.
 */
export function select(head: Head, wanted: string): Past {
  const found =
    byNumber(head, wanted) ?? byDistance(head, wanted) ?? byTag(head, wanted) ?? byPrefix(head, wanted);
  if (found === undefined) throw fail('SFX4111', `there is no release ${wanted}`);
  return found;
}

function byNumber(head: Head, wanted: string): Past | undefined {
  return /^\d+$/.test(wanted) ? head.past.find((one) => one.number === Number(wanted)) : undefined;
}

function byDistance(head: Head, wanted: string): Past | undefined {
  const match = /^~(\d+)$/.exec(wanted);
  if (match === null) return undefined;
  const distance = Number(match[1]);
  if (distance === 0) return head.past.find((one) => one.number === head.live);
  const found = earlierGood(head)[distance - 1];
  if (found === undefined) throw fail('SFX4111', `there is no good release ${distance} before the live one`);
  return found;
}

function byTag(head: Head, wanted: string): Past | undefined {
  const number = head.tags[wanted];
  return number === undefined ? undefined : head.past.find((one) => one.number === number);
}

function byPrefix(head: Head, wanted: string): Past | undefined {
  const text = wanted.replace(/^sha256:/, '').toLowerCase();
  if (!/^[0-9a-f]{4,64}$/.test(text)) return undefined;
  const newestFirst = [...head.past].reverse();
  const matches = newestFirst.filter(
    (one) => one.digest.slice(7).startsWith(text) || one.by.git?.sha.startsWith(text),
  );
  if (new Set(matches.map((one) => one.digest)).size > 1) {
    throw fail(
      'SFX4111',
      `${wanted} fits releases ${matches.map((one) => one.number).join(', ')}; name one by number`,
    );
  }
  return matches[0];
}

/** Where `sfx rollback` without an argument goes from a live release. Errors: SFX4112. */
export function defaultTarget(head: Head): Past {
  const target = earlierGood(head).find((one) => !one.forgotten);
  if (target === undefined) throw fail('SFX4112', `there is no good release before ${head.live ?? 'this'}`);
  return target;
}

/** Whether a release's versions are kept, so that it can be gone to. */
export function reachable(head: Head, past: Past, keep: number): boolean {
  return rollbackWindow(head.past, keep).some((one) => one.number === past.number);
}
