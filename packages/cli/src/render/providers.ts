import type { Capabilities, ProviderEntry } from '@sfx-deploy/core';
import { type Look, paint } from './look.js';
import { labelled } from './text.js';

const LABEL = 14;

/** What is installed, and what each can do as it documents it. */
export function providersLines(providers: readonly ProviderEntry[], look: Look): string[] {
  if (providers.length === 0) return ['No provider is installed here.'];
  return providers.flatMap((one, index) => [
    ...(index === 0 ? [] : ['']),
    `${paint(look, 'bold', one.name)}${paint(look, 'dim', ` · ${one.package} ${one.version}`)}`,
    ...(one.problem === undefined ? [] : labelled(paint(look, 'red', 'problem'), one.problem, LABEL, 2)),
    ...(one.capabilities === null ? [] : capabilityLines(one.capabilities)),
  ]);
}

function capabilityLines(can: Capabilities): string[] {
  const { split, flip } = can;
  const traffic =
    split.targets === 1
      ? 'one version at a time, no canary'
      : `two versions by weight, steps of ${split.step} %, ${split.scope === 'http' ? 'HTTP only' : 'all calls'}`;
  const sticky = split.sticky === 'no' ? '' : `, sticky by ${split.sticky}`;
  const confirm = flip.confirmable ? 'read back' : 'cannot be confirmed';
  return [
    ...labelled(
      'unit',
      `${can.unit}; one write flips ${can.alias === 'unit' ? 'a unit' : 'the whole service'}`,
      LABEL,
      2,
    ),
    ...labelled('traffic', traffic + sticky, LABEL, 2),
    ...labelled('flip', `${flip.takes}, ${confirm}${flip.downtime ? ', with downtime' : ''}`, LABEL, 2),
    ...labelled(
      'others',
      can.cas === 'native' ? 'never overwrites what sfx did not write' : 'checks, writes, reads again',
      LABEL,
      2,
    ),
    ...labelled('metrics', can.metricsByVersion ? 'by version' : 'not by version', LABEL, 2),
    ...labelled('triggers', can.triggers.length === 0 ? 'none' : can.triggers.join(', '), LABEL, 2),
  ];
}
