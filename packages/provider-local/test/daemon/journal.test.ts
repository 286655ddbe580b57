import assert from 'node:assert/strict';
import { type FileHandle, mkdtemp, open as openFile, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { readDocument, writeDocument } from '../../src/daemon/disk.js';
import { openJournal, type Place } from '../../src/daemon/queues/journal.js';
import { openQueue, type Queue } from '../../src/daemon/queues/queue.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sfx-journal-'));
});
afterEach(() => rm(dir, { recursive: true }));

describe('a journal', () => {
  const told: string[] = [];
  const open = async () => {
    const records: { text: string; place: Place }[] = [];
    told.length = 0;
    const journal = await openJournal({
      path: join(dir, 'journal'),
      replay: (text, place) => records.push({ text, place }),
      log: (text) => told.push(text),
    });
    return { journal, texts: records.map(({ text }) => text), records };
  };
  const written = async (...texts: string[]) => {
    const { journal } = await open();
    await journal.append(texts);
    await journal.close();
    return readFile(join(dir, 'journal'));
  };

  it('has what was appended, in order, whatever is in it', async () => {
    const texts = ['"a"', '', 'ä€😀', 'x'.repeat(3_000_000), '{"b":1}'];
    await written(...texts);
    const { journal, records } = await open();
    assert.deepEqual(
      records.map(({ text }) => text),
      texts,
    );
    assert.deepEqual(
      records.map(({ place }) => journal.read(place)),
      texts,
    );
    await journal.close();
  });

  it('drops what a kill cut off, and goes on behind the last whole record', async () => {
    const whole = await written('one', 'two', 'three');
    for (let cut = 1; cut < 'three'.length + 10; cut += 1) {
      await writeFile(join(dir, 'journal'), whole.subarray(0, -cut));
      const { journal, texts } = await open();
      assert.deepEqual(texts, ['one', 'two']);
      await journal.append(['four']);
      await journal.close();
      const again = await open();
      assert.deepEqual(again.texts, ['one', 'two', 'four']);
      assert.deepEqual(told, []);
      await again.journal.close();
    }
  });

  it('keeps what is before and behind a damaged record, and says where it is', async () => {
    const whole = await written('one', 'two', 'three');
    for (const at of [13, 18, 22, 24]) {
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 1;
      await writeFile(join(dir, 'journal'), damaged);
      const { journal, texts } = await open();
      assert.deepEqual(texts, ['one', 'three']);
      assert.match(told.join(), /1 damaged records from byte 13 on/);
      await journal.close();
    }
  });

  it('is written anew with what is still of use; what is appended meanwhile comes behind it', async () => {
    await written('one', 'two', 'three');
    const { journal, records } = await open();
    const places = records.map(({ place }) => place);
    let moved: readonly (Place | undefined)[] = [];
    await Promise.all([
      journal.rewrite(
        () => [places[2]!, 'new', { at: 3, bytes: 12 }],
        (next) => {
          moved = next;
        },
      ),
      journal.append(['behind']),
    ]);
    assert.equal(journal.read(moved[0]!), 'three');
    assert.equal(moved[1], undefined);
    assert.equal(moved.length, 2);
    await journal.close();
    const again = await open();
    assert.deepEqual(again.texts, ['three', 'new', 'behind']);
    await again.journal.close();
  });

  it('stays as it was when writing it anew fails', async () => {
    await written('one', 'two');
    const { journal, records } = await open();
    const content = function* () {
      yield records[1]!.place;
      throw new Error('cut off');
    };
    await assert.rejects(
      journal.rewrite(content, () => assert.fail('nothing moved')),
      /cut off/,
    );
    await journal.append(['three']);
    assert.equal(journal.read(records[0]!.place), 'one');
    await journal.close();
    const again = await open();
    assert.deepEqual(again.texts, ['one', 'two', 'three']);
    await again.journal.close();
  });
});

