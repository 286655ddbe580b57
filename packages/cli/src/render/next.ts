import type { Next } from '@sfx-deploy/core';
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
