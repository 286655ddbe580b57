// Mistakes at the doors of the engine: who may come in, and what is answered.
import { engine, local, only } from './places.mjs';

const admin = engine('daemon/admin/admin');
const gateway = engine('daemon/http/gateway');
const authorizer = engine('daemon/http/authorizer');

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
];
