export interface Product {
  readonly id: string;
  readonly name: string;
  /** In cents. */
  readonly price: number;
}

const products: readonly Product[] = [
  { id: '1', name: 'Teapot', price: 2400 },
  { id: '2', name: 'Cup', price: 900 },
  { id: '3', name: 'Kettle', price: 5200 },
];

export function all(): readonly Product[] {
  return products;
}

export function find(id: string): Product | undefined {
  return products.find((product) => product.id === id);
}

export function currency(): string {
  return process.env['CURRENCY'] ?? 'EUR';
}
