import type { Delivery } from '../delivery.js';

const KINDS: readonly string[] = ['queue', 'topic', 'schedule', 'bucket'];

/** The delivery in a payload `{ $event: … }`: the function is called by a trigger that pulls. */
export function deliveryIn(payload: unknown): Delivery | undefined {
  const found = (payload as { $event?: { kind?: unknown } | null } | null | undefined)?.$event;
  return KINDS.includes(found?.kind as string) ? (found as Delivery) : undefined;
}
