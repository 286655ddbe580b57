import { randomFillSync } from 'node:crypto';

/** The span of one call: its own id in the trace that it is part of. */
export interface Span {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  /** Span of whoever called; absent where the trace begins here. */
  readonly parentId?: string;
  /** Whoever began the trace wants it recorded. */
  readonly sampled: boolean;
  /** `traceparent` for what this call calls itself. */
  readonly header: string;
}

/** What a `traceparent` says. */
export interface TraceParent {
  readonly traceId: string;
  readonly parentId: string;
  readonly sampled: boolean;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);

/**
 * Reads a `traceparent` as W3C Trace Context says. Undefined for anything that is not one: then a new trace begins. Of a
 * later version than 00 the fields that 00 has are read.
 */
export function parseTrace(header: string | undefined): TraceParent | undefined {
  if (header === undefined || header.length < 55 || header.length > 512) return undefined;
  const found = TRACEPARENT.exec(header);
  if (found === null) return undefined;
  const [, version, traceId, parentId, flags, more] = found;
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (traceId === NO_TRACE || parentId === NO_SPAN) return undefined;
  return { traceId: traceId!, parentId: parentId!, sampled: (Number.parseInt(flags!, 16) & 1) === 1 };
}

/** A span of its own below what came; a new trace, which is sampled, where nothing valid came. */
export function startSpan(came: string | undefined): Span {
  const parent = came === undefined ? undefined : parseTrace(came);
  const spanId = randomHex(8);
  if (parent === undefined) {
    const traceId = randomHex(16);
    return { traceId, spanId, sampled: true, header: `00-${traceId}-${spanId}-01` };
  }
  const { traceId, parentId, sampled } = parent;
  return { traceId, spanId, parentId, sampled, header: `00-${traceId}-${spanId}-${sampled ? '01' : '00'}` };
}

/** Asking the system for a few bytes at a time would cost more than the rest of a span. */
function randomness(): (bytes: number) => string {
  const pool = Buffer.alloc(4_096);
  let at = pool.length;
  return function hex(bytes): string {
    if (at + bytes > pool.length) {
      randomFillSync(pool);
      at = 0;
    }
    const text = pool.toString('hex', at, at + bytes);
    at += bytes;
    // An id may not be all zero.
    return /^0+$/.test(text) ? hex(bytes) : text;
  };
}

const randomHex = randomness();
