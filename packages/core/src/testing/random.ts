/** A seeded generator of numbers in [0, 1): equal seeds give equal sequences (mulberry32 over an FNV-1a hash). */
export function seededRandom(seed: string | number): () => number {
  let state = 0x811c9dc5;
  for (const char of String(seed)) {
    state ^= char.codePointAt(0)!;
    state = Math.imul(state, 0x01000193);
  }
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export function randomHex(random: () => number, bytes: number): string {
  let text = '';
  for (let index = 0; index < bytes; index++) {
    text += Math.floor(random() * 256)
      .toString(16)
      .padStart(2, '0');
  }
  return text;
}
