import type { ErrorCode } from '@sfx-deploy/plugin';
import type { Failure } from '../instances/outcomes.js';

/** What a call that failed is called where people see it. */
export const FAILED: Readonly<Record<Failure, ErrorCode>> = {
  threw: 'SFX6106',
  crashed: 'SFX6107',
  timeout: 'SFX6108',
  unloadable: 'SFX6111',
  busy: 'SFX6110',
};

/** Functions that may call each other in a row before the chain is cut. */
export const MOST_DEPTH = 16;
