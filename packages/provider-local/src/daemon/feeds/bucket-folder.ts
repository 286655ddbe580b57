import { dirname, isAbsolute, join, normalize } from 'node:path';
import type { BucketProps } from '@sfx-deploy/plugin';
import type { TriggerDocument } from '../../wire.js';
import { makeFolder } from '../disk.js';
import { refusal } from '../refusal.js';

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

/** Folders of the buckets that triggers name, each once; one that cannot be a folder is left out. */
export function bucketsOf(
  stageDir: string,
  triggers: Iterable<TriggerDocument>,
): { readonly name: string; readonly folder: string }[] {
  const found = new Map<string, { name: string; folder: string }>();
  for (const { kind, props } of triggers) {
    if (kind !== 'bucket') continue;
    const bucket = props as unknown as BucketProps;
    if (bucket.path === undefined ? !NAME.test(bucket.bucket) : !isAbsolute(bucket.path)) continue;
    const folder = bucketFolder(stageDir, bucket);
    found.set(folder, { name: bucket.bucket, folder });
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The stage's own ones, also of triggers that are not enabled: people see where to put files. */
export async function makeBuckets(stageDir: string, triggers: Iterable<TriggerDocument>): Promise<void> {
  const own = join(stageDir, 'buckets');
  for (const { folder } of bucketsOf(stageDir, triggers))
    if (dirname(folder) === own) await makeFolder(folder);
}
