import type { Change, Plan } from '@sfx-deploy/core';
import { identityLine } from './event.js';
import { type Look, type Paint, paint } from './look.js';
import { columns, count, labelled, pad } from './text.js';

const LABEL = 17;
const MANY_KEPT = 1;

const marks: Readonly<Record<Change['action'], readonly [mark: string, colour: Paint]>> = {
  add: ['+', 'green'],
  change: ['~', 'yellow'],
  move: ['~', 'yellow'],
  remove: ['-', 'red'],
  keep: ['=', 'dim'],
};

const areas = [
  ['function', 'functions'],
  ['trigger', 'triggers'],
  ['resource', 'resources'],
] as const;

export interface PlanContext {
  /** `--stage prod`, as the user would add it. */
  readonly flags: string;
  /** The command that would do it. */
  readonly command: string;
  /** Where the plan was saved. */
  readonly saved?: string;
}

/** What a release would do; what destroys comes first. */
export function planLines(plan: Plan, context: PlanContext, look: Look): string[] {
  const where = plan.providers.map(({ where }) => where).join(' and ');
  const as = plan.providers.find((provider) => provider.as !== undefined)?.as;
  const who = {
    service: plan.service,
    stage: plan.stage,
    where,
    ...(as === undefined ? {} : { as }),
    note: 'reads only',
  };
  const against =
    plan.base === null ? 'nothing is live yet' : `against release ${plan.base}, read back just now`;
  const head = [
    identityLine(who, look),
    plan.of === undefined ? against : `back to release ${plan.of}, ${against}`,
  ];
  if (plan.empty) {
    const live = plan.base === null ? '' : ` Release ${plan.base} stays live on ${plan.stage}.`;
    return [...head, '', `${paint(look, 'bold', 'Nothing')} changes.${live} Nothing was written.`];
  }
  return [
    ...head,
    '',
    ...changeLines(plan.changes, look),
    '',
    ...factLines(plan),
    ...plan.warnings.flatMap((text) => labelled('warning', text, LABEL)),
    '',
    `${summary(plan.changes)} Nothing was written.`,
    ...wayLines(context),
  ];
}

function changeLines(changes: readonly Change[], look: Look): string[] {
  const destroying = changes.filter((change) => change.destroys);
  const rest = changes.filter((change) => !change.destroys);
  return [
    ...(destroying.length === 0 ? [] : [paint(look, 'red', 'destroys'), ...rowLines(destroying, look)]),
    ...areas.flatMap(([area, title]) => {
      const rows = rest.filter((change) => change.area === area);
      return rows.length === 0 ? [] : [title, ...rowLines(rows, look)];
    }),
  ];
}

function rowLines(changes: readonly Change[], look: Look): string[] {
  const kept = changes.filter((change) => change.action === 'keep');
  const shown = changes.filter((change) => change.action !== 'keep');
  const named = kept.length > MANY_KEPT ? [] : kept;
  const rows = [...shown, ...named].map((change) => [
    `${mark(change, look)} ${change.name}`,
    change.why,
    change.destroys ? 'destroys' : (change.when ?? ''),
  ]);
  const others = shown.length === 0 ? `all ${kept.length}` : `${kept.length} others`;
  return [
    ...columns(rows, 3),
    ...(named.length === kept.length ? [] : [`${paint(look, 'dim', '=')} ${others}`]),
  ];
}

function mark(change: Change, look: Look): string {
  const [text, colour] = marks[change.action];
  return paint(
    look,
    change.destroys ? 'red' : colour,
    change.destroys && change.action === 'change' ? '-' : text,
  );
}

function factLines(plan: Plan): string[] {
  const back = plan.undo.takesBack.length === 0 ? '' : `; takes back ${plan.undo.takesBack.join(', ')}`;
  return [
    ...labelled('traffic', trafficText(plan), LABEL),
    ...(plan.waits.length === 0 ? [] : labelled('waits', `${plan.waits.join(', ')} for promote`, LABEL)),
    ...(plan.kept.length === 0 ? [] : labelled('stays', `${plan.kept.join(', ')}: holds data`, LABEL)),
    `${pad('effort', LABEL)}${count(plan.effort.writes, 'write')}`,
    ...labelled('undo', `sfx rollback: ${count(plan.undo.writes, 'write')}${back}`, LABEL),
  ];
}

function trafficText({ steps }: Plan): string {
  const parts = steps.map((step) => {
    if ('weight' in step) return `${step.weight} %`;
    if ('check' in step) return `check ${step.check}`;
    return step.pause === null ? 'wait for promote' : `pause ${Math.round(step.pause / 1000)} s`;
  });
  const only = steps.length === 0 || (steps.length === 1 && parts[0] === '100 %');
  return only ? '100 % at once' : parts.join(', then ');
}

/** `2 functions, 1 trigger, 1 resource.` */
function summary(changes: readonly Change[]): string {
  const parts = areas.flatMap(([area]) => {
    const number = changes.filter((change) => change.area === area && change.action !== 'keep').length;
    return number === 0 ? [] : [count(number, area)];
  });
  return `${parts.join(', ')}.`;
}

function wayLines({ command, flags, saved }: PlanContext): string[] {
  const tail = flags === '' ? '' : ` ${flags}`;
  if (saved !== undefined)
    return [
      `  ${pad('do it', LABEL - 2)}sfx deploy${tail} --plan ${saved}`,
      `  ${pad('saved', LABEL - 2)}${saved}`,
    ];
  const save =
    command === 'sfx deploy' ? [`  ${pad('save it', LABEL - 2)}sfx plan${tail} --out plan.json`] : [];
  return [`  ${pad('do it', LABEL - 2)}${command}${tail}`, ...save];
}
