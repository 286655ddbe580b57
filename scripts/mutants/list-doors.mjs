// Mistakes at the doors of the engine: who may come in, and what is told to whom.
import { daemon, engine, local, only } from './places.mjs';

const admin = engine('daemon/admin/admin');
const gateway = engine('daemon/http/gateway');
const authorizer = engine('daemon/http/authorizer');
const versions = engine('daemon/stage/versions');

export const doors = [
  {
    number: 60,
    title: 'the admin door opens without its token',
    edits: [
      {
        file: admin,
        from: 'if (!sameToken(given, token))',
        to: "if (given !== '' && !sameToken(given, token))",
      },
    ],
    tests: [only(local.admin, 'is shut without the token')],
  },
  {
    number: 60,
    title: 'the admin door opens without its token: in what looks like the page',
    edits: [
      {
        file: engine('daemon/admin/open-door'),
        from: "const path = (req.url ?? '').split('?')[0]!;",
        to: "const path = (req.url ?? '').replace(/(.)[/]+$/, '$1').split('?')[0]!;",
      },
    ],
    tests: [only(local.admin, 'is shut without the token')],
  },
  {
    number: 61,
    title: 'the admin door opens for another Host',
    edits: [
      { file: admin, from: "if (!LOOPBACK_HOST.test(req.headers.host ?? ''))", to: 'if (!req.headers.host)' },
    ],
    tests: [only(local.admin, 'DNS rebinding')],
  },
  {
    number: 61,
    title: 'a stage answers for another Host',
    edits: [
      {
        file: gateway,
        from: 'if (!isHere(headers.host, gateway.hosts))',
        to: 'if (!isHere(headers.host, ["*"]))',
      },
    ],
    tests: [only(local['http-protocol'], 'takes only this machine for its Host')],
  },
  {
    number: 62,
    title: 'the admin door opens for web pages',
    edits: [
      {
        file: admin,
        from: 'if (req.headers.origin !== undefined) throw',
        to: "if (req.headers.origin === 'null') throw",
      },
    ],
    tests: [only(local.admin, 'is shut for web pages')],
  },
  {
    number: 62,
    title: 'metrics and page are read by other web pages',
    edits: [
      {
        file: engine('daemon/admin/open-door'),
        from: "if (site !== undefined && site !== 'same-origin' && site !== 'none' && !opens)",
        to: "if (site === 'cross-site' && !opens)",
      },
    ],
    tests: [only(local.telemetry, 'is refused to other web pages')],
  },
  {
    number: 63,
    title: "the token of one stage opens another's events",
    edits: [
      {
        file: engine('daemon/admin/door'),
        from: 'if (sameToken(token, one.events.token)) stage = one;',
        to: 'if (sameToken(token, one.events.token)) stage = engine.stages.all()[0]!;',
      },
    ],
    tests: [only(local.door, 'of one stage does not reach the queues of another')],
  },
  {
    number: 64,
    title: 'what an authorizer decided outlives a flip',
    edits: [{ file: authorizer, from: 'if (now !== token) {', to: 'if (token === undefined) {' }],
    tests: [only(local['http-authorizer'], 'forgets what it decided when an alias changes')],
  },
  {
    number: 65,
    title: "an authorizer's no is taken for a yes",
    edits: [
      {
        file: authorizer,
        from: 'if (!allowed) return refused(403',
        to: 'if (allowed === null) return refused(403',
      },
    ],
    tests: [only(local['http-authorizer'], 'answers 403 to whom it does not allow')],
  },
  {
    number: 65,
    title: "an authorizer's no is taken for a yes: it fails",
    edits: [
      {
        file: authorizer,
        from: "return unclear(name, 'it failed');",
        to: "return { kind: 'simple', allowed: true, context: null };",
      },
    ],
    tests: [only(local['http-authorizer'], 'allows nobody when it gives no verdict')],
  },
  {
    number: 65,
    title: "an authorizer's no is taken for a yes: in a policy, an allowance wins",
    edits: [
      {
        file: engine('daemon/http/policy'),
        from: "if (Effect === 'Deny') return false;",
        to: "if (Effect === 'Deny') continue;",
      },
    ],
    tests: [only(local['http-authorizer'], 'denies what any statement denies')],
  },
  {
    number: 66,
    title: 'an answer does not say which call it was',
    edits: [{ file: gateway, from: "'x-sfx-activation', requestId,", to: '' }],
    tests: [only(local['http-protocol'], 'says what answered, and which call it was')],
  },
  {
    number: 66,
    title: 'a handler says itself which call it was',
    edits: [{ file: engine('daemon/http/answer'), from: "'x-sfx-activation',", to: '' }],
    tests: [only(local['http-protocol'], 'lets no header of a handler through')],
  },
  {
    number: 67,
    title: 'a stream that broke off is taken for whole',
    edits: [
      {
        file: engine('daemon/http/answer'),
        from: 'if (gone) return { status }; res.destroy(); return { status, error:',
        to: 'if (gone) return { status }; res.end(); return { status, error:',
      },
    ],
    tests: [only(local['http-streams'], 'that breaks off cuts the connection')],
  },
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
    number: 71,
    title: 'what an authorizer decided of one caller is taken for another',
    edits: [
      {
        file: authorizer,
        from: 'JSON.stringify([asking.route.key, authorizer.function, asking.candidate, identity]);',
        to: 'JSON.stringify([asking.route.key, authorizer.function, asking.candidate]);',
      },
    ],
    tests: [only(local['http-authorizer'], 'keeps a decision by route and identity')],
  },
  {
    number: 72,
    title: 'a page of any origin reads answers',
    edits: [
      {
        file: engine('daemon/http/cors'),
        from: 'fits(pattern, origin)) ? origin : undefined;',
        to: "fits(pattern, origin) || pattern !== '') ? origin : undefined;",
      },
    ],
    tests: [only(local.http, 'allows no other origin')],
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
