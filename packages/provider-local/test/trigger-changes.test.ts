import assert from 'node:assert/strict';
import type { JsonObject } from '@sfx-deploy/core';
import type { Client } from '../src/client.js';
import { triggers } from '../src/triggers/index.js';
import { SCOPE } from './bench.js';

/** `change` is pure: it asks nobody. */
const handlers = triggers(SCOPE, {} as Client);

const route = { method: 'GET', path: '/a', cors: null };
const queue = { queue: 'a', batchSize: 5, maxReceives: 3, enabled: true };
const topic = { topic: 'a', filter: { kind: ['x', 'y'] }, enabled: true };
const schedule = { schedule: 'rate(1 hour)', timezone: 'UTC', overlap: 'skip', enabled: true };
const bucket = { bucket: 'a', events: ['created', 'changed'], prefix: 'in/', enabled: true };

const cases: readonly [kind: string, from: JsonObject, to: JsonObject, grade: string][] = [
  ['http', route, { ...route, path: '/b' }, 'replaces'],
  ['http', route, { ...route, authorizer: { function: 'check' } }, 'breaks'],
  ['http', { ...route, authorizer: { function: 'check' } }, route, 'widens'],
  ['queue', queue, { ...queue, queue: 'b' }, 'replaces'],
  ['queue', queue, { ...queue, batchSize: 6 }, 'breaks'],
  ['queue', queue, { ...queue, batchSize: 1 }, 'widens'],
  ['queue', queue, { ...queue, visibilityMs: 1000 }, 'breaks'],
  ['queue', { ...queue, visibilityMs: 1000 }, { ...queue, visibilityMs: 2000 }, 'widens'],
  ['queue', queue, { ...queue, maxReceives: 9 }, 'widens'],
  ['topic', topic, { ...topic, topic: 'b' }, 'replaces'],
  ['topic', topic, { ...topic, filter: { kind: ['x'] } }, 'breaks'],
  ['topic', topic, { ...topic, filter: { kind: ['x', 'y', 'z'] } }, 'widens'],
  ['topic', topic, { ...topic, filter: { kind: ['x', 'y'], land: ['de'] } }, 'breaks'],
  ['topic', topic, { topic: 'a', enabled: true }, 'widens'],
  ['schedule', schedule, { ...schedule, schedule: 'rate(1 day)' }, 'widens'],
  ['schedule', schedule, { ...schedule, input: { a: 1 } }, 'breaks'],
  ['schedule', schedule, { ...schedule, overlap: 'allow' }, 'breaks'],
  ['schedule', { ...schedule, overlap: 'allow' }, schedule, 'widens'],
  ['bucket', bucket, { ...bucket, bucket: 'b' }, 'replaces'],
  ['bucket', bucket, { ...bucket, path: '/srv' }, 'replaces'],
  ['bucket', bucket, { ...bucket, events: ['created'] }, 'breaks'],
  ['bucket', bucket, { ...bucket, events: ['created', 'changed', 'removed'] }, 'widens'],
  ['bucket', bucket, { ...bucket, prefix: 'in/a' }, 'breaks'],
  ['bucket', bucket, { ...bucket, prefix: 'i' }, 'widens'],
  ['bucket', bucket, { ...bucket, suffix: '.png' }, 'breaks'],
];

describe('a change of a trigger', () => {
  for (const [kind, from, to, grade] of cases) {
    it(`of kind ${kind}: ${JSON.stringify(from)} to ${JSON.stringify(to)} ${grade}`, () => {
      assert.equal(handlers[kind]?.change(from, to), grade);
      assert.equal(handlers[kind]?.change(to, to), 'none');
    });
  }
});
