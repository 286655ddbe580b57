// Mistakes in what a release knows and decides: undo, resume, garbage, names, secrets, verdicts.
import { gc, judge, mistakesTest, release, select } from './places.mjs';

export const decisions = [
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
              throw fail('SFX3101', \`\${String(error)}: \${JSON.stringify(unit.config)}\`);
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
    tests: [judge],
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
    tests: [judge],
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
