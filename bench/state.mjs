// How many calls to the store a release makes, for services of 1, 10 and 100 functions: every function changes in each.
import { createRun, deploy, openSession, promote, rollback } from '@sfx-deploy/core';
import { withEngine } from './engine.mjs';
import { times } from './lib.mjs';

const SIZES = [1, 10, 100];
/**
 * A lease is renewed every few seconds, which counts time and not functions. By a clock that goes this much slower it is
 * renewed in none of these runs.
 */
const SLOWER = 20;
const LONG_MS = 1000;

/** One command on the real engine; answers how many of its calls went to the store. */
async function counted(service, env, act) {
  let calls = 0;
  const began = Date.now();
  const real = createRun({ signal: new AbortController().signal, emit: () => {}, env });
  const run = {
    ...real,
    now: () => began + (Date.now() - began) / SLOWER,
    sleep: (ms, until) => real.sleep(ms < LONG_MS ? ms : ms * SLOWER, until),
    call: (call, perform) => {
      if (call.op.startsWith('store.')) calls++;
      return perform();
    },
  };
  const session = await openSession({ cwd: service.dir, options: {}, params: {} }, run);
  try {
    const outcome = await act(session);
    if (outcome.error !== undefined) throw new Error(`${outcome.error.code} ${outcome.error.message}`);
  } finally {
    await session[Symbol.asyncDispose]();
  }
  return calls;
}

/** Store calls of each kind of release, in the order in which a user makes them. */
async function releasesOf(service, env) {
  const first = await counted(service, env, (session) => deploy(session));
  service.edit(2);
  const next = await counted(service, env, (session) => deploy(session));
  service.edit(3);
  const canary = await counted(service, env, (session) => deploy(session, { canary: 5 }));
  const through = await counted(service, env, (session) => promote(session));
  const back = await counted(service, env, (session) => rollback(session));
  return {
    'the first deploy': first,
    'a deploy': next,
    'a canary': canary,
    'a promote': through,
    'a rollback': back,
  };
}

export function state() {
  return withEngine(async ({ service, env }) => {
    const counts = [];
    for (const size of SIZES) counts.push(await releasesOf(service(size), env));
    return Object.keys(counts[0]).map((kind) => {
      const [one, ...more] = counts.map((count) => count[kind]);
      const most = Math.max(...more);
      const holds = one > 0 && most <= one;
      return {
        work: `state calls of ${kind}, ${SIZES.slice(1).join(' and ')} functions`,
        measured: more.join(' and '),
        floor: `1 function: ${one}`,
        ratio: times(most / one),
        bar: '<= 1.00 x',
        holds,
        wrong: !holds,
      };
    });
  });
}
