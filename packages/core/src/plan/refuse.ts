import { fail } from '../errors.js';
import type { Capabilities } from '../provider/contract.js';
import { infraOf } from '../release/fleet.js';
import type { Observation } from '../release/observe.js';
import type { Rollout } from '../release/rollout.js';
import type { Intent } from './intent.js';

/** Refuses what a plan may not do, before anything is touched. Pure. */
export function refuse(
  intent: Intent,
  observation: Observation,
  can: (provider: string) => Capabilities,
  digest: string,
): void {
  const { head } = observation.at;
  const canary = isGradual(intent.rollout) && observation.live !== undefined;
  for (const provider of Object.keys(intent.irs)) {
    if (canary) refuseSplit(provider, can(provider), intent, observation);
    if (canary && intent.rollout.analysis !== undefined && !can(provider).metricsByVersion) {
      throw fail(
        'SFX3005',
        `${provider} has no metrics by version: blended numbers would hide a dead canary`,
        {
          hint: 'Leave `analysis` out and judge by hand, or choose a provider with metrics by version.',
        },
      );
    }
  }
  if (head !== undefined && head.origin !== intent.origin) {
    throw fail(
      'SFX4114',
      `this service and stage was deployed from ${head.origin}; this is ${intent.origin}`,
    );
  }
  // What became of this build the last time that it took traffic.
  const last = head?.past.findLast((one) => one.digest === digest && one.status !== 'failed');
  const rolledBack = last?.status === 'rolled back' ? last : undefined;
  if (rolledBack !== undefined && !intent.force) {
    throw fail(
      'SFX4110',
      `this build is release ${rolledBack.number}, rolled back${rolledBack.why ? `: ${rolledBack.why}` : ''}`,
    );
  }
  refuseTag(intent, observation);
}

function isGradual(rollout: Rollout): boolean {
  return rollout.steps.some((step) => 'weight' in step && step.weight < 100);
}

function refuseSplit(provider: string, can: Capabilities, intent: Intent, observation: Observation): void {
  if (can.split.targets === 1) {
    throw fail('SFX3005', `${provider} sends all calls to one version: it has no weights`, {
      ways: [
        { label: 'all at once', command: 'sfx deploy' },
        { label: 'elsewhere', command: 'sfx deploy --canary N --provider <one with weights>' },
      ],
      hint: 'Deploy all at once (leave `--canary` and `rollout:` out), or choose a provider with weights: `sfx providers`.',
    });
  }
  for (const step of intent.rollout.steps) {
    if ('weight' in step && step.weight % can.split.step !== 0) {
      throw fail(
        'SFX3005',
        `${provider} takes weights in steps of ${can.split.step} %; ${step.weight} % cannot be`,
      );
    }
  }
  if (can.unit !== 'function') refuseOtherFunctions(provider, intent, observation);
}

/** On app and package units a candidate has all functions or none: one that stable does not have cannot wait outside. */
function refuseOtherFunctions(provider: string, intent: Intent, observation: Observation): void {
  const live = observation.live;
  if (live === undefined) return;
  const before = new Set(live.irs[provider]?.units.flatMap((unit) => unit.functions) ?? []);
  const after = new Set(intent.irs[provider]?.units.flatMap((unit) => unit.functions) ?? []);
  const other = [...after]
    .filter((name) => !before.has(name))
    .concat([...before].filter((name) => !after.has(name)));
  if (other.length > 0) {
    throw fail(
      'SFX3005',
      `on ${provider} a canary cannot add or remove functions (${other.join(', ')}): the whole app is one version`,
      {
        hint: 'Deploy the change of functions all at once, then canary the rest.',
      },
    );
  }
}

function refuseTag(intent: Intent, observation: Observation): void {
  const { tag } = intent;
  if (tag === undefined) return;
  if (!/^[A-Za-z][A-Za-z0-9._-]{0,62}$/.test(tag)) {
    throw fail(
      'SFX4116',
      `${JSON.stringify(tag)} cannot be a tag: it starts with a letter, then letters, digits, \`.\`, \`_\`, \`-\``,
    );
  }
  const taken = observation.at.head?.tags[tag];
  if (taken !== undefined) throw fail('SFX4116', `tag ${tag} names release ${taken}`);
}

/** Infra that the new IR changes in a way that would replace it, or drops although it holds data (which then stays). */
export function refuseReplacing(
  intent: Intent,
  observation: Observation,
  change: (provider: string, kind: string, from: unknown, to: unknown) => string,
): void {
  const before = new Map(infraOf(observation.live?.irs ?? {}).map((of) => [of.key, of]));
  for (const of of infraOf(intent.irs)) {
    const old = before.get(of.key);
    if (old === undefined || change(of.provider, of.part.kind, old.part.props, of.part.props) !== 'replaces')
      continue;
    throw fail(
      'SFX4123',
      `this change would replace ${of.part.id} (${of.part.kind}), which versions that run use`,
      {
        resource: of.part.id,
        hint: 'Give the new one another name; the old one goes when no release needs it.',
      },
    );
  }
}