type Step =
  | { readonly kind: 'send'; readonly bodies: readonly string[]; readonly id: number | null }
  | { readonly kind: 'ack' | 'release' | 'recount'; readonly count: number }
  | { readonly kind: 'restart' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('send' as const),
      bodies: fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }), { minLength: 1, maxLength: 4 }),
      id: fc.option(fc.integer({ min: 0, max: 3 })),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('ack' as const, 'ack' as const, 'release' as const, 'recount' as const),
      count: fc.integer({ min: 1, max: 9 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
);

describe('what is said to be on disk', () => {
  /** While `act` runs, the disk does not say of any file that it has it until it is let. */
  const slowly = async (act: (sync: () => Promise<() => void>) => Promise<void>) => {
    const file = await openFile(join(dir, 'any'), 'w');
    const handles = Object.getPrototypeOf(file) as FileHandle;
    await file.close();
    const { datasync, sync } = handles;
    let asked: (() => void) | undefined;
    const held = (real: () => Promise<void>) =>
      async function (this: FileHandle) {
        await new Promise<void>((resolve) => {
          asked = resolve;
        });
        return real.call(this);
      };
    Object.assign(handles, { datasync: held(datasync), sync: held(sync) });
    try {
      await act(async () => {
        while (asked === undefined) await new Promise((resolve) => setImmediate(resolve));
        const go = asked;
        asked = undefined;
        return go;
      });
    } finally {
      Object.assign(handles, { datasync, sync });
      asked?.();
    }
  };
  /** Long enough for what does not wait. */
  const moment = () => new Promise((resolve) => setTimeout(resolve, 20));

  it('of a queue, what is sent and what is acknowledged', async () => {
    const queue = await openQueue({ dir, name: 'q', now: () => 1_000 });
    await slowly(async (sync) => {
      const answers = async (act: Promise<unknown>) => {
        let answered = false;
        void act.then(() => {
          answered = true;
        });
        const go = await sync();
        // The bytes are in the file by now; nobody knows yet whether they stay there.
        await moment();
        assert.equal(answered, false);
        go();
        await act;
      };
      await answers(queue.send([{ body: '1' }]));
      const [message] = queue.receive(1, 1_000);
      await answers(queue.ack([message!.receipt]));
    });
    await queue.close();
  });

  it('of a journal that is written anew, before it takes the place of the old one', async () => {
    const path = join(dir, 'journal');
    const journal = await openJournal({ path, replay: () => undefined, log: assert.fail });
    await journal.append(['old']);
    const before = await readFile(path);
    await slowly(async (sync) => {
      const anew = journal.rewrite(
        () => ['new'],
        () => undefined,
      );
      const go = await sync();
      await moment();
      assert.deepEqual(await readFile(path), before);
      go();
      // The folder has the name after that.
      (await sync())();
      await anew;
    });
    assert.match(await readFile(path, 'utf8'), / new\n$/);
    await journal.close();
  });

  it('of a document, before it takes the place of the old one', async () => {
    const path = join(dir, 'document.json');
    await writeDocument(path, 'old');
    await slowly(async (sync) => {
      const written = writeDocument(path, 'new');
      const go = await sync();
      await moment();
      assert.equal(await readDocument(path), 'old');
      go();
      (await sync())();
      await written;
    });
    assert.equal(await readDocument(path), 'new');
  });
});

describe('a queue that is killed at any byte', () => {
  const REWRITE = 40;
  const open = (at: string, clock = () => 0) =>
    openQueue({ dir: at, name: 'q', now: () => 1_000, clock, log: () => undefined, rewriteBytes: REWRITE });

  /** What a queue has, by its id. */
  const held = async (at: string) => {
    const queue = await open(at);
    const found = new Map(queue.receive(10_000, 60_000).map((one) => [one.id, one]));
    assert.equal(queue.counts().visible, 0);
    await queue.close();
    return found;
  };

  it('has every message that was accepted, none that was acknowledged, each once and whole', async () => {
    let rewritten = 0;
    let cutOff = 0;
    const run = async (groups: readonly (readonly Step[])[], where: number) => {
      const folder = await mkdtemp(join(dir, 'run-'));
      const path = join(folder, 'journal');
      let queue: Queue = await open(folder);
      const accepted = new Map<string, string>();
      const over = new Set<string>();
      const perform = async (one: Step): Promise<void> => {
        if (one.kind === 'restart') return;
        if (one.kind === 'send') {
          const messages = one.bodies.map((body) => ({
            body,
            ...(one.id === null ? {} : { id: `id-${one.id}` }),
          }));
          const ids = await queue.send(messages);
          for (const [n, id] of ids.entries()) if (!accepted.has(id)) accepted.set(id, one.bodies[n]!);
          return;
        }
        const received = queue.receive(one.count, 60_000);
        const receipts = received.map(({ receipt }) => receipt);
        if (one.kind !== 'ack') return queue.release(receipts, 0, one.kind === 'release');
        await queue.ack(receipts);
        for (const { id } of received) over.add(id);
      };
      for (const group of groups) {
        const before = await readFile(path);
        const had = new Map(accepted);
        const gone = new Set(over);
        await Promise.all(group.map(perform));
        if (group.some(({ kind }) => kind === 'restart')) {
          await queue.close();
          queue = await open(folder);
        }
        const after = await readFile(path);
        const grew = after.subarray(0, before.length).equals(before);
        if (!grew) rewritten += 1;
        const cut = grew
          ? before.length + Math.floor(where * (after.length - before.length + 1))
          : after.length;
        if (cut < after.length) cutOff += 1;
        const killed = await mkdtemp(join(dir, 'kill-'));
        await writeFile(join(killed, 'journal'), after.subarray(0, cut));
        await writeFile(join(killed, 'journal.tmp'), before.subarray(0, 7));
        const found = await held(killed);
        for (const [id, body] of had)
          if (!gone.has(id) && !over.has(id))
            assert.equal(found.get(id)?.body, body, 'accepted and not there');
        for (const id of gone) assert.ok(!found.has(id), 'acknowledged and there again');
        for (const [id, { body }] of found) assert.equal(body, accepted.get(id), 'never sent');
        // It goes on from there.
        const next = await open(killed);
        await next.send([{ body: 'next', id: 'next' }]);
        await next.close();
        assert.deepEqual([...(await held(killed)).keys()].sort(), [...found.keys(), 'next'].sort());
        await rm(killed, { recursive: true });
      }
      await queue.close();
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 12 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        run,
      ),
      { numRuns: 60 },
    );
    assert.ok(rewritten > 0 && cutOff > 100, `${rewritten} rewritten, ${cutOff} cut off`);
  });
});
