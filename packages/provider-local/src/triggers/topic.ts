import { type Json, type ResourceHandler, type Scope, sameJson, type TopicProps } from '@sfx-deploy/plugin';
import type { Client } from '../client.js';
import { triggerHandler } from './handler.js';

/** A function that gets its own copy of what is published to a topic. */
export function topicTriggers(scope: Scope, client: Client): ResourceHandler {
  return triggerHandler(scope, client, {
    kind: 'topic',
    outputsOf: ({ props }) => ({ topic: (props as unknown as TopicProps).topic }),
    change,
  });
}

/** A filter that lets less through keeps messages from a version that counts on them. */
function change(from: Json, to: Json): ReturnType<ResourceHandler['change']> {
  if (sameJson(from, to)) return 'none';
  const [before, after] = [from as unknown as TopicProps, to as unknown as TopicProps];
  if (before.topic !== after.topic) return 'replaces';
  return passes(after.filter, before.filter) ? 'widens' : 'breaks';
}

/** Whether all that passes `before` passes `after` too. */
function passes(after: TopicProps['filter'], before: TopicProps['filter']): boolean {
  return Object.entries(after ?? {}).every(([name, texts]) =>
    before?.[name]?.every((text) => texts.includes(text)),
  );
}
