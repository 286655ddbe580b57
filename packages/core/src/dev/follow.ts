import { isSfxError } from '../errors.js';
import type { JsonObject } from '../json.js';
import type { Connection, LogLine, Provider, Scope, Version } from '../provider/contract.js';
import type { Run } from '../run.js';

export type DevLine = LogLine & { readonly release: number | null };

/** Follows the logs of the versions that are live, and of none longer. */
export interface Followers {
  /** From now on these; those that were followed before and are not among them end a moment later. */
  follow(versions: readonly Version[], release: number, since: Date): Promise<void>;
  close(): Promise<void>;
}

export interface FollowOptions {
  readonly provider: Provider;
  readonly scope: Scope;
  readonly options: JsonObject;
  readonly run: Run;
  readonly line: (line: DevLine) => void;
  /** The lines of a version that is live ended: its provider went away. */
  readonly lost: () => void;
}

/** What was written while a version still worked on its last calls comes late. */
const LINGER_MS = 3_000;

/** Versions that were followed from the same moment on, over one connection that ends with them. */
interface Group {
  readonly ids: ReadonlySet<string>;
  readonly controller: AbortController;
  readonly ended: Promise<void>;
}

export function createFollowers({ provider, scope, options, run, line, lost }: FollowOptions): Followers {
  const groups = new Set<Group>();
  let live: ReadonlySet<string> = new Set();
  let told = false;

  async function open(versions: readonly Version[], release: number, since: Date): Promise<void> {
    const controller = new AbortController();
    const own: Run = { ...run, signal: controller.signal };
    const connection = await provider.connect(scope, options, own);
    const ids = new Set(versions.map((version) => version.id));
    const reading = Promise.all(
      versions.map((version) => read(connection, version, release, since, controller.signal)),
    );
    const group: Group = {
      ids,
      controller,
      ended: reading.then(async () => {
        groups.delete(group);
        await connection[Symbol.asyncDispose]();
      }),
    };
    groups.add(group);
  }

  async function read(
    connection: Connection,
    version: Version,
    release: number,
    since: Date,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      for await (const one of connection.logs?.(version, since, true) ?? []) {
        if (signal.aborted) return;
        line({ ...one, release });
      }
    } catch (error) {
      // That a stream broke off is told below; anything else is a defect.
      if (!isSfxError(error)) throw error;
    }
    if (signal.aborted || told || !live.has(version.id)) return;
    told = true;
    lost();
  }

  return {
    async follow(versions, release, since) {
      live = new Set(versions.map((version) => version.id));
      told = false;
      for (const group of groups) {
        if ([...group.ids].some((id) => live.has(id))) continue;
        setTimeout(() => group.controller.abort(), LINGER_MS).unref();
      }
      const followed = new Set([...groups].flatMap((group) => [...group.ids]));
      const fresh = versions.filter((version) => !followed.has(version.id));
      if (fresh.length > 0) await open(fresh, release, since);
    },
    async close() {
      live = new Set();
      const open = [...groups];
      for (const group of open) group.controller.abort();
      await Promise.all(open.map((group) => group.ended));
    },
  };
}
