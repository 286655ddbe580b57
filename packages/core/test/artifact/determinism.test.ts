import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { unzipSync } from 'fflate';
import { type ZipFile, zip } from '../../src/artifact/zip.js';
import { temporary, write } from './samples.js';

const run = promisify(execFile);
const builder = fileURLToPath(new URL('./build-in-child.ts', import.meta.url));

async function digestIn(dir: string, umask: string, tz: string): Promise<string> {
  const script = `umask ${umask}; exec "$0" --conditions=sfx-source --import=tsx "$1" "$2"`;
  const { stdout } = await run('sh', ['-c', script, process.execPath, builder, dir], {
    env: { ...process.env, TZ: tz },
  });
  return stdout;
}

describe('the bytes of an artifact', () => {
  it('are the same in another folder, time zone and umask', async () => {
    const [one, two] = [await temporary(), await temporary()];
    const files = {
      'src/a.ts': "import { b } from './b.js';\nimport c from 'c';\nexport const run = () => [b, c];",
      'src/b.ts': 'export const b: number = 1;',
      'node_modules/c/index.js': 'module.exports = __dirname;',
      'data/x.txt': 'x',
    };
    try {
      await write(one, files);
      await write(join(two, 'deeper/down'), Object.fromEntries(Object.entries(files).reverse()));
      const digests = [
        await digestIn(one, '022', 'UTC'),
        await digestIn(join(two, 'deeper/down'), '077', 'Pacific/Apia'),
      ];
      assert.match(digests[0]!, /^sha256:[0-9a-f]{64} sha256:[0-9a-f]{64}$/);
      assert.equal(digests[0], digests[1]);
    } finally {
      await Promise.all([one, two].map((dir) => rm(dir, { recursive: true })));
    }
  });
});

describe('a zip', () => {
  const file = fc.record({
    name: fc.stringMatching(/^[a-z0-9ä_-]{1,8}(\/[a-z0-9._-]{1,8}){0,2}x$/),
    bytes: fc.uint8Array({ maxLength: 200 }),
    executable: fc.boolean(),
  });
  const files = fc.uniqueArray(file, { selector: ({ name }) => name, maxLength: 12 });

  it('does not depend on the order of its files', () => {
    fc.assert(
      fc.property(
        files.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        ([all, shuffled]) => assert.deepEqual(zip(all), zip(shuffled)),
      ),
    );
  });

  it('gives back what was put in', () => {
    fc.assert(
      fc.property(files, (all: ZipFile[]) => {
        const back = unzipSync(zip(all));
        assert.deepEqual(Object.keys(back).sort(), all.map(({ name }) => name).sort());
        for (const { name, bytes } of all) assert.deepEqual(new Uint8Array(back[name]!), bytes);
      }),
    );
  });

  it('says 0755 of what can be run and 0644 of all else, and one date of everything', () => {
    const bytes = Buffer.from(
      zip([
        { name: 'a', bytes: new Uint8Array() },
        { name: 'b', bytes: new Uint8Array(), executable: true },
      ]),
    );
    const entries = centralDirectory(bytes);
    assert.deepEqual(entries, [
      { name: 'a', mode: 0o100644, date: '1980-01-01 12:00' },
      { name: 'b', mode: 0o100755, date: '1980-01-01 12:00' },
    ]);
  });
});

function centralDirectory(bytes: Buffer): { name: string; mode: number; date: string }[] {
  const entries = [];
  let at = bytes.indexOf(Buffer.from('PK\x01\x02', 'latin1'));
  while (at >= 0 && bytes.readUInt32LE(at) === 0x02014b50) {
    const [time, date] = [bytes.readUInt16LE(at + 12), bytes.readUInt16LE(at + 14)];
    const length = bytes.readUInt16LE(at + 28);
    const two = (value: number) => String(value).padStart(2, '0');
    entries.push({
      name: bytes.toString('utf8', at + 46, at + 46 + length),
      mode: bytes.readUInt32LE(at + 38) >>> 16,
      date: `${1980 + (date >> 9)}-${two((date >> 5) & 15)}-${two(date & 31)} ${two(time >> 11)}:${two((time >> 5) & 63)}`,
    });
    at += 46 + length + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return entries;
}
