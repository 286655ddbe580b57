import type { LiveService } from '../../wire.js';
import type { Stage } from '../stage/stage.js';
import type { Serving } from '../stage/versions.js';
import { BOUNDS } from './metrics.js';
import type { Family, Histogram, Sample } from './prometheus.js';

/** What `/metrics` tells: names, counts and times by version. All counters begin at 0 with each start of the engine. */
export function familiesOf(stages: readonly Stage[], started: number): Family[] {
  const versions = stages.flatMap((stage) =>
    stage.versions.all().map((serving) => ({ serving, labels: labelsOf(stage, serving) })),
  );
  const each = (value: (serving: Serving) => number): Sample[] =>
    versions.map(({ serving, labels }) => ({ labels, value: value(serving) }));
  const live = stages.map((stage) => stage.live());
  return [
    counter(
      'sfx_calls_total',
      'Calls through an alias.',
      each((one) => one.metrics.totals().requests),
    ),
    counter(
      'sfx_call_errors_total',
      'Calls that failed, or answered with a status of 500 or more.',
      each((one) => one.metrics.totals().errors),
    ),
    counter(
      'sfx_cold_starts_total',
      'Calls that waited for an instance to start.',
      each((one) => one.metrics.totals().cold),
    ),
    {
      name: 'sfx_call_duration_seconds',
      help: 'Time from a call to its answer.',
      type: 'histogram',
      samples: versions.map(({ serving, labels }) => histogramOf(serving, labels)),
    },
    gauge(
      'sfx_instances',
      'Instances that run now.',
      each((one) => one.pool.instances()),
    ),
    gauge(
      'sfx_memory_bytes',
      'Memory that the instances of a version said they use.',
      each((one) => one.pool.memory()),
    ),
    gauge('sfx_traffic_percent', 'Share of the calls that a version is to get.', live.flatMap(shares)),
    gauge('sfx_queue_messages', 'Messages in a queue.', live.flatMap(queues)),
    counter(
      'sfx_topic_unheard_total',
      'Messages to a topic that no subscription wanted.',
      stages.flatMap(unheard),
    ),
    gauge('sfx_engine_start_time_seconds', 'When the engine started, since 1970.', [
      { labels: {}, value: started / 1000 },
    ]),
    gauge('sfx_engine_memory_bytes', 'Memory of the process of the engine.', [
      { labels: {}, value: process.memoryUsage.rss() },
    ]),
  ];
}

function counter(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, help, type: 'counter', samples };
}

function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, help, type: 'gauge', samples };
}

function labelsOf(stage: Stage, { version, shown }: Serving): Sample['labels'] {
  return { ...stage.scope, function: version.unit, version: shown, release: String(version.release ?? '') };
}

function histogramOf({ metrics }: Serving, labels: Sample['labels']): Histogram {
  const { latency, requests, seconds } = metrics.totals();
  return { labels, bounds: BOUNDS.map((ms) => ms / 1000), counts: latency, count: requests, sum: seconds };
}

function shares({ service, stage, functions }: LiveService): Sample[] {
  return functions.flatMap(({ name, stable, candidate }) =>
    [stable, candidate].flatMap((one) =>
      one === null
        ? []
        : [{ labels: { service, stage, function: name, version: one.version }, value: one.percent }],
    ),
  );
}

function unheard({ scope, events }: Stage): Sample[] {
  return Object.entries(events.unheard()).map(([topic, value]) => ({ labels: { ...scope, topic }, value }));
}

function queues({ service, stage, queues }: LiveService): Sample[] {
  return queues.flatMap(({ name, visible, delayed, inFlight }) =>
    Object.entries({ visible, delayed, in_flight: inFlight }).map(([state, value]) => ({
      labels: { service, stage, queue: name, state },
      value,
    })),
  );
}
