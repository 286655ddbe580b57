import assert from 'node:assert/strict';
import { createMarks } from '../src/daemon/instances/process/marks.js';

describe('an answer that overtakes what its call wrote', () => {
  it('waits for the marks on both streams, in order', () => {
    const marks = createMarks();
    const told: number[] = [];
    marks.all([1, 2], () => told.push(1));
    marks.all([1], () => told.push(2));
    marks.seen('stdout');
    marks.seen('stdout');
    assert.deepEqual(told, []);
    marks.seen('stderr');
    assert.deepEqual(told, [1, 2]);
  });

  it('waits no longer than a second for a mark that does not come', async () => {
    const marks = createMarks();
    await new Promise<void>((resolve) => marks.all([1, 2], resolve));
    let told = false;
    marks.all([1], () => {
      told = true;
    });
    assert.equal(told, false);
    marks.seen('stdout');
    assert.equal(told, true);
  });
});
