import type { ReleasesReport } from '@sfx-deploy/core';
import { type Look, paint } from './look.js';
import { age, clip, columns, count, shortDigest } from './text.js';

/** A stage's past, newest first. What can no longer be gone back to says so. */
export function releasesLines(report: ReleasesReport, nowMs: number, look: Look): string[] {
  const head = `${paint(look, 'bold', report.service)}${paint(look, 'dim', ` · ${report.stage}`)}`;
  if (report.releases.length === 0) return [head, '', 'Nothing was released yet.', '  sfx deploy'];
  const newest = [...report.releases].sort((a, b) => b.number - a.number);
  const rows = newest.map((one) => [
    `  ${paint(look, 'bold', String(one.number))}${one.of === undefined ? '' : ` (= ${one.of})`}`,
    statusText(one.status, look),
    age(nowMs - Date.parse(one.by.at)),
    shortDigest(one.digest),
    one.by.git ? one.by.git.sha.slice(0, 7) : '-',
    one.by.who,
    // What matters most first: a long line is cut at its end.
    [
      ...(one.tag === undefined ? [] : [`[${one.tag}]`]),
      ...(one.reachable || one.status === 'open' ? [] : ['versions gone']),
      ...(one.why === undefined ? [] : [one.why]),
      ...(one.by.git?.subject === undefined ? [] : [`"${one.by.git.subject}"`]),
    ].join(' '),
  ]);
  const reachable = report.releases.filter((one) => one.reachable).length;
  return [
    head,
    '',
    ...columns([['  release', 'status', 'age', 'digest', 'git', 'by', ''], ...rows]).map((line) =>
      clip(line),
    ),
    '',
    `${count(reachable, 'release')} can be gone back to; the newest ${report.keep} are kept.`,
    '  back       sfx rollback <release>',
  ];
}

function statusText(status: string, look: Look): string {
  if (status === 'open') return paint(look, 'yellow', 'open');
  return status === 'failed' || status === 'partial' ? paint(look, 'red', status) : status;
}
