import { type Look, paint, sign } from './look.js';
import { seconds, timed } from './text.js';

export interface Tested {
  readonly release: number;
  readonly candidate: boolean;
  readonly as: 'exit' | 'signal' | 'time' | 'interrupted';
  readonly exit: number | null;
  readonly ms: number;
}

/** How the tests ended, and what they were of. */
export function testLines(
  { service, stage }: { readonly service: string; readonly stage: string },
  { release, candidate, as, exit, ms }: Tested,
  look: Look,
): string[] {
  const what = `release ${release} of ${service} ${stage}${candidate ? ' (the candidate)' : ''}`;
  if (as === 'exit' && exit === 0) return [timed(`${sign(look, 'ok')} Tests pass: ${what}.`, ms, look)];
  const why = {
    exit: `exit code ${exit}`,
    signal: 'killed',
    time: `not done after ${seconds(ms)}`,
    interrupted: 'interrupted',
  }[as];
  return [timed(`${sign(look, 'bad')} ${paint(look, 'red', `Tests fail: ${what}; ${why}.`)}`, ms, look)];
}
