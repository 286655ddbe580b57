import type { Next, PullingReport } from '@sfx-deploy/core';
import { count, pad, width } from './text.js';

const LABEL = 11;

/** What it costs: `2 writes, about 1 s`. */
function cost(next: Next): string {
  const writes = next.writes === undefined ? [] : [count(next.writes, 'write')];
  return [...writes, ...(next.note === undefined ? [] : [next.note])].join(', ');
}

/** The ways on, and the addresses: label, command to paste, cost. */
export function nextLines(next: readonly Next[], urls: Readonly<Record<string, string>> = {}): string[] {
  const priced = next.filter((one) => cost(one) !== '');
  const column = Math.max(0, ...priced.map((one) => width(one.command))) + 4;
  const addresses = Object.entries(urls);
  return [
    ...next.map((one) => {
      const price = cost(one);
      return `  ${pad(one.label, LABEL)}${price === '' ? one.command : `${pad(one.command, column)}${price}`}`;
    }),
    ...addresses.map(([kind, url]) => `  ${pad(addresses.length === 1 ? 'url' : kind, LABEL)}${url}`),
  ];
}

const MOST_PULLS = 4;

/** `queue orders -> worker`, a line each; of many the first ones. */
export function pullLines(pulls: readonly PullingReport[] = [], at = LABEL, indent = 2): string[] {
  const shown = pulls.length > MOST_PULLS ? pulls.slice(0, MOST_PULLS - 1) : pulls;
  const left = pulls.length - shown.length;
  const rows = shown.map(({ name, function: fn }) => `${name} -> ${fn}`);
  if (left > 0) rows.push(`and ${left} others`);
  return rows.map((row, index) => `${' '.repeat(indent)}${pad(index === 0 ? 'pulls' : '', at)}${row}`);
}
