import type { Event, StepName } from '@sfx-deploy/core';
import { type Look, paint, type Sign, sign } from './look.js';
import { clip, count, pad, seconds, timed, WIDTH, width, wrap } from './text.js';

const NAME = 11;

export type IdentityEvent = Extract<Event, { code: 'identity' }>;
export type ReleaseEvent = Extract<Event, { code: 'release' }>;

/** `shop · prod · aws 1234-5678-9012 eu-west-1 · as role/deploy`: before the first write, and above each report. */
export function identityLine(
  who: {
    readonly service: string;
    readonly stage: string;
    readonly where: string;
    readonly as?: string;
    readonly note?: string;
  },
  look: Look,
): string {
  const details = [who.stage, who.where, ...(who.as === undefined ? [] : [`as ${who.as}`])].join(' · ');
  const note = who.note === undefined ? '' : ` (${who.note})`;
  return `${paint(look, 'bold', who.service)}${paint(look, 'dim', ` · ${details}${note}`)}`;
}

/** `release 42 after 41 · git 9f3c1ab "refund endpoint" · 2 of 7 functions change` */
export function releaseLine(event: ReleaseEvent, look: Look): string {
  const equals = event.of === undefined ? '' : ` (= ${event.of})`;
  const after = event.after === null ? ', the first' : ` after ${event.after}`;
  const change =
    event.changed.length === event.total && event.after === null
      ? count(event.total, 'function')
      : `${event.changed.length} of ${count(event.total, 'function')} ${event.total === 1 ? 'changes' : 'change'}`;
  const number = `release ${paint(look, 'bold', String(event.number))}${equals}${after}`;
  if (!event.git) return `${number} · ${change}`;
  const { sha, subject } = event.git;
  const git = `git ${sha.slice(0, 7)}`;
  const room = WIDTH - width([number, git, change].join(' · ')) - 3;
  const quoted = subject === undefined || room < 12 ? '' : ` "${clip(subject, room)}"`;
  return [number, git + quoted, change].join(' · ');
}

/** `✔ build      checkout, worker · 5 unchanged                       0.6 s` */
export function stepLines(mark: Sign, step: StepName, text: string, ms: number, look: Look): string[] {
  const head = `${sign(look, mark)} ${pad(step, NAME)}`;
  const indent = NAME + (look.unicode ? 2 : 3);
  const [first = '', ...rest] = wrap(text, WIDTH - indent - 8);
  const shown = mark === 'bad' ? paint(look, 'red', first) : first;
  return [timed(`${head}${shown}`.trimEnd(), ms, look), ...rest.map((line) => ' '.repeat(indent) + line)];
}

/** The line of a step that runs, as it is redrawn, or as its sign of life. */
export function runningText(
  text: string | undefined,
  done: number | undefined,
  total: number | undefined,
): string {
  const counter = done === undefined || total === undefined ? undefined : `${done} of ${total}`;
  return [counter, text].filter((part) => part !== undefined && part !== '').join(' · ');
}

/** Everything that is said once, beside the steps. Nothing for what only JSON carries. */
export function noticeLines(event: Event, look: Look, verbose: boolean): string[] {
  switch (event.code) {
    case 'warning': {
      const at = event.at === undefined ? '' : `${event.at}  `;
      return hang(paint(look, 'yellow', 'warning'), `${event.error}  ${at}${event.message}`);
    }
    case 'note':
      return hang('note', event.text);
    case 'wait':
      return hang('wait', `${event.why}; up to ${seconds(event.ms)}`);
    case 'retry':
      return verbose ? hang('retry', `${event.op} ${event.on} in ${seconds(event.ms)}: ${event.why}`) : [];
    case 'judged': {
      const reasons = event.reasons.length === 0 ? '' : `: ${event.reasons.join('; ')}`;
      const verdict = event.verdict === 'fail' ? paint(look, 'red', 'failing') : event.verdict;
      return hang('judged', `release ${event.release} at ${event.percent} % ${verdict}${reasons}`);
    }
    case 'moved': {
      const read =
        event.confirmed === true
          ? 'read back'
          : event.confirmed === 'unknown'
            ? 'not confirmed: unknown'
            : 'not there yet';
      return verbose
        ? hang(
            'moved',
            `release ${event.release} at ${event.percent} %, ${count(event.aliases, 'alias', 'aliases')}, ${read}`,
          )
        : [];
    }
    default:
      return [];
  }
}

function hang(label: string, text: string): string[] {
  const indent = NAME + 2;
  return wrap(text, WIDTH - indent).map((line, index) =>
    index === 0 ? `  ${pad(label, NAME)}${line}` : ' '.repeat(indent) + line,
  );
}
