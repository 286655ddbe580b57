import type { Run } from '../../run.js';
import type { Store } from '../../state/store.js';
import { memoryWorld, type World } from './world.js';

/**
 * A store with compare-and-swap inside a world, for state that lives beside what it describes. With `run`, every
 * access is a call of it: `store.get`, `store.put`, `store.list`, `store.delete`.
 */
export function worldStore(world: World, run?: Run): Store {
  const call = <T>(op: string, on: string, writes: boolean, act: () => T): Promise<T> => {
    const later = async () => act();
    return run === undefined ? later() : run.call({ op, on, writes }, later);
  };
  return {
    get: (key) =>
      call('store.get', key, false, () => {
        const there = world.read().store[key];
        return there && { value: structuredClone(there.value), tag: there.tag };
      }),
    put: (key, value, expect) =>
      call('store.put', key, true, () =>
        world.change((document) => {
          if ((document.store[key]?.tag ?? null) !== expect) return 'conflict';
          document.serial += 1;
          const tag = `s${document.serial}`;
          document.store[key] = { value: JSON.parse(JSON.stringify(value)), tag };
          return tag;
        }),
      ),
    list: (prefix) =>
      call('store.list', prefix, false, () =>
        Object.keys(world.read().store)
          .filter((key) => key.startsWith(prefix))
          .sort(),
      ),
    delete: (key) =>
      call('store.delete', key, true, () =>
        world.change((document) => {
          delete document.store[key];
        }),
      ),
  };
}

/** A store in memory, of its own or over a world that is given. */
export function memoryStore(run?: Run): Store {
  return worldStore(memoryWorld(), run);
}
