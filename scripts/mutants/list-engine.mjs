// Mistakes in how the engine runs code, and in what people develop and test with.
import { engine, local, only } from './places.mjs';

const pool = engine('daemon/instances/pool');

export const engineRuns = [
  {
    number: 80,
    title: 'a call may take longer than its timeout',
    edits: [
      {
        file: pool,
        from: 'nth: seat.sent, due: now + timeout,',
        to: 'nth: seat.sent, due: now + 1_000 * timeout,',
      },
    ],
    tests: [only(local.streams, 'has to end within the time of its function')],
    withinMs: 5_000,
  },
  {
    number: 81,
    title: 'a function has more instances than it may have',
    edits: [{ file: pool, from: 'alive(state) < state.mostInstances &&', to: '' }],
    tests: [
      only(
        local.pool,
        'take one call each where the file says so',
        'grow to as many as the function may have',
      ),
    ],
  },
  {
    number: 82,
    title: 'what a handler writes has no limit',
    edits: [
      {
        file: engine('daemon/instances/inside/output'),
        from: 'const part = Math.min(wanted, BUDGET - spent);',
        to: 'const part = Math.min(wanted, 8 * BUDGET - spent);',
      },
    ],
    tests: [only(local.output, 'in gigabytes is cut to a megabyte a second')],
    withinMs: 15_000,
  },
  {
    number: 83,
    title: 'a rollout is judged by calls of a version by its own id',
    edits: [
      {
        file: engine('daemon/calls/caller'),
        from: 'if (begun.call.version === undefined) begun.serving.metrics.record(',
        to: 'if (begun.call !== undefined) begun.serving.metrics.record(',
      },
    ],
    tests: [only(local.observe, 'does not count a call of a version by its own address')],
  },
  {
    number: 84,
    title: 'a cold start is not told',
    edits: [
      {
        file: pool,
        from: 'else running.resolve(running.cold ? { ...outcome, cold: true } : outcome);',
        to: 'else running.resolve(outcome);',
      },
    ],
    tests: [only(local.pool, 'which is a cold one')],
  },
  {
    number: 85,
    title: '`isolation: process` is ignored',
    edits: [
      {
        file: engine('daemon/instances/process/kinds'),
        from: "return config.isolation === 'process' ? startNode : undefined;",
        to: 'return config.isolation === undefined ? undefined : void startNode;',
      },
    ],
    tests: [only(local['process-engine'], 'come by themselves where files hold native code')],
  },
  {
    number: 86,
    title: "`.env` slips into a program's artifact",
    edits: [
      {
        file: 'packages/core/src/artifact/files.ts',
        from: "if (entry.name.startsWith('.') || NEVER.includes(entry.name)) continue;",
        to: "if (entry.name === '.git' || NEVER.includes(entry.name)) continue;",
      },
      {
        file: 'packages/core/src/artifact/files.ts',
        from: 'if (!secret.test(name) && !likely.test(name)) kept.push(name);',
        to: 'if (!likely.test(name)) kept.push(name);',
      },
    ],
    tests: [only('packages/core/test/artifact/files.test.ts', 'but no secrets, packages or configuration')],
  },
  {
    number: 87,
    title: '`sfx dev` takes a release that failed for one that is live',
    edits: [
      {
        file: 'packages/core/src/dev/attempt.ts',
        from: "if (outcome.ending !== 'live' && outcome.ending !== 'unchanged') return { error: errorOf(outcome) };",
        to: 'void errorOf;',
      },
      {
        file: 'packages/core/src/dev/dev.ts',
        from: 'else if (release !== before.done.release) tell(',
        to: 'else if (before.done !== undefined) tell(',
      },
    ],
    tests: [only('packages/cli/test/dev.test.ts', 'keeps what is live, and says why')],
  },
  {
    number: 87,
    title: 'a version that does not come up is released',
    edits: [
      {
        file: engine('daemon/admin/routes/versions'),
        from: 'await one.pool.warm().catch((error: unknown) => {',
        to: `await one.pool.warm().catch((error: unknown) => {
          if (one.version.release !== null) return;`,
      },
    ],
    tests: [only('packages/cli/test/dev.test.ts', 'keeps what is live, and says why')],
  },
  {
    number: 88,
    title: '`sfx test` passes whatever its command ends with',
    edits: [
      {
        file: 'packages/cli/src/commands/test.ts',
        from: "const passed = tested.as === 'exit' && tested.exit === 0;",
        to: "const passed = tested.as === 'exit';",
      },
    ],
    tests: [
      only(
        'packages/cli/test/tests.test.ts',
        'says what is missing: nothing deployed',
        'answers the exit code of the tests',
      ),
    ],
  },
  {
    number: 89,
    title: 'a check passes although its command failed',
    edits: [
      {
        file: 'packages/core/src/release/checks.ts',
        from: "if (ended.as === 'exit' && ended.exit === 0) return;",
        to: "if (ended.as === 'exit') return;",
      },
    ],
    tests: [
      only('packages/core/test/release/command-check.test.ts', 'fails the release in every other ending'),
    ],
  },
  {
    number: 90,
    title: 'a call that may not be repeated reaches a program twice',
    edits: [
      {
        file: engine('daemon/instances/process/exchange'),
        from: "new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);",
        to: "new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'POST']);",
      },
    ],
    tests: [only(local.program, 'has a connection of its own for each POST')],
  },
  {
    number: 91,
    title: "a handler sees the daemon's environment",
    edits: [
      {
        file: engine('daemon/stage/versions'),
        from: "const names = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ', 'SystemRoot', 'TEMP'];",
        to: 'const names = Object.keys(process.env);',
      },
    ],
    tests: [only(local.secrets, 'is seen by no handler')],
  },
  {
    number: 92,
    title: 'instances are never given back',
    edits: [
      {
        file: pool,
        from: 'if (isIdle(seat) && now - seat.idleSince >= idleMs) retire(seat);',
        to: 'if (isIdle(seat) && now - seat.idleSince >= 10 * idleMs) retire(seat);',
      },
    ],
    tests: [only(local.pool, 'go back to none when nobody calls')],
  },
  {
    number: 93,
    title: 'a call that was begun is made again when its instance ends',
    edits: [
      {
        file: pool,
        from: 'if (seat.calls.get(id)!.nth > (begun ?? seat.sent)) again(state, seat, id);',
        to: 'if (seat.calls.get(id)!.nth > (begun ?? 0) - 1) again(state, seat, id);',
      },
    ],
    tests: [only(local.pool, 'never begin a call twice')],
  },
  {
    number: 94,
    title: 'a function that is flooded keeps another from its first instance',
    edits: [
      {
        file: engine('daemon/instances/crowd'),
        from: 'if (member.instances() === 0 || total() < most || stopIdlest()) {',
        to: 'if (total() < most || stopIdlest()) {',
      },
    ],
    tests: [only('packages/provider-local/test/crowd.test.ts', 'beside the first of each')],
  },
  {
    number: 95,
    title: 'the percent of a candidate goes to stable: by the local engine',
    edits: [
      {
        file: engine('daemon/http/router'),
        from: 'draw * 100 < candidate.percent',
        to: 'draw * 100 >= candidate.percent',
      },
    ],
    tests: [only(local.traffic, 'of 5 % sends', 'sends nothing at 0 %')],
  },
  {
    number: 96,
    title: 'a late writer moves an alias of the local engine',
    edits: [
      {
        file: engine('daemon/stage/aliases'),
        from: "if (now?.stamp !== undefined && now.stamp.fence > write.stamp.fence) return 'conflict';",
        to: '',
      },
    ],
    tests: [only(local.admin, 'writes no alias under an older fence')],
  },
  {
    number: 97,
    title: 'a version is removed under its calls',
    edits: [
      {
        file: engine('daemon/stage/versions'),
        from: 'await known.pool.drain(DRAIN_MS);',
        to: 'await known.pool.drain(0);',
      },
    ],
    tests: [only(local.traffic, 'loses no call while it is flipped')],
  },
];
