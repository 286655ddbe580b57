import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copyOf, edit, type Home } from '../../support.js';

/** A shop whose builds are numbered: each answer tells of which build it is. */
export interface Shop {
  readonly dir: string;
  /** Makes the source that of the next build, and answers its number. */
  next(): Promise<number>;
  /** The number of the build that answers on every route; fails when not all are of one. */
  build(): Promise<number>;
  status(): Promise<ShopStatus>;
}

export interface ShopStatus {
  readonly state: string;
  readonly lease: unknown;
  readonly drift: readonly unknown[];
  readonly release: { readonly number: number } | null;
  readonly candidate?: { readonly release: number; readonly percent: number };
  readonly urls: { readonly http?: string };
}

/**
 * Builds with an odd number have a function and a route more, have `GET /products` at that function, and have no
 * `POST /orders`: a deploy adds, moves and removes triggers.
 */
function configOf(build: number): string {
  const odd = build % 2 === 1;
  const routes: [name: string, handler: string, routes: string[]][] = [
    ['front', 'src/front.default', ['GET /']],
    ['list', 'src/list.get', odd ? ['GET /list'] : ['GET /list', 'GET /products']],
    ['product', 'src/product.get', ['GET /products/{id}']],
    odd
      ? ['search', 'src/list.get', ['GET /products', 'GET /search']]
      : ['order', 'src/order.post', ['POST /orders']],
  ];
  const functions = routes.map(
    ([name, handler, sources]) =>
      `  ${name}:\n    handler: ${handler}\n    events:\n${sources.map((source) => `      - http: ${source}\n`).join('')}`,
  );
  return `service: shop\nprovider:\n  name: local\nfunctions:\n${functions.join('')}`;
}

export async function openShop(home: Home): Promise<Shop> {
  const dir = await copyOf('shop', join(home.dir, 'shop'));
  // Its routes alone are asked here: there is no queue that an order could be put on.
  await writeFile(join(dir, 'src/send.ts'), 'export async function send(): Promise<void> {}\n');
  let number = 0;
  let url: string | undefined;
  const status = async (): Promise<ShopStatus> => {
    const ended = await home.sfx(home.empty, 'status', '--service', 'shop', '--provider', 'local', '--json');
    assert.equal(ended.exit, 0, ended.err);
    return JSON.parse(ended.out) as ShopStatus;
  };
  return {
    dir,
    status,
    async next() {
      number += 1;
      await edit(join(dir, 'src/catalog.ts'), (text) => text.replace(/price: \d+/, `price: ${number}`));
      await edit(join(dir, 'package.json'), (text) => text.replace(/"1\.0\.\d+"/, `"1.0.${number}"`));
      await writeFile(join(dir, 'serverless.yml'), configOf(number));
      return number;
    },
    async build() {
      // A stage keeps its port.
      url ??= (await status()).urls.http;
      assert.ok(url);
      const answers = await answersOf(url);
      const [first] = new Set(answers.values());
      assert.ok(first !== undefined);
      const odd = first % 2 === 1;
      const wanted = [
        'GET /',
        'GET /list',
        'GET /products',
        'GET /products/1',
        odd ? 'GET /search' : 'POST /orders',
      ];
      const expected = Object.fromEntries(wanted.map((route) => [route, first]));
      assert.deepEqual(Object.fromEntries(answers), expected, 'neither all old nor all new');
      return first;
    },
  };
}

/** Route → number of the build that answers; routes that are not there are left out. */
async function answersOf(url: string): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  const look = async (route: string, of: (body: never) => number, body?: string): Promise<void> => {
    const [method = '', path = ''] = route.split(' ');
    const answer = await fetch(`${url}${path}`, { method, ...(body === undefined ? {} : { body }) });
    const text = await answer.text();
    if (answer.status === 404 || answer.status === 405) return;
    assert.ok(answer.ok, `${route}: ${answer.status} ${text}`);
    found.set(route, of(JSON.parse(text) as never));
  };
  const listed = (body: { products: { price: number }[] }): number => body.products[0]!.price;
  await look('GET /', (body: { version: string }) => Number(body.version.split('.')[2]));
  await look('GET /list', listed);
  await look('GET /products', listed);
  await look('GET /products/1', (body: { price: number }) => body.price);
  await look('GET /search', listed);
  await look('POST /orders', (body: { total: number }) => body.total, '{"product":"1","quantity":1}');
  return found;
}
