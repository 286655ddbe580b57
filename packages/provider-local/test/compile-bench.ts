import assert from 'node:assert/strict';
import {
  isSfxError,
  type JsonObject,
  type Service,
  type ServiceEvent,
  type ServiceFunction,
} from '@sfx-deploy/core';
import { provider } from '../src/index.js';
import { functionOf } from './bench.js';

export const compile = (service: Service) => provider.compile(service, {}, provider.documented);
export const notes = (service: Service) =>
  (provider.notes?.(service, {}, provider.documented) ?? []).map(({ code, message }) => `${code} ${message}`);

export function problems(service: Service): string[] {
  try {
    compile(service);
  } catch (thrown) {
    assert.ok(isSfxError(thrown) && thrown.code === 'SFX2200', String(thrown));
    return (thrown.details.diagnostics ?? []).map(({ code, message }) => `${code} ${message}`);
  }
  return assert.fail('it should be refused');
}

let written = 0;
export const event = (kind: string, props: JsonObject): ServiceEvent => ({
  kind,
  props,
  pointer: `/functions/work/events/${written++}/${kind}`,
});
export const plain = { environment: {} };
export const work = (events: readonly ServiceEvent[], change: Partial<ServiceFunction> = {}) =>
  functionOf('work', { ...plain, events, ...change });
export const schedule = (props: JsonObject): ServiceEvent =>
  event('schedule', {
    schedule: 'rate(5 minutes)',
    timezone: 'UTC',
    overlap: 'skip',
    enabled: true,
    ...props,
  });
export const aws = { provider: { name: 'local', options: {}, written: 'aws' } };
