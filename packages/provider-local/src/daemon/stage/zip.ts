import { crc32, inflateRawSync } from 'node:zlib';
import { refusal } from '../refusal.js';

export interface ZipEntry {
  /** Relative, `/`-separated, inside its own folder. */
  readonly path: string;
  readonly executable: boolean;
  readonly data: () => Uint8Array;
}

/** Bytes of all entries together when unpacked: what stands between a small upload and a full disk. */
export const UNPACKED_LIMIT = 512 * 1024 * 1024;

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const SYMLINK = 0o120000;

/**
 * Files of a zip, by its central directory. Throws SFX6008 for what is no zip, is damaged, is too large, or has an entry
 * that would land outside its own folder. Folders are left out: a path implies them.
 */
export function readZip(zip: Buffer): ZipEntry[] {
  const end = findEnd(zip);
  const count = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  let total = 0;
  const entries: ZipEntry[] = [];
  const seen = new Set<string>();
  for (let n = 0; n < count; n += 1) {
    if (at + 46 > zip.length || zip.readUInt32LE(at) !== CENTRAL) throw damaged('its directory is cut off');
    const nameLength = zip.readUInt16LE(at + 28);
    const path = zip.toString('utf8', at + 46, at + 46 + nameLength);
    const size = zip.readUInt32LE(at + 24);
    const mode = zip.readUInt32LE(at + 38) >>> 16;
    total += size;
    if (total > UNPACKED_LIMIT) throw damaged(`it unpacks to more than ${UNPACKED_LIMIT / 1024 / 1024} MB`);
    if (!path.endsWith('/')) {
      checkPath(path, mode);
      if (seen.has(path)) throw damaged(`${path} is in it twice`);
      seen.add(path);
      const header = at;
      entries.push({ path, executable: (mode & 0o111) !== 0, data: () => unpack(zip, header, path, size) });
    }
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return entries;
}

function findEnd(zip: Buffer): number {
  const from = Math.max(0, zip.length - 22 - 0xffff);
  for (let at = zip.length - 22; at >= from; at -= 1) {
    if (zip.readUInt32LE(at) === END) return at;
  }
  throw damaged('it is not a zip');
}

function checkPath(path: string, mode: number): void {
  const bad =
    path === '' ||
    path.startsWith('/') ||
    path.includes('\\') ||
    path.includes('\0') ||
    /^[A-Za-z]:/.test(path) ||
    path.split('/').some((part) => part === '..' || part === '.' || part === '');
  if (bad) throw damaged(`${JSON.stringify(path)} is outside its folder`);
  if ((mode & 0o170000) === SYMLINK) throw damaged(`${path} is a link`);
}

function unpack(zip: Buffer, header: number, path: string, size: number): Uint8Array {
  const method = zip.readUInt16LE(header + 10);
  const sum = zip.readUInt32LE(header + 16);
  const packed = zip.readUInt32LE(header + 20);
  const local = zip.readUInt32LE(header + 42);
  if (local + 30 > zip.length || zip.readUInt32LE(local) !== LOCAL) throw damaged(`${path} is cut off`);
  const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  const raw = zip.subarray(start, start + packed);
  if (raw.length !== packed) throw damaged(`${path} is cut off`);
  const data = method === 0 ? raw : inflate(raw, method, path, size);
  if (data.length !== size || crc32(data) !== sum) throw damaged(`${path} is not what was packed`);
  return data;
}

function inflate(raw: Buffer, method: number, path: string, size: number): Buffer {
  if (method !== 8) throw damaged(`${path} is packed in a way that is not known (${method})`);
  try {
    return inflateRawSync(raw, { maxOutputLength: Math.max(size, 1) });
  } catch (error) {
    throw damaged(`${path} does not unpack (${(error as Error).message})`);
  }
}

function damaged(why: string): Error {
  return refusal(400, 'SFX6008', `the artifact cannot be unpacked: ${why}`);
}
