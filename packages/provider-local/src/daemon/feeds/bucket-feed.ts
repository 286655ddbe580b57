import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BucketProps } from '@sfx-deploy/plugin';
import type { TriggerDocument } from '../../wire.js';
import { makeFolder } from '../disk.js';
import { createBrake } from './bucket-brake.js';
import { bucketFolder } from './bucket-folder.js';
import { openIndex } from './bucket-index.js';
import { type Looking, watchBucket } from './bucket-looks.js';
import type { Feed, FeedFactory, FeedHost } from './feeds.js';
import { singlePump } from './single-pump.js';

export interface BucketTimings {
  /** Default 1,000: between two looks at a small bucket; a large one is looked at less often. */
  readonly lookMs?: number;
  /** Default 200: how long a file is left alone before it counts as written. */
  readonly quietMs?: number;
  /** Default 1,000: before the second try of a call. */
  readonly retryMs?: number;
}

const CALLS_AT_ONCE = 8;
/** What is being saved is looked for again so soon. */
const SAVING_MS = 10;

/**
 * Calls its function for files that appear, change or go in a folder. What is there when the trigger is first enabled is
 * no news, as in S3. Each change is kept on disk before the index that says that it was noticed; then it is tried up to
 * three times. Throws SFX6007 and SFX6010 for a bucket that cannot be a folder.
 */
export function bucketFeeds(timings: BucketTimings = {}): FeedFactory {
  return (trigger, host) => openBucket(trigger, host, timings);
}

async function openBucket(trigger: TriggerDocument, host: FeedHost, timings: BucketTimings): Promise<Feed> {
  const { lookMs = 1_000, quietMs = 200, retryMs = 1_000 } = timings;
  const props = trigger.props as unknown as BucketProps;
  const root = bucketFolder(host.stageDir, props);
  await makeFolder(host.dir);
  if (props.path === undefined) await makeFolder(root);
  const path = join(host.dir, 'bucket.json');
  // Nothing that happens now is owed later.
  if (!props.enabled || host.fresh) await rm(path, { force: true });
  const brake = createBrake(
    () => performance.now(),
    () => host.log(`bucket ${props.bucket}: too many changes at once; calls are slowed down to 100 a second`),
  );
  const queue = await host.own();
  const looking: Looking = {
    trigger,
    props,
    root,
    queue,
    brake,
    now: host.now,
    log: host.log,
    lookMs,
    quietMs,
  };
  const looks = props.enabled ? await watchBucket(looking, await openIndex(path, root)) : undefined;
  const pump = singlePump({
    queue,
    trigger,
    cause: 'bucket',
    caller: host.caller,
    concurrency: CALLS_AT_ONCE,
    lane: (message) => message.attributes['key'] ?? '',
    pace: () => (looks?.unsaved() === true ? SAVING_MS : brake.pace()),
    log: host.log,
    retryMs,
  });
  return {
    async close(graceMs) {
      await looks?.close();
      await pump.close(graceMs);
    },
  };
}
