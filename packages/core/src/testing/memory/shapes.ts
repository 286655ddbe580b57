import type { Capabilities } from '../../provider/contract.js';

export type ShapeName = 'lambda' | 'slots' | 'flex' | 'cloudRun' | 'openfaas' | 'whisk' | 'local';

const common = {
  stamps: true,
  candidateAddress: true,
  seats: null,
  metricsByVersion: true,
  retention: { max: null, autoRemoves: false },
  writesPerSecond: 10,
  triggers: ['http', 'schedule', 'queue', 'topic', 'bucket'],
} as const;

const slots: Capabilities = {
  ...common,
  unit: 'app',
  alias: 'service',
  split: { targets: 2, step: 1, sticky: 'cookie', scope: 'http' },
  cas: 'check-then-write',
  seats: 2,
  flip: { takes: 'minutes', confirmable: true, downtime: false },
  secrets: 'by reference',
};

/** What each shape says of itself, documented and probed. */
export const shapes: Readonly<Record<ShapeName, Capabilities>> = {
  lambda: {
    ...common,
    unit: 'function',
    alias: 'unit',
    split: { targets: 2, step: 1, sticky: 'no', scope: 'all' },
    cas: 'native',
    flip: { takes: 'seconds', confirmable: false, downtime: false },
    secrets: 'in version',
  },
  slots,
  flex: {
    ...slots,
    split: { targets: 1, step: 100, sticky: 'no', scope: 'all' },
    seats: 1,
    candidateAddress: false,
    metricsByVersion: false,
    flip: { takes: 'minutes', confirmable: false, downtime: true },
  },
  cloudRun: {
    ...common,
    unit: 'function',
    alias: 'unit',
    split: { targets: 2, step: 1, sticky: 'no', scope: 'all' },
    cas: 'native',
    retention: { max: 1000, autoRemoves: true },
    flip: { takes: 'seconds', confirmable: true, downtime: false },
    secrets: 'by reference',
  },
  openfaas: {
    ...common,
    unit: 'function',
    alias: 'service',
    split: { targets: 2, step: 1, sticky: 'key', scope: 'all' },
    cas: 'check-then-write',
    seats: 14,
    flip: { takes: 'seconds', confirmable: true, downtime: true },
    secrets: 'by reference',
  },
  whisk: {
    ...common,
    unit: 'package',
    alias: 'service',
    split: { targets: 2, step: 1, sticky: 'no', scope: 'all' },
    cas: 'check-then-write',
    flip: { takes: 'subsecond', confirmable: false, downtime: false },
    secrets: 'by reference',
  },
  local: {
    ...common,
    unit: 'function',
    alias: 'service',
    split: { targets: 2, step: 1, sticky: 'key', scope: 'all' },
    cas: 'native',
    flip: { takes: 'subsecond', confirmable: true, downtime: false },
    secrets: 'by reference',
  },
};

export const shapeNames = Object.keys(shapes) as readonly ShapeName[];

/** What a version needs before it can answer calls. */
export const warmth: Readonly<Record<ShapeName, 'nothing' | 'time' | 'seat' | 'scale'>> = {
  /** Becomes active by itself, some time after it was published. */
  lambda: 'time',
  cloudRun: 'time',
  /** Sits in production or in the slot; seating it puts out what sat in the slot. */
  slots: 'seat',
  /** Scaled to one and up. */
  openfaas: 'scale',
  flex: 'nothing',
  whisk: 'nothing',
  local: 'nothing',
};
