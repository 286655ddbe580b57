import { currency, find } from './catalog.js';

/** Messages of a queue, in the shape that Lambda gives them. */
interface QueueEvent {
  readonly Records: readonly { readonly messageId: string; readonly body: string }[];
}

interface Order {
  readonly product: string;
  readonly quantity: number;
  readonly total: number;
}

/** Packs orders. One that cannot be packed comes back, and in the end goes to the dead letters; the others are done. */
export async function pack(event: QueueEvent) {
  const failed: { itemIdentifier: string }[] = [];
  for (const { messageId, body } of event.Records) {
    const order = JSON.parse(body) as Order;
    const product = find(order.product);
    if (product === undefined) failed.push({ itemIdentifier: messageId });
    else console.log(`packed ${order.quantity} x ${product.name} for ${order.total / 100} ${currency()}`);
  }
  return { batchItemFailures: failed };
}
