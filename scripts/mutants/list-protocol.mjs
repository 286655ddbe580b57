// Mistakes in the release protocol, in plans and in state: packages/core/src.
import { gc, infra, lease, mistakesTest, release, rollout, select, story, triggers } from './places.mjs';

export const protocol = [
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
    tests: [gc],
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
    tests: [gc],
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
  {
    number: 13,
    title: 'the undo tables are read after the first write',
    edits: [
      { file: release('deploy'), from: 'await ctx.state.createRelease(release);', to: '' },
      {
        file: release('forward'),
        from: 'const versions = await prepare(ctx, held, options.kept);',
        to: `const versions = await prepare(ctx, held, options.kept);
          const now = await readAliases(ctx, aliasesIn(held));
          const undo = Object.fromEntries(Object.entries(now).map(([key, state]) => [key, state.table]));
          await ctx.state.createRelease({ ...held.release, undo });`,
      },
    ],
    tests: [mistakesTest],
  },
  {
    number: 14,
    title: 'resume counts intents instead of reading',
    edits: [
      {
        file: release('forward'),
        from: 'let index = options.from ?? Math.max(begun, 0);',
        to: 'let index = options.from ?? begun + 1;',
      },
    ],
    tests: [mistakesTest],
  },
  {
    number: 15,
    title: 'garbage is collected in one phase',
    edits: [
      {
        file: release('contract'),
        from: 'const gone = new Set(removed.map((one) => versionKey(one.provider, one.version)));',
        to: `for (const one of unneeded) {
            await ctx.fleet.write(one.provider, 'versions.remove', one.version.unit, holding.guardBack, (connection) =>
              connection.versions.remove(one.version),
            );
          }
          const gone = new Set([...removed, ...unneeded].map((one) => versionKey(one.provider, one.version)));`,
      },
    ],
    tests: [gc],
  },
  {
    number: 16,
    title: '~1 names a bad release',
    edits: [{ file: release('window'), from: 'if (good(one)) result.push(one);', to: 'result.push(one);' }],
    tests: [mistakesTest],
  },
  {
    number: 16,
    title: '~1 names a bad release: by an earlier number',
    edits: [
      {
        file: release('window'),
        from: "if (good(one) || one.status === 'rolled back') seen.add(one.digest);",
        to: 'if (good(one)) seen.add(one.digest);',
      },
    ],
    tests: [select],
  },
  {
    number: 17,
    title: 'a rollback needs the artifact cache',
    edits: [
      {
        file: release('rollback'),
        from: "await orGiveBack(ctx.run, holding, () => append(held, { kind: 'staged', versions: target.versions }));",
        to: 'void [append];',
      },
      {
        file: release('rollback'),
        from: 'await drive(ctx, held, { kept: target.versions }),',
        to: 'await drive(ctx, held, { kept: {} }),',
      },
    ],
    tests: [mistakesTest],
  },
  {
    number: 18,
    title: 'a no-op writes: it takes the lease',
    edits: [
      {
        file: release('deploy'),
        from: 'if (plan.empty && observation.at.head?.live != null)',
        to: `if (plan.empty && observation.at.head?.live != null) {
            const held = await take({
              state: ctx.state,
              run: ctx.run,
              patience: ctx.fleet.patience,
              command: 'deploy',
              waitMs: options.waitMs,
            });
            await held.release((head) => head);
          }
          if (plan.empty && observation.at.head?.live != null)`,
      },
    ],
    tests: [mistakesTest],
  },
  {
    number: 18,
    title: 'a no-op writes: it is released again',
    edits: [
      {
        file: 'packages/core/src/plan/make.ts',
        from: 'empty: acting.length === 0,',
        to: 'empty: false,',
      },
    ],
    tests: [mistakesTest],
  },
  {
    number: 20,
    title: 'an env value in the journal',
    edits: [
      {
        file: release('stage'),
        from: 'versions[of.key] = await stageOne(ctx, held, of, outputs[of.provider] ?? {});',
        to: `versions[of.key] = {
            ...(await stageOne(ctx, held, of, outputs[of.provider] ?? {})),
            config: fill(of.part.config, outputs[of.provider] ?? {}, ctx.secrets),
          } as Version;`,
      },
    ],
    tests: [mistakesTest],
  },
  {
    number: 20,
    title: 'an env value in a release record',
    edits: [
      {
        file: release('deploy'),
        from: 'irs: intent.irs, artifacts: intent.artifacts, units, undo',
        to: `irs: JSON.parse(
            JSON.stringify(intent.irs, (_key, value) => (value?.$secret ? ctx.secrets?.get(value.$secret) : value)),
          ),
          artifacts: intent.artifacts, units, undo`,
      },
    ],
    tests: [mistakesTest],
  },
  {
    number: 20,
    title: 'an env value in a plan',
    edits: [
      {
        file: release('deploy'),
        from: "kind: 'deploy', intent, observation,",
        to: `kind: 'deploy',
          intent: {
            ...intent,
            irs: JSON.parse(
              JSON.stringify(intent.irs, (_key, value) => (value?.$secret ? ctx.secrets?.get(value.$secret) : value)),
            ),
          },
          observation,`,
      },
    ],
    tests: [mistakesTest],
  },
  {
    number: 20,
    title: 'an env value in an event',
    edits: [
      {
        file: release('stage'),
        from: "return ctx.fleet.write(of.provider, 'versions.stage'",
        to: `ctx.run.emit({ code: 'note', text: \`\${of.part.id} is staged\`, data: unit.config });
          return ctx.fleet.write(of.provider, 'versions.stage'`,
      },
    ],
    tests: [mistakesTest],
  },
  {
    number: 20,
    title: 'an env value in an error',
    edits: [
      {
        file: release('stage'),
        from: "return ctx.fleet.write(of.provider, 'versions.stage', of.part.id, held.holding.guard, (connection) => connection.versions.stage(unit, digest, artifact, stampOf(held)), );",
        to: `return ctx.fleet
            .write(of.provider, 'versions.stage', of.part.id, held.holding.guard, (connection) =>
              connection.versions.stage(unit, digest, artifact, stampOf(held)),
            )
            .catch((error: unknown) => {
              throw fail(asSfxError(error).code, \`\${asSfxError(error).message}: \${JSON.stringify(unit.config)}\`);
            });`,
      },
    ],
    tests: [mistakesTest],
  },
  {
    number: 21,
    title: "a candidate's percent is applied to stable",
    edits: [
      {
        file: release('tables'),
        from: 'return { stable: before.stable, candidate: { version, percent } };',
        to: 'return { stable: before.stable, candidate: { version, percent: 100 - percent } };',
      },
    ],
    tests: [mistakesTest],
  },
  {
    number: 22,
    title: '0 requests are judged as a pass: no minimum',
    edits: [
      {
        file: release('judge'),
        from: 'if (candidate === undefined || calls < Math.max(1, analysis.minSamples)) {',
        to: 'if (candidate === undefined) continue; if (calls < analysis.minSamples) {',
      },
    ],
    tests: [rollout],
  },
  {
    number: 22,
    title: '0 requests are judged as a pass: too few calls are passed over',
    edits: [
      {
        file: release('judge'),
        from: 'open.push(`${unit} inconclusive: ${calls} of ${analysis.minSamples} calls needed`);',
        to: '',
      },
    ],
    tests: [rollout],
  },
  {
    number: 23,
    title: 'an unknown is confirmed as true',
    edits: [
      {
        file: release('flip'),
        from: "return answers.includes('unknown') ? 'unknown' : answers.every((answer) => answer === true);",
        to: 'return answers.every((answer) => answer !== false);',
      },
    ],
    tests: [mistakesTest],
  },
  {
    number: 24,
    title: 'a canary on a provider with one target is sent to everyone in silence',
    edits: [
      {
        file: 'packages/core/src/plan/refuse.ts',
        from: 'if (can.split.targets === 1) {',
        to: 'if (can.split.targets < 1) {',
      },
      {
        file: release('deploy'),
        from: 'rollout: { ...intent.rollout, steps: stepsOf(intent, observation.live !== undefined) },',
        to: `rollout: {
            ...intent.rollout,
            steps: ctx.fleet.providers.every((name) => ctx.fleet.can(name).split.targets === 2)
              ? stepsOf(intent, observation.live !== undefined)
              : [{ weight: 100 }],
          },`,
      },
    ],
    tests: [mistakesTest],
  },
];
