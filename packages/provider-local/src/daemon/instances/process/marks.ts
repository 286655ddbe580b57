/** What a call wrote is waited for so long after its answer. */
const MARK_MS = 1_000;

/** Marks that a process writes to its output behind what belongs to a call. */
export interface Marks {
  seen(stream: 'stdout' | 'stderr'): void;
  /** Calls back, in order, once each of these descriptors has had one mark more, or after `MARK_MS`. */
  all(descriptors: readonly number[], then: () => void): void;
}

interface Waiting {
  /** Marks that must have been seen since the start. */
  readonly stdout: number;
  readonly stderr: number;
  readonly timer: NodeJS.Timeout;
  readonly then: () => void;
}

export function createMarks(): Marks {
  const seen = { stdout: 0, stderr: 0 };
  const promised = { stdout: 0, stderr: 0 };
  const waiting: Waiting[] = [];
  const check = () => {
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      if (seen.stdout < first.stdout || seen.stderr < first.stderr) return;
      waiting.shift();
      clearTimeout(first.timer);
      first.then();
    }
  };
  return {
    seen(stream) {
      seen[stream] += 1;
      check();
    },
    all(descriptors, then) {
      if (descriptors.includes(1)) promised.stdout += 1;
      if (descriptors.includes(2)) promised.stderr += 1;
      const { stdout, stderr } = promised;
      const timer = setTimeout(() => {
        // The handler turned its output away: what was promised does not come.
        seen.stdout = Math.max(seen.stdout, stdout);
        seen.stderr = Math.max(seen.stderr, stderr);
        check();
      }, MARK_MS);
      waiting.push({ stdout, stderr, timer, then });
      check();
    },
  };
}
