import { isAbsolute, join, normalize } from 'node:path';
import type { BucketProps } from '@sfx-deploy/plugin';
import { refusal } from './refusal.js';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/**
 * Where the files of a bucket are: the folder that its trigger names, or one of the stage. Throws SFX6007 for a name that
 * is no folder's, and SFX6010 for a path that is not absolute.
 */
export function bucketFolder(stageDir: string, props: Pick<BucketProps, 'bucket' | 'path'>): string {
  const { bucket, path } = props;
  if (path !== undefined) {
    if (!isAbsolute(path))
      throw refusal(400, 'SFX6010', `the path of bucket ${bucket} is not absolute: ${path}`);
    return normalize(path);
  }
  if (!NAME.test(bucket)) throw refusal(400, 'SFX6007', `not a bucket: ${JSON.stringify(bucket)}`);
  return join(stageDir, 'buckets', bucket);
}
