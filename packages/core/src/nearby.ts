import { fail } from './errors.js';
import { originOf } from './origin.js';
import type { Provider } from './provider/contract.js';
import type { Run } from './run.js';
import type { Head } from './state/documents.js';
import type { Store } from './state/store.js';

/**
 * For commands that only look, in a folder without a file: the one service of this stage that was deployed from this
 * folder or from one below it. Undefined when there is none or the provider cannot tell; SFX1004 when there are several.
 */
export async function serviceNearby(
  provider: Provider,
  cwd: string,
  stage: string,
  run: Run,
): Promise<string | undefined> {
  const store = await provider.store?.({}, run);
  if (store === undefined) return undefined;
  const here = await originOf(cwd);
  const found: string[] = [];
  for (const service of await servicesOf(store, stage, run)) {
    const origin = await originIn(store, `${service}/${stage}/head`, run);
    if (origin !== undefined && isBelow(here, origin)) found.push(service);
  }
  if (found.length > 1) {
    throw fail('SFX1004', `several services of stage ${stage} were deployed from here: ${found.join(', ')}`, {
      hint: `Name one: \`--service ${found[0]} --provider ${provider.name}\`, or pass \`--config\`.`,
    });
  }
  return found[0];
}

async function servicesOf(store: Store, stage: string, run: Run): Promise<string[]> {
  const keys = await run.call({ op: 'store.list', on: '', writes: false }, () => store.list(''));
  return keys.flatMap((key) => {
    const [service, of, document] = key.split('/');
    return of === stage && document === 'head' && service !== undefined ? [service] : [];
  });
}

async function originIn(store: Store, key: string, run: Run): Promise<string | undefined> {
  const found = await run.call({ op: 'store.get', on: key, writes: false }, () => store.get(key));
  return (found?.value as unknown as Partial<Head> | undefined)?.origin;
}

/** `host/repository` is above `host/repository#folder`, a folder above those in it. */
function isBelow(here: string, origin: string): boolean {
  return origin === here || origin.startsWith(`${here}#`) || origin.startsWith(`${here}/`);
}
