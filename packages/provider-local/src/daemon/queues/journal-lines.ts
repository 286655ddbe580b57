import { readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/** Where a record is in the file: bytes, without its line end. */
export interface Place {
  readonly at: number;
  readonly bytes: number;
}

/** `<crc32> ` */
const HEAD = 9;
const LINE_END = 0x0a;
const CHUNK_BYTES = 1024 * 1024;
/** A line longer than any record is damage; it is not gathered in memory. */
const LONGEST = 8 * 1024 * 1024;

/** The lines of some records, and where they will be when the first is written at `from`. */
export function linesOf(texts: readonly string[], from: number): { lines: Buffer; places: Place[] } {
  let at = from;
  const places: Place[] = [];
  const lines = texts.map((text) => {
    const bytes = lineBytes(text);
    places.push({ at, bytes });
    at += bytes + 1;
    return `${crc32(text).toString(16).padStart(8, '0')} ${text}\n`;
  });
  return { lines: Buffer.from(lines.join('')), places };
}

/** Bytes of a record's line without its end. */
export function lineBytes(text: string): number {
  return HEAD + Buffer.byteLength(text);
}

/** Text of a record; undefined when it is not what was written. */
export function readRecord(file: FileHandle, place: Place): string | undefined {
  const line = Buffer.allocUnsafe(place.bytes);
  if (readSync(file.fd, line, 0, place.bytes, place.at) < place.bytes) return undefined;
  return textOfLine(line);
}

function textOfLine(line: Buffer): string | undefined {
  if (line.length < HEAD || line[HEAD - 1] !== 0x20) return undefined;
  const text = line.subarray(HEAD);
  const sum = line.toString('latin1', 0, HEAD - 1);
  return crc32(text).toString(16).padStart(8, '0') === sum ? text.toString('utf8') : undefined;
}

export interface Replay {
  /** Bytes up to the end of the last whole line. */
  readonly size: number;
  /** Whole lines that are not what was written, and the offset of the first. */
  readonly damaged: number;
  readonly firstDamage: number;
}

/** Hands out each record in order, with no more than a chunk in memory. What has no line end was cut off. */
export async function replayRecords(
  file: FileHandle,
  take: (text: string, place: Place) => void,
): Promise<Replay> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let [open, start, damaged, firstDamage, tooLong] = [Buffer.alloc(0), 0, 0, -1, false];
  const damage = (at: number) => {
    damaged += 1;
    if (firstDamage < 0) firstDamage = at;
  };
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, at);
    if (bytesRead === 0) return { size: start, damaged, firstDamage };
    at += bytesRead;
    let from = 0;
    for (
      let end = chunk.indexOf(LINE_END);
      end >= 0 && end < bytesRead;
      end = chunk.indexOf(LINE_END, from)
    ) {
      const part = chunk.subarray(from, end);
      const line = open.length === 0 ? part : Buffer.concat([open, part]);
      const text = tooLong ? undefined : textOfLine(line);
      if (text === undefined) damage(start);
      else take(text, { at: start, bytes: line.length });
      from = end + 1;
      start = at - bytesRead + from;
      open = Buffer.alloc(0);
      tooLong = false;
    }
    tooLong ||= open.length + bytesRead - from > LONGEST;
    open = tooLong ? Buffer.alloc(0) : Buffer.concat([open, chunk.subarray(from, bytesRead)]);
  }
}
