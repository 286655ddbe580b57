import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { readText, writeSynced } from '../disk.js';

/** The token of a home, made once; in a file that only its owner can read. */
export async function tokenOf(home: string): Promise<string> {
  const path = join(home, 'token');
  const known = (await readText(path))?.trim();
  if (known !== undefined && known.length >= 32) {
    await chmod(path, 0o600);
    return known;
  }
  const token = randomBytes(32).toString('hex');
  await writeSynced(path, `${token}\n`, 0o600);
  return token;
}

/** Takes as long for a wrong token as for the right one. */
export function sameToken(given: string, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}
