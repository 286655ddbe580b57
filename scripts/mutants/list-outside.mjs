// Mistakes on the provider's side: the helper that all of them use, the provider in memory, the local engine.
import { conformance, engine, engineConformance, memory } from './places.mjs';

const helper = 'packages/core/src/provider/traffic.ts';

export const outside = [
  {
    number: 1,
    title: "compare-and-swap dropped: in the providers' helper",
    edits: [
      {
        file: helper,
        from: "return sameTable(now.table, move.from) ? 'write' : 'conflict';",
        to: "return 'write';",
      },
    ],
    tests: [conformance],
  },
  {
    number: 1,
    title: 'compare-and-swap dropped: fences are not compared',
    edits: [
      {
        file: helper,
        from: "if (now.stamp !== undefined && now.stamp.fence > move.stamp.fence) return 'conflict';",
        to: '',
      },
    ],
    tests: [conformance],
  },
  {
    number: 1,
    title: 'compare-and-swap dropped: the provider takes any token',
    edits: [
      {
        file: memory('traffic'),
        from: "if (!unfenced && stored?.token !== token) return 'conflict';",
        to: 'void [unfenced, token];',
      },
    ],
    tests: [conformance],
  },
  {
    number: 1,
    title: 'compare-and-swap dropped: the local engine takes any token',
    edits: [
      {
        file: engine('daemon/stage/aliases'),
        from: "if (write.token !== (now?.token ?? null)) return 'conflict';",
        to: '',
      },
    ],
    tests: [engineConformance],
  },
  {
    number: 2,
    title: 'a new version is published although nothing changed: staging does not look',
    edits: [{ file: memory('versions'), from: 'if (there !== undefined) return there;', to: 'void there;' }],
    tests: [conformance],
  },
  {
    number: 3,
    title: 'a write is trusted without reading back where there is no compare-and-swap',
    edits: [
      {
        file: helper,
        from: "if (written === 'conflict' || parts.cas === 'native') return written;",
        to: 'return written;',
      },
    ],
    tests: [conformance],
  },
  {
    number: 4,
    title: 'an aliased version is retired: the provider does not refuse',
    edits: [
      {
        file: memory('versions'),
        from: 'if (alias === undefined) return;',
        to: 'if (alias !== null) return;',
      },
    ],
    tests: [conformance],
  },
  {
    number: 4,
    title: 'an aliased version is retired: the local engine does not refuse',
    edits: [
      {
        file: engine('daemon/admin/routes/versions'),
        from: "throw refusal(409, 'SFX3107', `version ${one.version.id} has alias ${aliases.join(', ')}`);",
        to: 'void refusal;',
      },
    ],
    tests: [engineConformance],
  },
  {
    number: 9,
    title: 'a trigger that pulls is enabled before it is asked for: the provider keeps no switch',
    edits: [{ file: memory('resources'), from: 'enabled: target.enabled,', to: 'enabled: true,' }],
    tests: [conformance],
  },
  {
    number: 19,
    title: "a stage's name is missing from physical names",
    edits: [
      {
        file: memory('names'),
        from: "return [scope.service, scope.stage, kind, id].map(part).join('-');",
        to: "return [scope.service, kind, id].map(part).join('-');",
      },
    ],
    tests: [conformance],
  },
  {
    number: 19,
    title: 'a physical name does not keep service and stage apart',
    edits: [{ file: memory('names'), from: "text.replaceAll('-', '--')", to: 'text' }],
    tests: [conformance],
  },
  {
    number: 19,
    title: "a stage's name is missing from what the local engine keeps",
    edits: [
      {
        file: engine('daemon/stage/stages'),
        from: 'const keyOf = (scope: Scope) => `${scope.service}/${scope.stage}`;',
        to: 'const keyOf = (scope: Scope) => scope.service;',
      },
    ],
    tests: [engineConformance],
  },
  {
    number: 21,
    title: "a candidate's percent is applied to stable: by the provider",
    edits: [
      {
        file: memory('serving'),
        from: '{ unit, id: stable, percent: 100 - candidate.percent },',
        to: '{ unit, id: stable, percent: candidate.percent },',
      },
      {
        file: memory('serving'),
        from: '{ unit, id: candidate.version, percent: candidate.percent },',
        to: '{ unit, id: candidate.version, percent: 100 - candidate.percent },',
      },
    ],
    tests: [conformance],
  },
  {
    number: 23,
    title: 'an unknown is confirmed as true: by the provider',
    edits: [
      {
        file: memory('traffic'),
        from: "return context.can.flip.confirmable ? true : 'unknown';",
        to: 'return true;',
      },
    ],
    tests: [conformance],
  },
  {
    number: 24,
    title: 'a canary on a provider with one target: the provider takes it',
    edits: [
      {
        file: memory('traffic'),
        from: 'if (targets === 1) throw fail(',
        to: 'if (targets < 1) throw fail(',
      },
    ],
    tests: [conformance],
  },
];
