import { bucketFeeds } from './bucket-feed.js';
import type { FeedFactory } from './feeds.js';
import { queueFeeds, topicFeeds } from './queue-feed.js';
import { scheduleFeeds } from './schedule-feed.js';

/** What an enabled trigger does, by its kind. Triggers of other kinds are asked. */
export const feedKinds: Readonly<Record<string, FeedFactory>> = {
  queue: queueFeeds(),
  topic: topicFeeds(),
  schedule: scheduleFeeds(),
  bucket: bucketFeeds(),
};
