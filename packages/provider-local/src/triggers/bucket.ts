import { type BucketProps, type Json, type ResourceHandler, type Scope, sameJson } from '@sfx-deploy/plugin';
import type { Client } from '../client.js';
import { triggerHandler } from './handler.js';

/** A function that is called for files that appear, change or go in a folder. The files stay when the trigger goes. */
export function bucketTriggers(scope: Scope, client: Client): ResourceHandler {
  return triggerHandler(scope, client, {
    kind: 'bucket',
    outputsOf({ props }, { buckets = [] }): Readonly<Record<string, Json>> {
      const { bucket, path } = props as unknown as BucketProps;
      const folder = path ?? buckets.find(({ name }) => name === bucket)?.folder;
      return { bucket, ...(folder === undefined ? {} : { folder }) };
    },
    change,
  });
}

/** Another folder is another source. Fewer events, or a narrower rule, keep files from a version that counts on them. */
function change(from: Json, to: Json): ReturnType<ResourceHandler['change']> {
  if (sameJson(from, to)) return 'none';
  const [before, after] = [from as unknown as BucketProps, to as unknown as BucketProps];
  if (before.bucket !== after.bucket || before.path !== after.path) return 'replaces';
  const wider =
    before.events.every((event) => after.events.includes(event)) &&
    (before.prefix ?? '').startsWith(after.prefix ?? '') &&
    (before.suffix ?? '').endsWith(after.suffix ?? '');
  return wider ? 'widens' : 'breaks';
}
