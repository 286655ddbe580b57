import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { startLoad } from '../load.js';
import { type Home, openHome } from '../support.js';

interface Kind {
  /** Every nth call fails; 0: none does. */
  readonly fails: number;
  /** Milliseconds that a call takes. */
  readonly takes: number;
}

/** A good release fails too, now and then: one call in 500. */
const GOOD: Kind = { fails: 500, takes: 30 };

describe('a canary under real traffic', function () {
  this.timeout(120_000);
  let home: Home;
  let dir = '';
  let edition = 0;

  before(async () => {
    home = await openHome('canary');
    dir = join(home.dir, 'pay');
    await mkdir(join(dir, 'src'), { recursive: true });
    await writeFile(join(dir, 'package.json'), '{"name":"pay","private":true,"type":"module"}\n');
    await writeFile(
      join(dir, 'serverless.yml'),
      `service: pay
provider:
  name: local
functions:
  pay:
    handler: src/pay.get
    events:
      - http: GET /pay
rollout:
  steps:
    - setWeight: 30
    - pause: 3s
  analysis:
    interval: 600ms
    failureLimit: 2
    minSamples: 200
    metrics:
      - { name: error-rate, max: 1% }
      - { name: latency-p95, tolerance: 100% }
`,
    );
    await written(GOOD);
    const { exit, out, err } = await home.sfx(dir, 'deploy');
    assert.equal(exit, 0, out + err);
  });
  after(() => home.close());

  async function written({ fails, takes }: Kind): Promise<void> {
    edition += 1;
    await writeFile(
      join(dir, 'src/pay.js'),
      `let calls = ${edition};
export const get = async () => {
  await new Promise((resolve) => setTimeout(resolve, ${takes}));
  calls += 1;
  return { statusCode: ${fails} > 0 && calls % ${fails || 1} === 0 ? 500 : 200, body: 'edition ${edition}' };
};
`,
    );
  }

  async function liveRelease(): Promise<number | null> {
    const { out } = await home.sfx(dir, 'status', '--json');
    return (JSON.parse(out) as { release: { number: number } | null }).release?.number ?? null;
  }

  /** Deploys while callers go on calling; how it ended, what it said, and whether a caller met anything but the handler. */
  async function rollOut(clients: number, pauseMs?: number) {
    const { out } = await home.sfx(dir, 'status', '--json');
    const { urls } = JSON.parse(out) as { urls: { http: string } };
    const load = startLoad(`${urls.http}/pay`, { clients, ...(pauseMs === undefined ? {} : { pauseMs }) });
    const ended = await home.sfx(dir, 'deploy');
    const met = await load.stop();
    const lost = met.lost.filter((why) => !why.startsWith('500 edition'));
    assert.deepEqual(lost, [], 'no call is lost while a rollout goes either way');
    return { exit: ended.exit, said: ended.out + ended.err, met };
  }

  it('that fails in 4 % of its calls is caught and rolled back', async () => {
    const before = await liveRelease();
    await written({ fails: 25, takes: 30 });
    const { exit, said, met } = await rollOut(32);
    assert.equal(exit, 3, said);
    assert.match(said, /SFX5001/);
    assert.match(said, /errors \d\.\d % over 1\.0 %/);
    assert.equal(await liveRelease(), before);
    assert.ok(Object.keys(met.byRelease).length === 2, 'both releases were called');
  });

  it('that takes three times as long is caught and rolled back', async () => {
    const before = await liveRelease();
    await written({ fails: 500, takes: 90 });
    const { exit, said } = await rollOut(32);
    assert.equal(exit, 3, said);
    assert.match(said, /p95 \d+ ms, stable \d+ ms/);
    assert.equal(await liveRelease(), before);
  });

  it('that is as good as stable is promoted', async () => {
    const before = await liveRelease();
    await written(GOOD);
    const { exit, said } = await rollOut(32);
    assert.equal(exit, 0, said);
    assert.ok((await liveRelease())! > before!);
  });

  it('that hardly anybody called is not promoted and not rolled back: it stays open', async () => {
    const before = await liveRelease();
    await written(GOOD);
    const { exit, said } = await rollOut(1, 100);
    assert.equal(exit, 5, said);
    assert.match(said, /of 200 calls\s+needed/);
    assert.equal(await liveRelease(), before, 'the stable release is the one before');
  });
});
