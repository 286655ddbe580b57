// Mistakes in what the engine keeps and delivers: queues and topics.
import { daemon, engine, local, only } from './places.mjs';

const queue = (name) => engine(`daemon/queues/${name}`);
const feed = (name) => engine(`daemon/feeds/${name}`);
const calls = (name) => engine(`daemon/calls/${name}`);

export const queues = [
  {
    number: 30,
    title: 'a queue answers before the disk has it',
    edits: [
      {
        file: queue('journal'),
        from: 'if (group.some((job) => job.synced)) await state.file.datasync();',
        to: '',
      },
    ],
    tests: [only(daemon.journal, 'of a queue, what is sent and what is acknowledged')],
    withinMs: 5_000,
  },
  {
    number: 30,
    title: 'a queue answers before the disk has it: what is sent is not waited for',
    edits: [
      {
        file: queue('queue-send'),
        from: 'if (fresh.length > 0) others.push(write(state, fresh, bytes, here));',
        to: 'if (fresh.length > 0) void write(state, fresh, bytes, here);',
      },
    ],
    tests: [daemon.journal],
  },
  {
    number: 30,
    title: 'a journal takes the place of the old one before the disk has it',
    edits: [{ file: queue('journal'), from: 'await next.datasync();', to: '' }],
    tests: [only(daemon.journal, 'of a journal that is written anew')],
    withinMs: 5_000,
  },
  {
    number: 30,
    title: 'a document takes the place of the old one before the disk has it',
    edits: [{ file: engine('daemon/disk'), from: 'await file.sync();', to: '' }],
    tests: [only(daemon.journal, 'of a document, before')],
    withinMs: 5_000,
  },
  {
    number: 31,
    title: 'an acknowledgement is forgotten at replay',
    edits: [{ file: queue('queue-records'), from: 'kept.delete(seq);', to: '' }],
    tests: [only(daemon.queue, 'keeps what was sent and what was acknowledged')],
  },
  {
    number: 32,
    title: 'a torn tail is taken for a record',
    edits: [
      {
        file: queue('journal-lines'),
        from: 'if (bytesRead === 0) return { size: start, damaged, firstDamage };',
        to: `if (bytesRead === 0) {
          if (open.length > HEAD) take(open.toString('utf8', HEAD), { at: start, bytes: open.length });
          return { size: start + open.length, damaged, firstDamage };
        }`,
      },
    ],
    tests: [only(daemon.journal, 'drops what a kill cut off')],
  },
  {
    number: 32,
    title: 'a torn tail is taken for a record: the next record is written behind it',
    edits: [
      { file: queue('journal'), from: 'await file.truncate(size);', to: '' },
      {
        file: queue('journal'),
        from: 'const state: State = { options, file, size, jobs: [], working: undefined };',
        to: 'const state: State = { options, file, size: (await file.stat()).size, jobs: [], working: undefined };',
      },
    ],
    tests: [only(daemon.journal, 'drops what a kill cut off')],
  },
  {
    number: 32,
    title: 'a damaged record is taken as it is',
    edits: [
      {
        file: queue('journal-lines'),
        from: "return crc32(text).toString(16).padStart(8, '0') === sum ? text.toString('utf8') : undefined;",
        to: "return sum === '' ? undefined : text.toString('utf8');",
      },
    ],
    tests: [only(daemon.journal, 'keeps what is before and behind a damaged record')],
  },
  {
    number: 33,
    title: 'how often a message was handed out is not kept',
    edits: [
      {
        file: queue('queue'),
        from: "if (handed.length > 0) journal.note(textOfRecord(['h', handed]));",
        to: 'void journal;',
      },
    ],
    tests: [only(daemon.queue, 'keeps what was sent and what was acknowledged')],
  },
  {
    number: 34,
    title: 'a message is delivered while its trigger is disabled',
    edits: [
      {
        file: feed('feeding'),
        from: 'triggers.filter((one) => one.enabled && Object.hasOwn(state.kinds, one.kind));',
        to: 'triggers.filter((one) => Object.hasOwn(state.kinds, one.kind));',
      },
    ],
    tests: [only(local.queues, 'delivers nothing while its trigger is disabled')],
  },
  {
    number: 34,
    title: 'a message is delivered while its trigger is disabled: a subscription is owed a copy',
    edits: [{ file: feed('topics'), from: '!trigger.enabled || !props.enabled ||', to: '' }],
    tests: [only(local.queues, 'gives each subscription of a topic its own copy')],
  },
  {
    number: 35,
    title: 'a message goes to a version that the alias does not name',
    edits: [
      {
        file: engine('daemon/stage/aliases'),
        from: 'const id = candidate ? split.candidate!.version : pick(split, Math.random());',
        to: 'const id = candidate ? split.candidate!.version : versions.list(unit).at(-1)!.id;',
      },
    ],
    tests: [only(local.queues, 'delivers to the versions that the alias names')],
  },
  {
    number: 35,
    title: 'the version is drawn once for a trigger, not for each delivery',
    edits: [
      {
        file: calls('caller'),
        from: 'const { choose, byId, activations, now } = options;',
        to: `const { choose, byId, activations, now } = options;
          const drawn = new Map<string, ReturnType<typeof choose>>();`,
      },
      {
        file: calls('caller'),
        from: "if (call.version === undefined) return choose(call.alias ?? '', call.function, call.candidate === true);",
        to: `if (call.version === undefined) {
            const now = drawn.get(call.trigger ?? '') ?? choose(call.alias ?? '', call.function, call.candidate === true);
            if (call.trigger !== undefined) drawn.set(call.trigger, now);
            return now;
          }`,
      },
    ],
    tests: [only(local.queues, 'delivers to the versions that the alias names')],
  },
  {
    number: 36,
    title: 'what a handler says that it could not take is taken for done',
    edits: [
      {
        file: feed('queue-feed'),
        from: "return { kind: 'taken', failed };",
        to: "return { kind: 'taken', failed: [] };",
      },
    ],
    tests: [only(local.queues, 'delivers again what a handler says')],
  },
  {
    number: 37,
    title: 'a whole batch goes to the dead letters for one message: it is blamed together',
    edits: [
      {
        file: feed('pump'),
        from: "const blamed = delivered.kind === 'taken' || messages.length === 1;",
        to: 'const blamed = true;',
      },
    ],
    tests: [only(daemon.pump, 'gives one that failed only in company')],
  },
  {
    number: 37,
    title: 'a whole batch goes to the dead letters for one message: it is tried together again',
    edits: [
      {
        file: feed('pump'),
        from: 'options.queue.receive(options.batchSize, options.visibilityMs, 1);',
        to: 'options.queue.receive(options.batchSize, options.visibilityMs);',
      },
    ],
    tests: [only(daemon.pump, 'does not bury the good ones')],
  },
  {
    number: 38,
    title: 'a dead letter is acknowledged before it is kept elsewhere',
    edits: [
      {
        file: feed('pump'),
        from: 'await state.options.bury(messages, why); await done(state, messages);',
        to: 'await done(state, messages); await state.options.bury(messages, why);',
      },
    ],
    tests: [only(daemon.pump, 'when dead letters cannot be kept')],
  },
  {
    number: 39,
    title: 'a try counts although there was nobody to take it',
    edits: [
      {
        file: feed('pump'),
        from: "if (delivered.kind === 'nobody') return back(state, messages, false);",
        to: "if (delivered.kind === 'nobody') return back(state, messages, true);",
      },
    ],
    tests: [only(daemon.pump, 'waits a moment when there was nobody')],
    withinMs: 8_000,
  },
  {
    number: 40,
    title: 'a topic is answered before all copies are on disk',
    edits: [
      {
        file: feed('topics'),
        from: 'const results = await Promise.allSettled(copies);',
        to: 'const results = await Promise.allSettled(copies.slice(0, 1));',
      },
    ],
    tests: [daemon.topics],
    withinMs: 5_000,
  },
  {
    number: 44,
    title: 'dead letters are forgotten before they are sent back',
    edits: [
      {
        file: queue('dead-letters'),
        from: 'await queue.send([anew(message)]); await dead.ack([message.receipt]);',
        to: 'await dead.ack([message.receipt]); await queue.send([anew(message)]);',
      },
    ],
    tests: [only(daemon['dead-letters'], 'are there for the next time')],
  },
  {
    number: 44,
    title: 'dead letters that could not be sent back are held for ever',
    edits: [{ file: queue('dead-letters'), from: 'dead.release(handed, 0, false);', to: 'void handed;' }],
    tests: [only(daemon['dead-letters'], 'are there for the next time', 'stay where nobody knows')],
  },
  {
    number: 45,
    title: 'a message that was sent twice is kept twice',
    edits: [
      {
        file: queue('queue-send'),
        from: 'if (message.again !== true && wasLately(state, id)) continue;',
        to: 'void wasLately;',
      },
    ],
    tests: [only(daemon.queue, 'keeps one of those with the same id')],
  },
  {
    number: 46,
    title: 'a delay is forgotten at replay',
    edits: [
      { file: queue('queue-records'), from: 'delayMs: delayMs ?? 0,', to: 'delayMs: delayMs === 0 ? 1 : 0,' },
    ],
    tests: [only(daemon.queue, 'delays a message, also over a start')],
  },
  {
    number: 48,
    title: 'a subscription gets what it does not want',
    edits: [
      {
        file: feed('topics'),
        from: 'named.filter((message) => wants(props, message));',
        to: 'named.filter((message) => message !== undefined);',
      },
    ],
    tests: [only(local.queues, 'gives each subscription of a topic its own copy')],
  },
  {
    number: 49,
    title: 'a queue delivers faster than its rate',
    edits: [
      { file: feed('pump'), from: 'rate === undefined ? 0 : state.nextAt - now, empty', to: '0, empty' },
    ],
    tests: [only(daemon.pump, 'begins no more deliveries than its rate says')],
  },
  {
    number: 49,
    title: 'deliveries that fail one after the other are not slowed down',
    edits: [{ file: feed('pump'), from: 'if (over < 0) return;', to: 'if (over < 1_000) return;' }],
    tests: [only(daemon.pump, 'slows down while deliveries fail')],
  },
];
