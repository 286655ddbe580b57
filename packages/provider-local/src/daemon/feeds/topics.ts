import { randomUUID } from 'node:crypto';
import type { TopicProps } from '@sfx-deploy/plugin';
import type { TriggerDocument } from '../../wire.js';
import type { NewMessage, Queue } from '../queues/messages.js';

export interface Topics {
  /**
   * Keeps a copy for each subscription that is enabled and wants it; resolves with the ids once all of them are on disk.
   * When it throws, some may have theirs: with ids of the sender's own, sending again keeps one of each. A topic that
   * nobody subscribes to takes what it is sent, and counts it.
   */
  publish(topic: string, messages: readonly NewMessage[]): Promise<readonly string[]>;
  /** Messages that nobody wanted, since the daemon began. */
  unheard(): Readonly<Record<string, number>>;
}

export interface TopicsOptions {
  triggers(): Iterable<TriggerDocument>;
  own(trigger: TriggerDocument): Promise<Queue>;
}

export function createTopics({ triggers, own }: TopicsOptions): Topics {
  const unheard = new Map<string, number>();
  return {
    async publish(topic, messages) {
      const named = messages.map((message) => ({ ...message, id: message.id ?? randomUUID() }));
      const heard = new Set<string>();
      const copies: Promise<unknown>[] = [];
      for (const trigger of triggers()) {
        const props = trigger.props as unknown as TopicProps;
        if (trigger.kind !== 'topic' || !trigger.enabled || !props.enabled || props.topic !== topic) continue;
        const wanted = named.filter((message) => wants(props, message));
        if (wanted.length === 0) continue;
        for (const { id } of wanted) heard.add(id);
        copies.push(own(trigger).then((queue) => queue.send(wanted)));
      }
      // All of them, also when one fails: what was begun is over when this is.
      const results = await Promise.allSettled(copies);
      for (const result of results) if (result.status === 'rejected') throw result.reason;
      const lost = named.length - heard.size;
      if (lost > 0) unheard.set(topic, (unheard.get(topic) ?? 0) + lost);
      return named.map(({ id }) => id);
    },
    unheard: () => Object.fromEntries(unheard),
  };
}

/** Each attribute that the filter names has one of its values. */
function wants({ filter }: TopicProps, { attributes = {} }: NewMessage): boolean {
  return Object.entries(filter ?? {}).every(([name, values]) => {
    const value = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
    return value !== undefined && values.includes(value);
  });
}
