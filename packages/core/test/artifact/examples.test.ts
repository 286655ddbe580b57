import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { buildUnits } from '../../src/artifact/index.js';
import { ask, load, realRun, temporary, unit } from './samples.js';

const examples = fileURLToPath(new URL('../../../../examples', import.meta.url));

async function build(example: string, handlers: Record<string, string>) {
  const cacheDir = await temporary();
  const dir = join(examples, example);
  const requests = Object.entries(handlers).map(([key, handler]) => ({
    key,
    unit: unit({ [key]: handler }),
    dir,
  }));
  try {
    const artifacts = await buildUnits(requests, { cacheDir }, realRun());
    const loaded = await Promise.all(
      Object.entries(artifacts).map(async ([name, artifact]) => [name, await load(artifact, name)] as const),
    );
    return Object.fromEntries(loaded);
  } finally {
    await rm(cacheDir, { recursive: true });
  }
}

describe('the example hello', () => {
  it('answers GET / with JSON', async () => {
    const { hello } = await build('hello', { hello: 'src/hello.get' });
    assert.deepEqual(await ask(hello!, 'GET /'), {
      status: 200,
      body: { message: 'Hello', function: 'f', stage: 'dev' },
    });
  });
});

describe('the example shop', () => {
  let shop: Awaited<ReturnType<typeof build>>;
  const sent: string[] = [];
  /** Where handlers send messages, as far as they see. */
  const events = createServer(async (req, res) => {
    sent.push(`${req.url} ${await text(req)}`);
    res.writeHead(202).end('{}');
  });
  before(async () => {
    await new Promise<void>((resolve) => events.listen(0, '127.0.0.1', resolve));
    process.env['SFX_EVENTS_URL'] = `http://127.0.0.1:${(events.address() as AddressInfo).port}`;
    shop = await build('shop', {
      front: 'src/front.default',
      list: 'src/list.get',
      product: 'src/product.get',
      order: 'src/order.post',
    });
  });

  after(() => {
    delete process.env['SFX_EVENTS_URL'];
    events.close();
    events.closeAllConnections();
  });

  const order = (value: string) => ask(shop['order']!, 'POST /orders', { body: Buffer.from(value) });

  it('is written in two styles', () => {
    const styles = Object.entries(shop).map(([name, { style }]) => `${name} ${style}`);
    assert.deepEqual(styles, ['front fetch', 'list event', 'product event', 'order event']);
  });

  it('says its name and version at the front', async () => {
    const { status, body } = await ask(shop['front']!, 'GET /');
    assert.equal(status, 200);
    assert.deepEqual(
      { ...(body as object), greeting: undefined },
      { name: 'shop', version: '1.0.0', greeting: undefined },
    );
  });

  it('lists products', async () => {
    const { status, body } = await ask(shop['list']!, 'GET /products');
    assert.equal(status, 200);
    assert.equal((body as { products: unknown[] }).products.length, 3);
  });

  it('shows one product, or says that there is none', async () => {
    const one = await ask(shop['product']!, 'GET /products/2', { params: { id: '2' } });
    assert.deepEqual(one, { status: 200, body: { currency: 'EUR', id: '2', name: 'Cup', price: 900 } });
    assert.equal((await ask(shop['product']!, 'GET /products/9', { params: { id: '9' } })).status, 404);
  });

  it('takes orders and puts them on the queue, and refuses what is none', async () => {
    const taken = await order('{"product":"2","quantity":3}');
    assert.deepEqual(taken, {
      status: 201,
      body: { product: '2', quantity: 3, total: 2700, currency: 'EUR' },
    });
    assert.equal((await order('{"product":"9","quantity":1}')).status, 404);
    for (const wrong of ['', '{', 'null', '{"product":"2","quantity":0}', '{"quantity":1}']) {
      assert.equal((await order(wrong)).status, 400, wrong);
    }
    assert.deepEqual(sent, ['/queues/orders {"product":"2","quantity":3,"total":2700}']);
  });
});
