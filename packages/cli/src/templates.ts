import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const templateNames = ['hello', 'shop'] as const;

/**
 * Files of a template for a service of this name: path → text. They are the examples, copied beside the bundle when it
 * is made; `..` is this package from `src` and from `dist` alike.
 */
export async function readTemplate(template: string, service: string): Promise<ReadonlyMap<string, string>> {
  const root = fileURLToPath(new URL(`../dist/templates/${template}`, import.meta.url));
  const manifest = { name: service, version: '1.0.0', private: true, type: 'module' };
  const files = new Map([['package.json', `${JSON.stringify(manifest, null, 2)}\n`]]);
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(root, path).replaceAll('\\', '/');
    const text = await readFile(path, 'utf8');
    files.set(name, name === 'serverless.yml' ? text.replace(/^service: .*$/m, `service: ${service}`) : text);
  }
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}
