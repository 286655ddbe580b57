import type { Scope } from '@sfx-deploy/plugin';
import { isName, keyOf } from '../../../names.js';
import type { EngineInfo } from '../../../wire.js';
import { refusal, textOf } from '../../refusal.js';
import type { Stage } from '../../stage/stage.js';
import type { Stages } from '../../stage/stages.js';
import type { Serving } from '../../stage/versions.js';

/** What the admin door opens. */
export interface Engine {
  readonly stages: Stages;
  info(): EngineInfo;
  /** Begins to stop; the answer to who asked is sent first. */
  stop(): void;
}

export interface AdminCall {
  readonly engine: Engine;
  /** Values of `:name` in the path, checked. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  readonly signal: AbortSignal;
}

export interface AdminRoute {
  readonly method: string;
  readonly pattern: string;
  /** Bytes of a body. */
  readonly limit: number;
  /** A function as the answer is a stream of lines. */
  act(call: AdminCall): Promise<unknown>;
}

const taken = Symbol('accepted');

/** An answer for what is done later: 202 instead of 200. */
export function accepted(answer: object): object {
  return { ...answer, [taken]: true };
}

export function isAccepted(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && taken in answer;
}

export const MB = 1024 * 1024;
export const STAGE = '/v1/stages/:service/:stage';
export const VERSION = `${STAGE}/versions/:unit/:digest`;

export function route(method: string, pattern: string, act: AdminRoute['act'], limit = MB): AdminRoute {
  return { method, pattern, limit, act };
}

/** The values in a path. One that is no name or digest is refused here, so none reaches the disk. */
export function valuesOf(pattern: string, pathname: string): Record<string, string> | undefined {
  const [parts, given] = [pattern.split('/'), pathname.split('/')];
  if (parts.length !== given.length) return undefined;
  const values: Record<string, string> = {};
  for (const [n, part] of parts.entries()) {
    const text = given[n]!;
    if (!part.startsWith(':')) {
      if (part !== text) return undefined;
      continue;
    }
    const name = part.slice(1);
    const fits = name === 'digest' ? keyOf(text) !== undefined : isName(text);
    if (!fits) throw refusal(400, 'SFX6007', `not a ${name}: ${JSON.stringify(text)}`);
    values[name] = text;
  }
  return values;
}

export function scopeOf(call: AdminCall): Scope {
  return { service: call.path['service']!, stage: call.path['stage']! };
}

export function known(call: AdminCall): Stage | undefined {
  return call.engine.stages.get(scopeOf(call));
}

export function missing(what: string): never {
  throw refusal(404, 'SFX6011', `no such ${what}`);
}

export function found(call: AdminCall): Serving | undefined {
  return known(call)?.versions.byKey(call.path['unit']!, call.path['digest']!);
}

export function version(call: AdminCall): Serving {
  const one = found(call);
  if (one === undefined)
    throw refusal(
      404,
      'SFX3105',
      `version ${call.path['unit']}@${call.path['digest']!.slice(0, 12)} is gone`,
    );
  return one;
}

export function jsonOf<T>(body: Buffer): T {
  try {
    return JSON.parse(body.toString('utf8')) as T;
  } catch (error) {
    throw refusal(400, 'SFX6003', `the body is not JSON: ${textOf(error)}`);
  }
}
