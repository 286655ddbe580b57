/**
 * Brakes for a function that writes into the bucket that it is called for: how many calls led to a file is not known. A
 * key that changes again and again rests; and calls beyond a burst are slowed down. Nothing is lost by either.
 */
export interface Brake {
  /** Whether a key rests now. */
  rests(key: string): boolean;
  /** Counts an announcement. True when the key rests from here on. */
  announced(key: string): boolean;
  /** Milliseconds until one more may be delivered; 0 takes its turn. */
  pace(): number;
}

export const KEY_CHANGES = 16;
export const KEY_WINDOW_MS = 10_000;
export const REST_MS = 60_000;
export const RATE = 100;
export const BURST = 10_000;

/** `clock` is in milliseconds and nobody sets it. `slowed` is called once for each time that deliveries are slowed down. */
export function createBrake(clock: () => number, slowed: () => void): Brake {
  const counts = new Map<string, number>();
  let begun = clock();
  const resting = new Map<string, number>();
  let tokens = BURST;
  let filled = clock();
  let slow = false;
  return {
    rests(key) {
      const end = resting.get(key);
      if (end === undefined) return false;
      if (clock() < end) return true;
      resting.delete(key);
      return false;
    },
    announced(key) {
      const now = clock();
      if (now >= begun + KEY_WINDOW_MS) {
        begun = now;
        counts.clear();
      }
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      if (count <= KEY_CHANGES) return false;
      counts.delete(key);
      resting.set(key, now + REST_MS);
      return true;
    },
    pace() {
      const now = clock();
      tokens = Math.min(BURST, tokens + ((now - filled) * RATE) / 1_000);
      filled = now;
      if (tokens >= 1) {
        tokens -= 1;
        if (tokens > BURST / 2) slow = false;
        return 0;
      }
      if (!slow) slowed();
      slow = true;
      return Math.ceil(((1 - tokens) * 1_000) / RATE);
    },
  };
}
