import { currency, find } from './catalog.js';
import { type HttpEvent, json } from './event.js';

export async function get(event: HttpEvent) {
  const id = event.pathParameters?.['id'] ?? '';
  const product = find(id);
  return product ? json(200, { currency: currency(), ...product }) : json(404, { error: `no product ${id}` });
}
