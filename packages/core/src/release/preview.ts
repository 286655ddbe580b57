import { fail } from '../errors.js';
import type { Ir, Preview } from '../provider/contract.js';
import type { Context } from './context.js';
import { splitQualified, type VersionsByUnit } from './fleet.js';

/**
 * Addresses that lead to these versions alone, by the triggers of their own release, whoever is live. SFX3005 where a
 * provider has none.
 */
export async function openPreview(
  ctx: Context,
  irs: Readonly<Record<string, Ir>>,
  versions: VersionsByUnit,
): Promise<Preview> {
  const opened: Preview[] = [];
  const close = async (): Promise<void> => {
    for (const one of opened) await one[Symbol.asyncDispose]();
  };
  try {
    for (const [provider, ir] of Object.entries(irs)) {
      const triggers = ir.triggers.filter((trigger) => trigger.delivers === 'asked');
      const own = Object.entries(versions)
        .filter(([key]) => splitQualified(key).provider === provider)
        .map(([, version]) => version);
      const one = await ctx.fleet.read(provider, 'preview', ctx.scope.stage, (connection) => {
        if (connection.preview !== undefined) return connection.preview(own, triggers);
        throw fail('SFX3005', `${provider} has no address at which candidates answer as a whole`, {
          hint: 'Use checks that call one function, or test what is live.',
        });
      });
      opened.push(one);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { urls: Object.assign({}, ...opened.map((one) => one.urls)), [Symbol.asyncDispose]: close };
}
