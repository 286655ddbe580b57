/** Run as a process of its own: adds one to a number in a file store, over and over, and says each that was kept. */
import { writeSync } from 'node:fs';
import { fileStore } from '../../src/state/file-store.js';

const [dir = '', times = '1'] = process.argv.slice(2);
const store = fileStore(dir);
for (let done = 0; done < Number(times); ) {
  const there = await store.get('shop/dev/number');
  const next = ((there?.value as number | undefined) ?? 0) + 1;
  if ((await store.put('shop/dev/number', next, there?.tag ?? null)) === 'conflict') continue;
  done += 1;
  // At once, so that what was said before a kill is read after it.
  writeSync(1, '+');
}
