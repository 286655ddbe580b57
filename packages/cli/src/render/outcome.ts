import type { AliasReport, Outcome } from '@sfx-deploy/core';
import { outputLines } from './error.js';
import { type Look, paint, sign } from './look.js';
import { nextLines, pullLines } from './next.js';
import { count, labelled, seconds, shortVersion, timed, width, wrap } from './text.js';

/** How a command that changes a stage ended: who gets traffic now, what waits or stays, and the ways on with their cost. */
export function outcomeLines(outcome: Outcome, look: Look): string[] {
  const facts = factLines(outcome);
  const details = detailLines(outcome);
  const on = [
    ...nextLines(outcome.next, outcome.ending === 'removed' ? {} : outcome.urls),
    ...pullLines(outcome.pulls),
  ];
  return [
    ...headLines(outcome, look),
    ...details.map((line) => `  ${line}`),
    ...(facts.length === 0 ? [] : ['', ...facts]),
    ...(outcome.warnings.length === 0
      ? []
      : ['', ...outcome.warnings.flatMap((text) => warningLines(text, look))]),
    ...(on.length === 0 ? [] : ['', ...on]),
  ];
}

function headLines(outcome: Outcome, look: Look): string[] {
  const { error } = outcome;
  if (error) {
    const head = `${sign(look, 'bad')} ${paint(look, 'red', error.code)} ${error.message}`;
    const hint = error.hint === undefined ? [] : wrap(error.hint, 76).map((line) => `  ${line}`);
    const said = error.message.includes(outcome.sentence) || outcome.sentence === '';
    return [
      ...wrapHead(head),
      ...outputLines(error.output ?? []),
      ...hint,
      ...(said ? [] : wrap(outcome.sentence, 76).map((line) => `  ${line}`)),
    ];
  }
  const sentence = firstWordBold(outcome.sentence, look);
  const open = ['canary', 'paused', 'inconclusive'].includes(outcome.ending);
  return sentenceLines(open ? `${sign(look, 'open')} ${sentence}` : sentence, outcome.ms, look);
}

/** The closing sentence; its time stands beside the first line. */
function sentenceLines(sentence: string, ms: number, look: Look): string[] {
  const [first = '', ...rest] = wrapHead(sentence, 72 - seconds(ms).length - 2);
  return [timed(first, ms, look), ...rest];
}

/** Breaks a coloured head line at 80 columns, the rest two columns in. */
function wrapHead(head: string, room = 80): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of head.split(' ')) {
    if (line !== '' && width(line) + 1 + width(word) > room) {
      lines.push(line);
      line = `  ${word}`;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function firstWordBold(sentence: string, look: Look): string {
  const at = sentence.indexOf(' ');
  return at === -1
    ? paint(look, 'bold', sentence)
    : paint(look, 'bold', sentence.slice(0, at)) + sentence.slice(at);
}

function detailLines(outcome: Outcome): string[] {
  const { hurt } = outcome;
  return [
    ...(outcome.ending === 'canary' ? ['The canary stays open: nobody judges it until you look at it.'] : []),
    ...(hurt ? [`${count(hurt.calls, 'call')} reached the candidate, ${hurt.errors} failed.`] : []),
  ];
}

function factLines(outcome: Outcome): string[] {
  return [
    ...aliasLines(outcome.aliases ?? []),
    ...(outcome.waits.length === 0
      ? []
      : labelled('waits', `${outcome.waits.join(', ')} (until promote)`, 13, 2)),
    ...(outcome.leaves.length === 0 ? [] : labelled('leaves', outcome.leaves.join(', '), 13, 2)),
  ];
}

/** What callers get now, named one by one where it is not one release. */
export function aliasLines(aliases: readonly AliasReport[]): string[] {
  return aliases.flatMap((report, index) =>
    labelled(index === 0 ? 'callers now' : '', `${report.alias}: ${tableText(report)}`, 15, 2),
  );
}

function tableText({ table }: AliasReport): string {
  if (table === 'unknown') return 'unknown, could not be read';
  const rows = Object.entries(table);
  if (rows.length === 0) return 'nothing';
  const parts = rows.map(([unit, { stable, candidate }]) => {
    const now = shortVersion(unit, stable);
    const split = candidate
      ? `${now} and ${candidate.percent} % ${shortVersion(unit, candidate.version)}`
      : now;
    return rows.length === 1 ? split : `${unit} ${split}`;
  });
  return parts.join(', ');
}

function warningLines(text: string, look: Look): string[] {
  return wrap(text, 69).map((line, index) =>
    index === 0 ? `  ${paint(look, 'yellow', 'warning')}  ${line}` : `           ${line}`,
  );
}
