import { all, currency } from './catalog.js';

export function get() {
  return { currency: currency(), products: all() };
}
