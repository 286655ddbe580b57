import type { JsonObject, ServiceEvent, ServiceFunction, Trigger } from '@sfx-deploy/plugin';
import type { Report } from './report.js';

/** The one alias of a service and stage: one write flips all functions. */
export const ALIAS = 'live';

/** One event of one function with where it was written. */
export interface Found {
  readonly fn: ServiceFunction;
  readonly event: ServiceEvent;
  /** Which of the function's schedules it is, from 1. */
  readonly nth: number;
}

/** Makes a trigger of an event in its neutral form. What is wrong or not here goes to the report. */
export type Maker = (found: Found, props: JsonObject, report: Report) => Trigger | undefined;
