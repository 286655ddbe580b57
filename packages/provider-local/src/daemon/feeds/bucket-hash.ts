import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { errnoOf } from '../refusal.js';
import { sameFile } from './bucket-changes.js';
import type { Seen } from './bucket-scan.js';

/** Never through a link, and never waiting for whoever writes into a pipe. */
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * The MD5 of a file, which is the ETag that S3 gives it, as hexadecimal digits. `moved`: it is not what was seen, or is
 * not any more when it was read. Else why it cannot be read.
 */
export async function hashOf(
  file: string,
  seen: Seen,
): Promise<{ etag: string } | 'moved' | { why: string }> {
  try {
    const handle = await open(file, FLAGS);
    try {
      const hash = createHash('md5');
      if (!sameFile(await handle.stat(), seen)) return 'moved';
      for await (const chunk of handle.createReadStream({ autoClose: false })) hash.update(chunk as Buffer);
      return sameFile(await handle.stat(), seen) ? { etag: hash.digest('hex') } : 'moved';
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = errnoOf(error);
    if (code === undefined) throw error;
    return code === 'ENOENT' || code === 'ELOOP' ? 'moved' : { why: code };
  }
}
