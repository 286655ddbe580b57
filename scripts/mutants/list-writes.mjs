// Mistakes in how a release writes: what it compares, what it notes down, what it holds, when it changes what.
import { bake, gc, infra, lease, mistakesTest, release, story, triggers } from './places.mjs';

export const writes = [
  {
    number: 1,
    title: 'compare-and-swap dropped: what somebody else left in an alias is overwritten',
    edits: [
      {
        file: release('flip'),
        from: 'if (!meant.some((table) => sameTable(table, state.table))) throw foreign(of.key, state.table);',
        to: 'void meant;',
      },
    ],
    tests: [mistakesTest],
  },
  {
    number: 1,
    title: 'compare-and-swap dropped: head is taken although it moved',
    edits: [
      {
        file: release('lease'),
        from: 'if (options.expect !== undefined && at.tag !== options.expect && watch === undefined) throw moved();',
        to: '',
      },
    ],
    tests: [lease],
  },
  {
    number: 2,
    title: 'a new version is published although nothing changed: the version that a unit has is not kept',
    edits: [
      {
        file: release('stage'),
        from: 'if (version !== undefined && version.digest === held.release.units[of.key]) versions[of.key] = version;',
        to: 'void version;',
      },
    ],
    tests: [mistakesTest],
  },
  {
    number: 2,
    title: 'a new version is published although nothing changed: the digest covers what is not content',
    edits: [
      {
        file: 'packages/core/src/plan/digests.ts',
        from: 'return digestOf({ functions: unit.functions, build: unit.build, config: unit.config, artifact });',
        to: 'return digestOf({ functions: unit.functions, build: unit.build, config: unit.config, artifact, at: Math.random() });',
      },
    ],
    tests: [story],
  },
  {
    number: 3,
    title:
      'a write is trusted without reading back: a release is called live without a last look at its aliases',
    edits: [
      {
        file: release('forward'),
        from: 'if (!sameTable(now.table, wanted[of.key] ?? {})) throw foreign(of.key, now.table);',
        to: 'void [now, sameTable, foreign];',
      },
    ],
    tests: [mistakesTest],
  },
  {
    number: 4,
    title:
      'an aliased version is retired: what aliases and the window need is marked and removed all the same',
    edits: [
      {
        file: release('contract'),
        from: '.filter((owned) => !needed.has(versionKey(owned.provider, owned.version))),',
        to: ',',
      },
      {
        file: release('contract'),
        from: '(one) => one.fence < held.holding.fence && !needed.has(versionKey(one.provider, one.version)),',
        to: '(one) => one.fence < held.holding.fence,',
      },
    ],
    tests: [gc],
  },
  {
    number: 5,
    title: 'the journal is written after the act: moves',
    edits: [
      {
        file: release('flip'),
        from: `if (Object.keys(moves).length > 0 || options.mark) {
          await append(held, { kind: 'moves', dir: options.dir, step: options.step, moves });
        }
        const providers`,
        to: 'const providers',
      },
      {
        file: release('flip'),
        from: 'if (failures.length > 0) throw failures[0]!.error;',
        to: `if (Object.keys(moves).length > 0 || options.mark) {
          await append(held, { kind: 'moves', dir: options.dir, step: options.step, moves });
        }
        if (failures.length > 0) throw failures[0]!.error;`,
      },
    ],
    tests: [mistakesTest],
  },
  {
    number: 5,
    title: 'the journal is written after the act: removals',
    edits: [
      {
        file: release('contract'),
        from: "await append(held, { kind: 'removing', versions: due.map((one) => one.version), resources: [] });",
        to: '',
      },
      {
        file: release('contract'),
        from: `}
        return removed;
        }

        /** Versions that an alias names`,
        to: `}
        await append(held, { kind: 'removing', versions: due.map((one) => one.version), resources: [] });
        return removed;
        }

        /** Versions that an alias names`,
      },
    ],
    tests: [gc],
  },
  {
    number: 6,
    title: 'the lease is not renewed',
    edits: [
      {
        file: release('holding'),
        from: 'if (keeper.over.aborted) return; await keeper.renew();',
        to: 'if (keeper.over.aborted) return;',
      },
    ],
    tests: [lease],
  },
  {
    number: 7,
    title: 'the lease is not checked before a write: the guard looks at nothing',
    edits: [
      {
        file: release('holding'),
        from: 'if (run.now() + patience.writeMs >= keeper.renewedAt() + patience.leaseMs) await keeper.renew();',
        to: 'void patience.writeMs;',
      },
    ],
    tests: [lease],
  },
  {
    number: 7,
    title: 'the lease is not checked before a write: writes to a provider pass no guard',
    edits: [{ file: release('fleet'), from: 'await guard();', to: 'void guard;' }],
    tests: [lease],
  },
  {
    number: 8,
    title: "a lost answer is taken for a failure: a provider's",
    edits: [
      {
        file: 'packages/core/src/retry.ts',
        from: "if (error.details.unknownOutcome || error.code === 'SFX3102') return FIRST_WAIT_MS * 2 ** (tries - 1);",
        to: 'void FIRST_WAIT_MS;',
      },
    ],
    tests: [mistakesTest],
  },
  {
    number: 8,
    title: 'a lost answer is taken for a failure: of head',
    edits: [
      {
        file: release('holding'),
        from: 'if (there === undefined || !isThat(there, head)) throw error;',
        to: 'throw error;',
      },
    ],
    tests: [lease],
  },
  {
    number: 8,
    title: 'a lost answer is taken for a failure: of the journal',
    edits: [
      { file: release('holding'), from: "if (await mine().catch(() => false)) return 'created';", to: '' },
    ],
    tests: [lease],
  },
  {
    number: 8,
    title: 'a lost answer is taken for a failure: of a release record',
    edits: [
      {
        file: 'packages/core/src/state/stage-state.ts',
        from: 'if (await isThere().catch(() => false)) return;',
        to: '',
      },
    ],
    tests: [lease],
  },
  {
    number: 9,
    title: 'a trigger that pulls is enabled before 100 %',
    edits: [
      {
        file: release('triggers'),
        from: 'await ensure(ctx, held, of, { enabled: false, outputs: outputs[of.provider] });',
        to: 'await ensure(ctx, held, of, { enabled: true, outputs: outputs[of.provider] });',
      },
    ],
    tests: [triggers],
  },
  {
    number: 10,
    title: 'a removed trigger is left consuming: not stopped at 100 %',
    edits: [
      { file: release('triggers'), from: 'for (const of of gone) await make(of, false, before);', to: '' },
    ],
    tests: [triggers],
  },
  {
    number: 10,
    title: 'a removed trigger is left consuming: kept by contract',
    edits: [
      {
        file: release('contract'),
        from: 'removed += await dropTriggers(ctx, held, all);',
        to: 'void dropTriggers;',
      },
    ],
    tests: [triggers],
  },
  {
    number: 11,
    title: 'contract before the bake',
    edits: [
      {
        file: release('finish'),
        from: 'if (bakeMs === 0) { await contract',
        to: 'if (bakeMs >= 0) { await contract',
      },
    ],
    tests: [bake],
  },
  {
    number: 11,
    title: 'contract before the bake is over, by another command',
    edits: [
      {
        file: release('finish'),
        from: 'if (!baked && (await bakes(ctx, head))) return;',
        to: 'void [baked, bakes];',
      },
    ],
    tests: [bake],
  },
  {
    number: 12,
    title: 'infra is narrowed before the flip',
    edits: [
      {
        file: release('resources'),
        from: "if (change === 'breaks' || change === 'replaces') {",
        to: "if (change === 'replaces') {",
      },
    ],
    tests: [infra],
  },
];
