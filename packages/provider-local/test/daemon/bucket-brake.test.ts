import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  BURST,
  createBrake,
  KEY_CHANGES,
  KEY_WINDOW_MS,
  RATE,
  REST_MS,
} from '../../src/daemon/feeds/bucket-brake.js';

describe('the brake of a bucket', () => {
  it('lets a burst through, then slows down, and says so once each time', () => {
    let now = 0;
    let slowed = 0;
    const brake = createBrake(
      () => now,
      () => {
        slowed += 1;
      },
    );
    for (let n = 0; n < BURST; n += 1) assert.equal(brake.pace(), 0);
    assert.equal(slowed, 0);
    let through = 0;
    for (const end = now + 10_000; now < end; ) {
      const wait = brake.pace();
      if (wait === 0) through += 1;
      now += wait;
    }
    assert.ok(Math.abs(through - 10 * RATE) <= 1, String(through));
    assert.equal(slowed, 1);
    now += (BURST / RATE) * 1_000;
    for (let n = 0; n < BURST; n += 1) assert.equal(brake.pace(), 0);
    assert.ok(brake.pace() > 0);
    assert.equal(slowed, 2);
  });

  it('lets a key rest that changes again and again, for a minute, and no other', () => {
    let now = 0;
    const brake = createBrake(
      () => now,
      () => undefined,
    );
    for (let n = 0; n < KEY_CHANGES; n += 1) assert.equal(brake.announced('a'), false);
    assert.equal(brake.rests('a'), false);
    assert.equal(brake.announced('a'), true);
    assert.deepEqual([brake.rests('a'), brake.rests('b')], [true, false]);
    now += REST_MS;
    assert.equal(brake.rests('a'), false);
    for (let n = 0; n < 3 * KEY_CHANGES; n += 1) {
      now += KEY_WINDOW_MS / KEY_CHANGES;
      assert.equal(brake.announced('a'), false);
    }
  });
});
