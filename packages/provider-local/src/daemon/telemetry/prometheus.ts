/** One time series. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Counts by how long something took. */
export interface Histogram {
  readonly labels: Readonly<Record<string, string>>;
  /** Upper bounds in seconds, rising, and how many were up to each and above the one before. */
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  /** All of them, those above the last bound too. */
  readonly count: number;
  readonly sum: number;
}

export type Family = {
  readonly name: string;
  readonly help: string;
} & (
  | { readonly type: 'counter' | 'gauge'; readonly samples: readonly Sample[] }
  | { readonly type: 'histogram'; readonly samples: readonly Histogram[] }
);

/** Of the format below. */
export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Prometheus text format 0.0.4. A family without samples is left out. */
export function prometheusText(families: readonly Family[]): string {
  return families
    .filter((family) => family.samples.length > 0)
    .map((family) =>
      [
        `# HELP ${family.name} ${helpOf(family.help)}`,
        `# TYPE ${family.name} ${family.type}`,
        ...linesOf(family),
        '',
      ].join('\n'),
    )
    .join('');
}

function linesOf(family: Family): string[] {
  const { name } = family;
  if (family.type !== 'histogram')
    return family.samples.map(({ labels, value }) => line(name, labels, value));
  return family.samples.flatMap(({ labels, bounds, counts, count, sum }) => {
    let below = 0;
    const buckets = bounds.map((bound, n) => {
      below += counts[n] ?? 0;
      return line(`${name}_bucket`, { ...labels, le: numberOf(bound) }, below);
    });
    return [
      ...buckets,
      line(`${name}_bucket`, { ...labels, le: '+Inf' }, count),
      line(`${name}_sum`, labels, sum),
      line(`${name}_count`, labels, count),
    ];
  });
}

function line(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${numberOf(value)}`;
}

function numberOf(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value);
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function helpOf(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
