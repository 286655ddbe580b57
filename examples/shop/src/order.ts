import { currency, find } from './catalog.js';
import { type HttpEvent, json } from './event.js';
import { send } from './send.js';

interface Order {
  readonly product: string;
  readonly quantity: number;
}

/** Takes `{ "product": "2", "quantity": 3 }`; what it accepts is on the queue, for `worker`. */
export async function post(event: HttpEvent) {
  const order = parse(event);
  if (order === undefined) return json(400, { error: 'send { "product": "<id>", "quantity": <1 to 100> }' });
  const product = find(order.product);
  if (product === undefined) return json(404, { error: `no product ${order.product}` });
  const total = product.price * order.quantity;
  await send('orders', { ...order, total });
  return json(201, { ...order, total, currency: currency() });
}

function parse(event: HttpEvent): Order | undefined {
  const text = event.isBase64Encoded
    ? Buffer.from(event.body ?? '', 'base64').toString('utf8')
    : (event.body ?? '');
  try {
    const { product, quantity } = JSON.parse(text) as Partial<Order>;
    const whole =
      typeof quantity === 'number' && Number.isInteger(quantity) && quantity >= 1 && quantity <= 100;
    return typeof product === 'string' && whole ? { product, quantity } : undefined;
  } catch {
    return undefined;
  }
}
