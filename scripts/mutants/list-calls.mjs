// Mistakes in how the engine makes calls: chains of them, and those that nobody waits for.
import { daemon, engine, local, only } from './places.mjs';

const calls = (name) => engine(`daemon/calls/${name}`);
const feed = (name) => engine(`daemon/feeds/${name}`);

export const chains = [
  {
    number: 41,
    title: 'the depth of a chain of calls is not raised',
    edits: [
      {
        file: engine('daemon/instances/inside/outgoing'),
        from: 'depth: String((origin?.depth ?? calls.deepest()) + 1)',
        to: 'depth: String(origin?.depth ?? calls.deepest())',
      },
    ],
    tests: [only(local.guards, 'tells its own engine how deep a call is')],
  },
  {
    number: 41,
    title: 'a chain of calls is not cut: of messages',
    edits: [{ file: feed('queue-feed'), from: 'depth > MOST_DEPTH', to: 'depth > MOST_DEPTH + 1' }],
    tests: [only(local.queues, 'ends a chain of messages')],
  },
  {
    number: 41,
    title: 'a chain of calls is not cut: of calls that nobody waits for',
    edits: [{ file: calls('later'), from: 'if (depth > MOST_DEPTH) {', to: 'if (depth > MOST_DEPTH * 2) {' }],
    tests: [only(daemon.later, 'are refused where the chain of calls is too long')],
  },
  {
    number: 41,
    title: 'a chain of calls is not cut: of calls over HTTP',
    edits: [
      {
        file: engine('daemon/http/gateway'),
        from: 'if (depth > MOST_DEPTH)',
        to: 'if (depth > MOST_DEPTH * 2)',
      },
    ],
    tests: [only(local['http-protocol'], 'refuses a chain of calls that is too deep')],
  },
  {
    number: 42,
    title: 'a call that nobody waits for is tried for ever',
    edits: [
      {
        file: calls('later-lane'),
        from: 'tries = 3, retryMs = doubling',
        to: 'tries = Number.POSITIVE_INFINITY, retryMs = doubling',
      },
    ],
    tests: [only(daemon.later, 'are tried three times')],
  },
  {
    number: 42,
    title: 'a call that ends every engine is made again and again',
    edits: [
      {
        file: calls('later-lane'),
        from: 'if (attempt > MOST_HANDED)',
        to: 'if (attempt > 10 * MOST_HANDED)',
      },
    ],
    tests: [only(daemon.later, 'that every engine ended in are given up')],
  },
  {
    number: 43,
    title: 'a call is accepted before it is on disk',
    edits: [
      {
        file: calls('later'),
        from: 'await lane.queue.send([message]);',
        to: 'lane.queue.send([message]).catch(() => undefined);',
      },
    ],
    tests: [only(daemon.later, 'when the queue does not take them')],
  },
  {
    number: 47,
    title: 'a version that leaves messages untaken looks sound',
    edits: [
      {
        file: calls('caller'),
        from: 'fault?.(outcome) ?? (status !== undefined',
        to: "(fault === null ? '' : undefined) ?? (status !== undefined",
      },
    ],
    tests: [only(local['telemetry-events'], 'count a version that leaves messages untaken')],
  },
];
