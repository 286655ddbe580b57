import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Digest, Json } from '../../json.js';
import type { Activation, Metrics, Scope, Stamp, Table } from '../../provider/contract.js';

export interface StoredVersion {
  readonly scope: Scope;
  readonly unit: string;
  readonly id: string;
  readonly digest: Digest;
  readonly artifact: Digest;
  readonly config: Json;
  readonly functions: readonly string[];
  readonly release: number;
  /** Order of making. */
  readonly serial: number;
  /** Parts that are there; listed and usable when all are. */
  have: number;
  readonly need: number;
  /** Answers calls from then on, where that takes time. */
  readyAt: number;
  /** Scaled to one and up, where that is asked for. */
  scaled: boolean;
}

/** What a publish would freeze: code and configuration as last updated. */
export interface Draft {
  readonly digest: Digest;
  readonly artifact: Digest;
  readonly config: Json;
  readonly functions: readonly string[];
  readonly revision: number;
}

/** A write of several parts, or one that takes its time. */
export interface Pending {
  readonly kind: 'swap' | 'redeploy' | 'reconcile';
  readonly id: number;
  readonly until: number;
  readonly to: Table;
}

export interface StoredAlias {
  readonly scope: Scope;
  readonly id: string;
  table: Table;
  stamp?: Stamp;
  token: string;
  pending?: Pending;
}

export interface Seats {
  readonly scope: Scope;
  readonly unit: string;
  production?: string;
  slot?: string;
  slotReadyAt: number;
}

export interface StoredObject {
  readonly scope: Scope | null;
  readonly kind: string;
  readonly id: string;
  digest: Digest | null;
  enabled: boolean;
  /** As sfx sent it. */
  sent: Json;
  /** As it is; the provider adds keys of its own. */
  actual: { [key: string]: Json };
  to?: { readonly alias: string; readonly function: string };
  delivers?: 'asked' | 'pulls';
  source?: string;
}

export interface Behaviour {
  /** Calls fail with this text. */
  readonly invoke?: string;
  /** Never comes up. */
  readonly warm?: 'fails';
}

export interface FailedCall {
  readonly function: string;
  readonly trigger: string;
  readonly why: string;
  /** The provider says beforehand that moves have a downtime (`flip.downtime`), and this was one. */
  readonly planned?: true;
}

/** All that the provider's side keeps: plain JSON. */
export interface WorldDocument {
  serial: number;
  /** By physical name; so everywhere below where nothing else is said. */
  versions: Record<string, StoredVersion>;
  /** Last version number given, where a provider counts; never given again. */
  counters: Record<string, number>;
  drafts: Record<string, Draft>;
  aliases: Record<string, StoredAlias>;
  seats: Record<string, Seats>;
  /** Packages that name both sides of a split, as made so far. */
  routers: Record<string, Table>;
  objects: Record<string, StoredObject>;
  /** What came in at the source of a trigger that pulls: how many wait, and the version that each other one went to. */
  offers: Record<string, { waiting: number; delivered: string[] }>;
  store: Record<string, { value: Json; tag: string }>;
  /** By digest of a version or of its artifact. */
  behaviours: Record<string, Behaviour>;
  metrics: Record<string, Metrics>;
  failed: FailedCall[];
  /** Calls that were taken to be made later: made at once here. */
  activations: { readonly scope: Scope; readonly call: Activation }[];
  /** Alias writes that will be accepted and do nothing. */
  ignoring: number;
}

export interface World {
  read(): WorldDocument;
  /** Atomic: `act` changes the document and answers; when it throws, nothing changed in a file world. */
  change<T>(act: (document: WorldDocument) => T): T;
}

export function emptyWorld(): WorldDocument {
  return {
    serial: 0,
    versions: {},
    counters: {},
    drafts: {},
    aliases: {},
    seats: {},
    routers: {},
    objects: {},
    offers: {},
    store: {},
    behaviours: {},
    metrics: {},
    failed: [],
    activations: [],
    ignoring: 0,
  };
}

/** In memory, from a document or empty. */
export function memoryWorld(document: WorldDocument = emptyWorld()): World {
  return { read: () => document, change: (act) => act(document) };
}

const KEPT = 64;

/**
 * In a folder that several processes may share, with a file per revision. A change is a new file that is linked under
 * the next number: it is there whole or not at all, whatever is killed, and of two at once one sees that it was late.
 */
export function fileWorld(folder: string): World {
  mkdirSync(folder, { recursive: true });
  const file = (revision: number) => join(folder, `${revision}.json`);
  let drafts = 0;

  function latest(): { revision: number; text: string } {
    for (;;) {
      const revision = revisions(folder).at(-1);
      if (revision === undefined) return { revision: 0, text: JSON.stringify(emptyWorld()) };
      const text = readIfThere(file(revision));
      if (text !== undefined) return { revision, text };
    }
  }

  function commit(base: number, text: string): boolean {
    const draft = join(folder, `draft-${process.pid}-${drafts++}`);
    writeFileSync(draft, text);
    const won = linkIfFree(draft, file(base + 1));
    unlinkSync(draft);
    // Old revisions are cleared away: a base that is gone means that its successor was free for the wrong reason.
    if (won && base > 0 && !existsSync(file(base))) {
      unlinkSync(file(base + 1));
      return false;
    }
    return won;
  }

  return {
    read: () => JSON.parse(latest().text) as WorldDocument,
    change(act) {
      for (;;) {
        const { revision, text } = latest();
        const document = JSON.parse(text) as WorldDocument;
        const answer = act(document);
        const next = JSON.stringify(document);
        if (next === text) return answer;
        if (!commit(revision, next)) continue;
        for (const old of revisions(folder).slice(0, -KEPT)) removeIfThere(file(old));
        return answer;
      }
    },
  };
}

function revisions(folder: string): number[] {
  return readdirSync(folder)
    .flatMap((name) => /^(\d+)\.json$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

function unlessCode<T>(code: string, act: () => T, otherwise: T): T {
  try {
    return act();
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === code) return otherwise;
    throw thrown;
  }
}

const readIfThere = (path: string) => unlessCode('ENOENT', () => readFileSync(path, 'utf8'), undefined);
const removeIfThere = (path: string) => unlessCode('ENOENT', () => unlinkSync(path), undefined);
const linkIfFree = (from: string, to: string) =>
  unlessCode(
    'EEXIST',
    () => {
      linkSync(from, to);
      return true;
    },
    false,
  );
