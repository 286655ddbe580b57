import type { By, Metrics, Status, UnitStatus } from '@sfx-deploy/core';
import { identityLine } from './event.js';
import { type Look, paint } from './look.js';
import { nextLines, pullLines } from './next.js';
import { aliasLines } from './outcome.js';
import { age, clip, columns, count, labelled, pad, padStart, shortVersion, width } from './text.js';

const LABEL = 12;
const READ_END = 75;

/** Who gets traffic now, by version; where a release is open, side by side. */
export function statusLines(status: Status, look: Look): string[] {
  const identity = identityLine(status, look);
  const read = `read at ${clock(status.readAt)}`;
  const gap = Math.max(2, READ_END - width(identity) - read.length);
  const next = nextLines(status.next);
  return [
    `${identity}${' '.repeat(gap)}${paint(look, 'dim', read)}`,
    '',
    ...alarmLines(status, look),
    ...releaseRows(status, look),
    ...(status.units.length === 0 ? [] : ['', ...unitLines(status)]),
    '',
    ...factLines(status),
    ...(next.length === 0 ? [] : ['', ...next]),
  ];
}

function clock(iso: string): string {
  const at = new Date(iso);
  return [at.getHours(), at.getMinutes(), at.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

/** What must be read first: a stage that is between two releases, and what its callers get. */
function alarmLines(status: Status, look: Look): string[] {
  if (status.state !== 'interrupted' && status.state !== 'partial') return [];
  const cut = status.candidate ? 'a release' : 'the removal of this stage';
  const text =
    status.state === 'partial'
      ? 'Partial: not all aliases are on one release.'
      : `Interrupted: ${cut} was cut off and is not settled.`;
  const callers =
    status.drift.length > 0
      ? aliasLines(status.drift)
      : status.units.flatMap((unit, index) =>
          labelled(index === 0 ? 'callers now' : '', `${unit.name}: ${servedBy(unit, status)}`, 15, 2),
        );
  return [paint(look, 'red', text), ...callers, ''];
}

function servedBy(unit: UnitStatus, status: Status): string {
  const [stable, candidate] = versionsOf(unit);
  return candidate === undefined
    ? stable
    : `${stable} and ${status.candidate?.percent ?? '?'} % ${candidate}`;
}

function versionsOf(unit: UnitStatus): readonly [stable: string, candidate: string | undefined] {
  const { name, stable, candidate } = unit;
  return [shortVersion(name, stable), candidate === undefined ? undefined : shortVersion(name, candidate)];
}

function releaseRows(status: Status, look: Look): string[] {
  const now = Date.parse(status.readAt);
  const { candidate, release } = status;
  if (!release && !candidate) return ['Nothing is deployed.'];
  const rows: string[][] = [];
  if (candidate) {
    const state = candidate.state === 'open' ? 'canary' : candidate.state;
    rows.push([
      `  ${paint(look, 'bold', String(candidate.release))}`,
      paint(look, 'yellow', state),
      padStart(`${candidate.percent} %`, 4),
      ...byCells(candidate.by, now),
    ]);
  }
  if (release) {
    const share = candidate ? 100 - candidate.percent : 100;
    const word = candidate ? 'stable' : release.status === 'live' ? 'live' : release.status;
    rows.push([
      `  ${paint(look, 'bold', String(release.number))}`,
      word,
      padStart(`${share} %`, 4),
      ...byCells(release.by, now),
    ]);
  }
  return columns(rows).map((line) => clip(line));
}

/** Age, commit, person, subject. */
function byCells(by: By, now: number): string[] {
  const sha = by.git ? `${by.git.sha.slice(0, 7)}${by.git.dirty ? '+' : ''}` : '-';
  return [
    age(now - Date.parse(by.at)),
    sha,
    by.who,
    by.git?.subject === undefined ? '' : `"${by.git.subject}"`,
  ];
}

function unitLines(status: Status): string[] {
  if (status.candidate) return splitLines(status);
  const rows = status.units.map((unit) => [
    unit.name,
    versionsOf(unit)[0],
    ...metricCells(status, unit.metrics?.stable),
  ]);
  const titles = status.metricsByVersion ? ['calls', 'errors', 'p95 ms'] : ['metrics'];
  return columns([['function', 'version', ...titles], ...rows], 4);
}

function metricCells(status: Status, metrics: Metrics | undefined): string[] {
  if (!status.metricsByVersion) return ['n/a (no metrics by version here)'];
  return [calls(metrics), errors(metrics), p95(metrics)];
}

/** Both versions of each unit that has two, side by side; the others are counted. */
function splitLines(status: Status): string[] {
  const both = status.units.filter((unit) => unit.candidate !== undefined);
  const others = status.units.length - both.length;
  const old = String(status.release?.number ?? '-');
  const fresh = String(status.candidate!.release);
  const pair = (unit: UnitStatus, of: (metrics: Metrics | undefined) => string): [string, string] => [
    of(unit.metrics?.stable),
    of(unit.metrics?.candidate),
  ];
  const groups: { readonly title: string; readonly cells: readonly (readonly [string, string])[] }[] = [
    { title: 'version', cells: both.map((unit) => versionsOf(unit) as readonly [string, string]) },
    ...(status.metricsByVersion
      ? [
          { title: 'calls', cells: both.map((unit) => pair(unit, calls)) },
          { title: 'errors', cells: both.map((unit) => pair(unit, errors)) },
          { title: 'p95 ms', cells: both.map((unit) => pair(unit, p95)) },
        ]
      : []),
  ];
  const name = Math.max('function'.length, ...both.map((unit) => unit.name.length)) + 4;
  const lines = [pad('function', name), pad('', name), ...both.map((unit) => pad(unit.name, name))];
  for (const { title, cells } of groups) {
    const column = [[old, fresh] as const, ...cells];
    const left = Math.max(...column.map(([cell]) => cell.length));
    const right = Math.max(...column.map(([, cell]) => cell.length));
    const room = Math.max(title.length, left + 2 + right) + 4;
    lines[0] += pad(title, room);
    column.forEach(([a, b], index) => {
      lines[index + 1] += pad(`${padStart(a, left)}  ${padStart(b, right)}`, room);
    });
  }
  const none = status.metricsByVersion ? [] : ['metrics     n/a (no metrics by version here)'];
  const rest = others === 0 ? [] : [`${pad(count(others, 'other'), name)}same in both`];
  return [...lines.map((line) => line.trimEnd()), ...rest, ...none];
}

const calls = (metrics: Metrics | undefined): string => String(metrics?.requests ?? 0);
const errors = (metrics: Metrics | undefined): string =>
  metrics === undefined || metrics.requests === 0
    ? '-'
    : `${((metrics.errors / metrics.requests) * 100).toFixed(1)} %`;
const p95 = (metrics: Metrics | undefined): string =>
  metrics === undefined || metrics.requests === 0 ? '-' : String(Math.round(metrics.p95Ms));

function factLines(status: Status): string[] {
  const urls = Object.entries(status.urls);
  const partial = status.state === 'partial';
  const drift =
    status.drift.length === 0 || partial
      ? 'none'
      : `${count(status.drift.length, 'alias', 'aliases')} moved by somebody else`;
  const lease = status.lease ? `held by ${status.lease.holder}, \`${status.lease.command}\`` : 'free';
  const journal = {
    settled: 'settled',
    empty: 'settled',
    canary: 'settled',
    paused: 'paused',
    shifting: 'shifting',
    interrupted: 'not settled',
    partial: 'not settled',
    contract: 'live; what is no longer needed is removed by the next command',
  }[status.state];
  return [
    `${pad('drift', LABEL)}${drift}`,
    ...(drift === 'none' ? [] : aliasLines(status.drift)),
    ...labelled('lease', lease, LABEL),
    `${pad('journal', LABEL)}${journal}`,
    ...urls.map(([kind, url]) => `${pad(urls.length === 1 ? 'url' : kind, LABEL)}${url}`),
    ...pullLines(status.pulls, LABEL, 0),
  ];
}
