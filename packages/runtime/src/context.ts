import type { PlainContext } from './plain.js';

/** What a handler gets as its second parameter, in every style. */
export interface HandlerContext {
  readonly requestId: string;
  /** The same as `requestId`, under the name that handlers written for AWS use. */
  readonly awsRequestId: string;
  readonly functionName: string;
  readonly functionVersion: string;
  readonly release: number | null;
  readonly service: string;
  readonly stage: string;
  /** W3C `traceparent` of this call, for calls that the handler makes itself. Absent where the host keeps none. */
  readonly trace?: string;
  /** Milliseconds until the host gives up on this call; never below 0. */
  getRemainingTimeInMillis(): number;
}

export function handlerContext(context: PlainContext): HandlerContext {
  const { requestId, function: functionName, version: functionVersion, release, service, stage } = context;
  const getRemainingTimeInMillis = () => Math.max(0, context.deadline - Date.now());
  const { trace } = context;
  const base = {
    requestId,
    awsRequestId: requestId,
    functionName,
    functionVersion,
    release,
    service,
    stage,
    getRemainingTimeInMillis,
  };
  return trace === undefined ? base : Object.assign(base, { trace });
}
