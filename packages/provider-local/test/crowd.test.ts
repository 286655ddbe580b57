import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Crowd, createCrowd } from '../src/daemon/instances/crowd.js';

/** A pool of pretended instances that asks for one more whenever it may. */
function member(crowd: Crowd, wants = Infinity) {
  const own = { busy: 0, idle: [] as number[], wants, given: 0 };
  const count = () => own.busy + own.idle.length;
  const open = () => {
    if (count() < own.wants && crowd.mayOpen(one)) own.busy += 1;
  };
  const one = {
    instances: count,
    idleSince: () => own.idle[0],
    stopIdlest: () => void own.idle.shift(),
    more: () => {
      own.given += 1;
      open();
    },
  };
  crowd.join(one);
  return { own, one, open, count };
}

describe('instances of all functions together', () => {
  it('are no more than the most, beside the first of each', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { maxLength: 200 }), (steps) => {
        const crowd = createCrowd({ most: 4 });
        const members = Array.from({ length: 10 }, () => member(crowd));
        for (const step of steps) {
          const { open, own } = members[step]!;
          open();
          if (own.busy > 1 && step % 3 === 0) {
            own.busy -= 1;
            crowd.left();
          }
          const total = members.reduce((sum, one) => sum + one.count(), 0);
          const firsts = members.filter((one) => one.count() > 0).length;
          assert.ok(total <= Math.max(4, firsts + 3), `${total}`);
          assert.ok(members[step]!.count() > 0);
        }
      }),
    );
  });

  it('give way to others when they have nothing to do, the longest idle first', () => {
    const crowd = createCrowd({ most: 3 });
    const [early, late, third] = [member(crowd), member(crowd), member(crowd)];
    early.own.idle = [5];
    late.own.idle = [9];
    third.open();
    third.open();
    assert.deepEqual([early.count(), late.count(), third.count()], [0, 1, 2]);
  });

  it('go to who has the fewest when one ends', () => {
    const crowd = createCrowd({ most: 6 });
    const [flood, other, few] = [member(crowd), member(crowd), member(crowd)];
    few.open();
    other.open();
    for (let n = 0; n < 6; n++) flood.open();
    assert.equal(flood.count(), 4);
    other.open();
    assert.equal(other.count(), 1);
    assert.equal(crowd.shouldYield(flood.one), true);
    assert.equal(crowd.shouldYield(few.one), false);
    flood.own.busy -= 1;
    crowd.left();
    assert.deepEqual([flood.count(), other.count()], [3, 2]);
    assert.equal(crowd.shouldYield(flood.one), false);
  });

  it('are asked for no longer by one that left', () => {
    const crowd = createCrowd({ most: 1 });
    const [flood, other] = [member(crowd), member(crowd)];
    flood.open();
    other.open();
    other.open();
    crowd.leave(other.one);
    flood.own.busy = 5;
    assert.equal(crowd.shouldYield(flood.one), false);
    flood.own.busy = 0;
    crowd.left();
    assert.equal(other.own.given, 0);
  });
});
