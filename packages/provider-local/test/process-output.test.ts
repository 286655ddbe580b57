import assert from 'node:assert/strict';
import { Duplex, PassThrough } from 'node:stream';
import fc from 'fast-check';
import { frames } from '../src/daemon/instances/process/frames.js';
import { readOutput } from '../src/daemon/instances/process/output.js';

const MARK = '\x1emark\x1e\n';

/** A stream that gives these bytes in pieces of these sizes. */
async function inPieces(bytes: Buffer, sizes: readonly number[], into: PassThrough): Promise<void> {
  let at = 0;
  for (let n = 0; at < bytes.length; n += 1) {
    const size = sizes[n % sizes.length]!;
    into.write(bytes.subarray(at, at + size));
    at += size;
  }
  into.end();
  await new Promise((resolve) => into.once('close', resolve));
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });

describe('what a process writes', () => {
  it('comes line by line, and marks between, however it was cut', async () => {
    const line = fc.stringMatching(/^[ -~äß]{0,12}$/);
    const part = fc.tuple(fc.array(line, { maxLength: 5 }), fc.boolean());
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 6 }), sizes, async (parts, pieces) => {
        const expected: string[] = [];
        let text = '';
        for (const [lines, ended] of parts) {
          text += lines.join('\n') + (ended && lines.length > 0 ? '\n' : '') + MARK;
          // What has no end of line yet is a line when the mark comes; nothing is none.
          const last = lines.at(-1);
          expected.push(...(last === '' && !ended ? lines.slice(0, -1) : lines), 'MARK');
        }
        const seen: string[] = [];
        const stream = new PassThrough();
        readOutput(
          stream,
          { line: (one) => seen.push(one), dropped: () => assert.fail(), mark: () => seen.push('MARK') },
          { mark: MARK, now: () => 0 },
        );
        await inPieces(Buffer.from(text), pieces, stream);
        assert.deepEqual(seen, expected);
      }),
    );
  });

  it('in a line without end comes in parts, and nothing of it is lost', async () => {
    const seen: string[] = [];
    const stream = new PassThrough();
    readOutput(
      stream,
      { line: (one) => seen.push(one), dropped: () => assert.fail(), mark: () => seen.push('MARK') },
      { mark: MARK, now: () => 0 },
    );
    const long = 'x'.repeat(200_000);
    await inPieces(Buffer.from(`${long}${MARK}after`), [7_777], stream);
    assert.equal(seen.slice(0, -2).join(''), long);
    assert.ok(seen.length > 4);
    assert.deepEqual(seen.slice(-2), ['MARK', 'after']);
  });

  it('beyond its budget is counted, and marks are seen all the same', async () => {
    let lines = 0;
    let dropped = 0;
    let marks = 0;
    const stream = new PassThrough();
    readOutput(
      stream,
      { line: () => (lines += 1), dropped: (more) => (dropped += more), mark: () => (marks += 1) },
      { mark: MARK, now: () => 0 },
    );
    const text = `${'0123456789\n'.repeat(300_000)}${MARK}`.repeat(2);
    await inPieces(Buffer.from(text), [60_001], stream);
    assert.equal(lines + dropped, 600_000);
    assert.ok(lines > 90_000 && lines < 110_000, String(lines));
    assert.equal(marks, 2);
  });
});

describe('frames between engine and process', () => {
  it('come whole and in order, however they were cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 12 }),
        sizes,
        async (bodies, pieces) => {
          const written: Buffer[] = [];
          const out = new Duplex({
            read: () => undefined,
            write(chunk: Buffer, _encoding, done) {
              written.push(chunk);
              done();
            },
          });
          const { write } = frames(out, () => undefined, assert.fail);
          for (const body of bodies) write(body);
          const seen: number[][] = [];
          const stream = new PassThrough();
          frames(stream, (body) => seen.push([...body]), assert.fail);
          await inPieces(Buffer.concat(written), pieces, stream);
          assert.deepEqual(
            seen,
            bodies.map((body) => [...body]),
          );
        },
      ),
    );
  });

  it('that are none end the instance instead of its engine', async () => {
    const stream = new PassThrough();
    const why = new Promise<string>((resolve) => frames(stream, () => undefined, resolve));
    stream.write('GET / HTTP/1.1\r\n');
    stream.write('\xff'.repeat(100));
    assert.match(await why, /something else than the engine/);
  });
});
