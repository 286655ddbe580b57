import type { Duplex } from 'node:stream';

/** Frames over a stream: four bytes of length, big endian, then so many bytes. */
export interface Frames {
  write(body: Uint8Array): void;
}

/** Longest frame; a length beyond it is no length but something else that was written to the channel. */
const LONGEST = 256 * 1024 * 1024;

/** @param heard Called for each frame in order; the bytes are the callee's. */
export function frames(stream: Duplex, heard: (body: Buffer) => void, broken: (why: string) => void): Frames {
  let parts: Buffer[] = [];
  let held = 0;
  let needed = 4;
  let head = true;
  stream.on('data', (chunk: Buffer) => {
    parts.push(chunk);
    held += chunk.length;
    while (held >= needed) {
      const all = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
      const part = all.subarray(0, needed);
      parts = all.length > needed ? [all.subarray(needed)] : [];
      held -= needed;
      if (head) {
        needed = part.readUInt32BE(0);
        if (needed > LONGEST) {
          stream.removeAllListeners('data');
          broken('something else than the engine wrote to its channel');
          return;
        }
      } else {
        needed = 4;
      }
      head = !head;
      if (head) heard(part);
    }
  });
  return {
    write(body) {
      const length = Buffer.allocUnsafe(4);
      length.writeUInt32BE(body.byteLength, 0);
      stream.cork();
      stream.write(length);
      stream.write(body);
      stream.uncork();
    },
  };
}
