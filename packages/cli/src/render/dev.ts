import type { DevEnd, DevEvent } from '@sfx-deploy/core';
import { errorDocument } from './error.js';
import { type Look, paint, sign } from './look.js';
import { count, harmless, seconds } from './text.js';

type Shown = Exclude<DevEvent, { kind: 'event' | 'failed' }>;
type Failed = Extract<DevEvent, { kind: 'failed' }>;

/** One line per change, and one per line of a log. */
export function devLines(event: Shown, now: number, look: Look, verbose: boolean): string[] {
  switch (event.kind) {
    case 'ready':
      return [
        `${stamp(now)}  release ${paint(look, 'bold', String(event.release))} live  ${count(event.functions.length, 'function')}  ${took(event.ms, look)}`,
        ...Object.values(event.urls).map((url) => `          ${url}`),
        `          watching the project; Ctrl-C ends it`,
      ];
    case 'released': {
      const to = event.functions.length === 0 ? 'the service' : some(event.functions);
      return [
        `${stamp(now)}  ${changed(event.files)} -> ${to}  release ${paint(look, 'bold', String(event.release))} live  ${took(event.ms, look)}`,
      ];
    }
    case 'mended':
      return [
        `${stamp(now)}  ${sign(look, 'ok')} ${changed(event.files)}: as release ${event.release}, which is live`,
      ];
    case 'log': {
      const { line } = event;
      const mark = line.stream === 'stdout' ? ' ' : line.stream === 'stderr' ? '!' : '*';
      const call =
        verbose && line.activation !== undefined ? ` ${harmless(line.activation).slice(0, 8)}` : '';
      const who = paint(look, 'dim', `${harmless(line.function)} ${line.release ?? ''}`.trimEnd() + call);
      return [`${stamp(Date.parse(line.at))}  ${who} ${mark} ${harmless(line.text)}`];
    }
    case 'lost':
      return [`${stamp(now)}  the engine stopped; the next change starts it again`];
  }
}

/** What failed, with `details` where it was not said before. */
export function devErrorLines(
  { files, serving, again }: Failed,
  details: readonly string[],
  now: number,
  look: Look,
): string[] {
  const what = files.length === 0 ? 'not released' : `${changed(files)}: not released`;
  const who = serving === null ? '; nothing serves yet' : `; release ${serving} serves`;
  const same = again ? '; the same error as before' : '';
  return [
    `${stamp(now)}  ${sign(look, 'bad')} ${paint(look, 'red', what)}${serving === undefined ? '' : who}${same}`,
    // The last line tells what a command left; the first one here tells it better.
    ...details.slice(0, -1),
  ];
}

export function devEndLines({ service, stage, release }: DevEnd, look: Look): string[] {
  const serves =
    release === null ? 'Nothing serves.' : `Release ${release} of ${service} ${stage} serves on.`;
  return [
    `${paint(look, 'bold', 'Ended.')} ${serves}`,
    '  stop       sfx local stop',
    ...(stage === null ? [] : [`  take away  sfx local reset ${service}/${stage}`]),
  ];
}

/** A line of `--json`: `{ "code": "dev.released", … }`. */
export function devEventDocument(event: Shown | Failed): object {
  const { kind, ...rest } = event;
  if (event.kind !== 'failed') return { code: `dev.${kind}`, ...rest };
  const { files, serving, again } = event;
  return {
    code: 'dev.failed',
    files,
    ...(serving === undefined ? {} : { serving }),
    again,
    ...errorDocument(event.error, false),
  };
}

function changed(files: readonly string[]): string {
  return files.length === 0 ? 'changed' : `${some(files.map(harmless))} changed`;
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, 2).join(', ');
  return names.length > 2 ? `${shown} and ${names.length - 2} more` : shown;
}

/** Local time of day, as the clock on the wall says it. */
function stamp(ms: number): string {
  const at = new Date(ms);
  return [at.getHours(), at.getMinutes(), at.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

function took(ms: number, look: Look): string {
  return paint(look, 'dim', seconds(ms));
}
