// Mistakes in what the engine does by itself: schedules and buckets.
import { daemon, engine, only } from './places.mjs';

const feed = (name) => engine(`daemon/feeds/${name}`);

export const feeds = [
  {
    number: 50,
    title: 'a schedule runs twice for one time: when the clock is set back',
    edits: [
      {
        file: feed('schedule-due'),
        from: 'return ran.find(([first, last]) => first <= at && at <= last);',
        to: 'return ran.find(([first, last]) => first > last && at > last);',
      },
    ],
    tests: [only(daemon.schedule, 'is not what ran', 'never runs twice for one time')],
    withinMs: 5_000,
  },
  {
    number: 50,
    title: 'a schedule runs twice for one time: each try to keep it is another run',
    edits: [
      {
        file: feed('schedule-feed'),
        from: 'await keep(queue, props, at, idOf(trigger.id, at));',
        to: 'void [trigger, idOf]; await keep(queue, props, at, randomUUID());',
      },
    ],
    tests: [only(daemon.schedule, 'does not run again when it could not be kept')],
    withinMs: 5_000,
  },
  {
    number: 51,
    title: 'a schedule runs all times that were missed',
    edits: [
      {
        file: feed('schedule-due'),
        from: 'const at = lastDue(times, settled, now);',
        to: 'const at = first;',
      },
    ],
    tests: [only(daemon.schedule, 'is one run for all that was missed')],
  },
  {
    number: 52,
    title: 'the time zone of a schedule is ignored',
    edits: [
      {
        file: feed('schedule-feed'),
        from: 'timesOf(schedule, props.timezone, document.anchor)',
        to: "timesOf(schedule, 'UTC', document.anchor)",
      },
    ],
    tests: [only(daemon.schedule, 'goes by the clock of its time zone')],
    withinMs: 5_000,
  },
  {
    number: 52,
    title: 'the time zone of a schedule is ignored: when clocks change',
    edits: [
      {
        file: feed('cron'),
        from: 'const [before, behind] = [offset(day - 16 * 3_600_000), offset(day + DAY + 16 * 3_600_000)];',
        to: 'const [before, behind] = [offset(day - 16 * 3_600_000), offset(day - 16 * 3_600_000)];',
      },
    ],
    tests: [daemon.cron],
  },
  {
    number: 53,
    title: 'a run begins while the one before it is not over',
    edits: [
      {
        file: feed('schedule-feed'),
        from: "if (props.overlap === 'skip' && open > 0)",
        to: "if (props.overlap === 'skip' && open > 1)",
      },
    ],
    tests: [only(daemon.schedule, 'leaves a run out while the last one is not over')],
    withinMs: 5_000,
  },
  {
    number: 53,
    title: 'a run begins while the one before it is not over: it runs beside it',
    edits: [
      {
        file: feed('schedule-feed'),
        from: "concurrency: props.overlap === 'allow' ? RUNS_AT_ONCE : 1,",
        to: 'concurrency: RUNS_AT_ONCE,',
      },
    ],
    tests: [only(daemon.schedule, 'keeps one run waiting')],
    withinMs: 5_000,
  },
  {
    number: 54,
    title: 'a file is known before its message is kept',
    edits: [
      {
        file: feed('bucket-looks'),
        from: 'await looking.queue.send(news.flatMap(({ message }) => message ?? [])); const open = new Map(state.open);',
        to: 'const open = new Map(state.open);',
      },
      {
        file: feed('bucket-looks'),
        from: 'state.open = open; } interface BucketDelivery {',
        to: `state.open = open;
            await index.save();
            await looking.queue.send(news.flatMap(({ message }) => message ?? []));
          }
          interface BucketDelivery {`,
      },
    ],
    tests: [only(daemon.bucket, 'takes nothing for noticed that could not be kept')],
    withinMs: 8_000,
  },
  {
    number: 55,
    title: 'a schedule runs for the time in which it was not enabled',
    edits: [
      {
        file: feed('schedule-feed'),
        from: 'if (same && before.enabled && enabled && !host.fresh) return before;',
        to: 'if (same && before.enabled && enabled) return before;',
      },
    ],
    tests: [only(daemon.schedule, 'owes nothing for the time in which it was not enabled')],
    withinMs: 5_000,
  },
  {
    number: 56,
    title: 'files that were there before are news',
    edits: [
      {
        file: feed('bucket-looks'),
        from: "if (scan !== 'gone') for (const [key, seen] of scan.files) index.known.set(key, seen);",
        to: 'void scan;',
      },
    ],
    tests: [only(daemon.bucket, 'says nothing of what was there')],
  },
  {
    number: 56,
    title: 'files of the time in which a bucket was not enabled are news',
    edits: [
      {
        file: feed('bucket-feed'),
        from: 'if (!props.enabled || host.fresh) await rm(path, { force: true });',
        to: 'if (!props.enabled) await rm(path, { force: true });',
      },
    ],
    tests: [only(daemon.bucket, 'and nothing of when it was not enabled')],
  },
  {
    number: 57,
    title: 'a function that writes what it is called for is called for ever',
    edits: [
      {
        file: feed('bucket-brake'),
        from: 'if (count <= KEY_CHANGES) return false;',
        to: 'if (count <= 100 * KEY_CHANGES) return false;',
      },
    ],
    tests: [only(daemon['bucket-brake'], 'lets a key rest')],
  },
];
