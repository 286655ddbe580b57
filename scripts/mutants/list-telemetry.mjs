// Mistakes in what the engine tells of itself: page, metrics, logs, records, spans.
import { daemon, engine, local, only } from './places.mjs';

const versions = engine('daemon/stage/versions');

export const telemetry = [
  {
    number: 68,
    title: 'the page is told results',
    edits: [
      {
        file: engine('daemon/telemetry/live'),
        from: '({ id, function: fn, release, cause, status, started, durationMs, cold }): LiveActivation => ({ id,',
        to: `({ id, function: fn, release, cause, status, started, durationMs, cold, ...more }): LiveActivation => ({
            ...more,
            id,`,
      },
      {
        file: engine('daemon/calls/activations'),
        from: 'others.put(rest);',
        to: 'others.put({ ...rest, result: _ });',
      },
    ],
    tests: [only(local.telemetry, 'counts the shares of a canary', 'is a snapshot of all')],
  },
  {
    number: 69,
    title: 'an environment value is told: in metrics and answers',
    edits: [
      {
        file: versions,
        from: 'const shown = shownVersion(unit, hex);',
        to: 'const shown = `${shownVersion(unit, hex)} ${JSON.stringify(config.environment)}`;',
      },
    ],
    tests: [only(local.secrets, 'is kept with its version')],
  },
  {
    number: 69,
    title: "an environment value is told: in the engine's log",
    edits: [
      {
        file: versions,
        from: 'await unpack(options, document, hex, zip);',
        to: `await unpack(options, document, hex, zip);
          process.stderr.write(\`staged \${JSON.stringify(document)}\\n\`);`,
      },
    ],
    tests: [only(local.secrets, 'is kept with its version')],
  },
  {
    number: 69,
    title: "an environment value is told: in a version's own log",
    edits: [
      {
        file: engine('daemon/instances/pool'),
        from: "state.options.log('engine', wasLoading ?",
        to: `state.options.log('engine', JSON.stringify(state.options.load.environment));
          state.options.log('engine', wasLoading ?`,
      },
    ],
    tests: [only(local.secrets, 'is kept with its version')],
  },
  {
    number: 69,
    title: 'an environment value is told: in rows of activations',
    edits: [
      {
        file: engine('daemon/calls/activations'),
        from: 'rows.add(JSON.stringify(kept));',
        to: "rows.add(JSON.stringify({ ...kept, environment: secrets.get(kept.version ?? '') }));",
      },
      {
        file: engine('daemon/calls/activations'),
        from: 'const running = new Map<string, Base>();',
        to: 'const running = new Map<string, Base>(); const secrets = new Map<string, unknown>();',
      },
      {
        file: engine('daemon/calls/activations'),
        from: 'began: (begun) => void running.set(begun.input.requestId, baseOf(begun)),',
        to: `began: (begun) => {
            const { version } = begun.serving as unknown as { version: { id: string; environment?: unknown } };
            secrets.set(version.id, version.environment);
            running.set(begun.input.requestId, baseOf(begun));
          },`,
      },
      {
        file: versions,
        from: 'const version: Version = { unit, id: versionId(unit, hex), digest, release };',
        to: 'const version = { unit, id: versionId(unit, hex), digest, release, environment: config.environment };',
      },
    ],
    tests: [only(local.secrets, 'is kept with its version')],
  },
  {
    number: 70,
    title: 'a collector of spans that is down fails calls',
    edits: [
      {
        file: engine('daemon/telemetry/otlp'),
        from: 'if (!begun.span.sampled || state.closed) return;',
        to: `if (!begun.span.sampled || state.closed) return;
          if (state.failures > 0) throw new Error('the collector is down');`,
      },
    ],
    tests: [only(daemon.otlp, 'hold up no call')],
  },
  {
    number: 70,
    title: 'spans for a collector that is down are kept without bound',
    edits: [
      {
        file: engine('daemon/telemetry/otlp'),
        from: 'if (state.waiting.length >= MOST) {',
        to: 'if (state.waiting.length >= 10 * MOST) {',
      },
    ],
    tests: [only(daemon.otlp, 'wait for a collector that is down')],
  },
  {
    number: 73,
    title: 'what one call wrote is shown for another',
    edits: [
      {
        file: engine('daemon/telemetry/logs'),
        from: 'activation === undefined || line.activation === activation;',
        to: 'activation === undefined || line.activation !== undefined;',
      },
    ],
    tests: [only(daemon.logs, 'tells which call wrote a line')],
  },
];
