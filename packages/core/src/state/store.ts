import type { Json } from '../json.js';

/**
 * All that sfx asks of a place for state. Keys are `/`-separated words of letters, digits, `.`, `_` and `-`.
 * `put` is atomic: a reader sees the old or the new value, after a crash too.
 */
export interface Store {
  get(key: string): Promise<{ readonly value: Json; readonly tag: string } | undefined>;
  /** Writes if the stored tag is still `expect` (`null`: there is none). Answers the new tag. */
  put(key: string, value: Json, expect: string | null): Promise<string | 'conflict'>;
  /** Keys that start with `prefix`, sorted. */
  list(prefix: string): Promise<readonly string[]>;
  /** Gone is success. */
  delete(key: string): Promise<void>;
}
