// How long the way back takes: the whole command, from its start to its end, against that of a service with one function.
import { performance } from 'node:perf_hooks';
import { withEngine } from './engine.mjs';
import { median, seconds, times } from './lib.mjs';

const BAR_MS = 1000;
const ROUNDS = 5;

/** Wall milliseconds of one `sfx rollback` to release 1. */
async function timed(service) {
  const began = performance.now();
  await service.sfx(['rollback', '1']);
  return performance.now() - began;
}

async function prepared(service) {
  await service.sfx(['deploy']);
  return service;
}

export function rollback() {
  return withEngine(async ({ service }) => {
    const services = [await prepared(service(1)), await prepared(service(100))];
    const walls = services.map(() => []);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, one] of services.entries()) {
        one.edit(round + 2);
        await one.sfx(['deploy']);
        walls[index].push(await timed(one));
      }
    }
    const [floor, hundred] = walls.map(median);
    return [
      {
        work: 'rollback of 100 functions, the whole command',
        measured: seconds(hundred),
        floor: `of 1 function: ${seconds(floor)}`,
        ratio: times(hundred / floor),
        bar: `< ${seconds(BAR_MS)}`,
        holds: hundred < BAR_MS,
      },
    ];
  });
}
