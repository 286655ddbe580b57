import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const templateNames = ['hello', 'shop'] as const;

/** Files of a template: path → text. Beside `src` and beside `dist` alike, so that the bundle finds them too. */
export async function readTemplate(name: string): Promise<ReadonlyMap<string, string>> {
  const root = fileURLToPath(new URL(`../templates/${name}`, import.meta.url));
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = new Map<string, string>();
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(root.length + 1).replaceAll('\\', '/'), await readFile(path, 'utf8'));
  }
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}
