import { fail, isSfxError } from '../errors.js';
import { sameJson } from '../json.js';
import type { Alias, AliasState, Capabilities, Move, Stamp, Table, Traffic } from './contract.js';

/** What a provider gives so that `compareAndWrite` can make its `Traffic` of it. */
export interface TrafficParts {
  /** As configured; no alias yet is an empty table. */
  read(alias: Alias): Promise<AliasState>;
  /**
   * Writes `move.to` and `move.stamp`, once, under `token` where the provider compares one (`conflict` when it
   * does not match). `now` is the state that was compared: `move.from`, or `move.to` under another stamp.
   */
  write(
    alias: Alias,
    move: Move,
    token: string | undefined,
    now: AliasState,
  ): Promise<AliasState | 'conflict'>;
  readonly cas: Capabilities['cas'];
  /** Default true. Without stamps an equal table is taken as ours. */
  readonly stamps?: boolean;
}

export function sameTable(a: Table, b: Table): boolean {
  return sameJson(a, b);
}

type Verdict = 'done' | 'write' | 'conflict';

/**
 * The one place where compare by value, tokens, fences and idempotence live; every provider is read + write.
 *
 * - equal to `to` under our stamp is done, so a repeated write whose answer was lost changes nothing;
 * - neither `from` nor `to`, busy, or stamped with a later fence is `conflict`;
 * - a remembered token (`move.token`, native only) saves the read; when it is stale the table is read and compared
 *   by value once, because staging may change a token without moving traffic;
 * - without native compare-and-swap the table is read back, since an accepted write may not have landed.
 *
 * Throws what `read` and `write` throw; a failed read-back carries `unknownOutcome`.
 */
export function compareAndWrite(parts: TrafficParts): Pick<Traffic, 'read' | 'set'> {
  const stamps = parts.stamps ?? true;

  async function setByValue(alias: Alias, move: Move): Promise<AliasState | 'conflict'> {
    const now = await parts.read(alias);
    const verdict = judge(now, move, stamps);
    if (verdict === 'done') return now;
    if (verdict === 'conflict') return 'conflict';
    const written = await parts.write(alias, move, now.token, now);
    if (written === 'conflict' || parts.cas === 'native') return written;
    const back = await readBack(parts, alias);
    return judge(back, move, stamps) === 'done' ? back : 'conflict';
  }

  return {
    read: (alias) => parts.read(alias),
    async set(alias, move) {
      if (parts.cas === 'native' && move.token !== undefined) {
        const remembered: AliasState = { table: move.from, token: move.token };
        const written = await parts.write(alias, move, move.token, remembered);
        if (written !== 'conflict') return written;
      }
      return setByValue(alias, move);
    },
  };
}

function judge(now: AliasState, move: Move, stamps: boolean): Verdict {
  if (now.busy) return 'conflict';
  if (now.stamp !== undefined && now.stamp.fence > move.stamp.fence) return 'conflict';
  if (sameTable(now.table, move.to)) {
    // An alias that is not there has nothing to carry a stamp.
    const unstamped = !stamps || Object.keys(move.to).length === 0;
    return unstamped || sameStamp(now.stamp, move.stamp) ? 'done' : 'write';
  }
  return sameTable(now.table, move.from) ? 'write' : 'conflict';
}

function sameStamp(a: Stamp | undefined, b: Stamp): boolean {
  return a !== undefined && a.fence === b.fence && a.release === b.release;
}

async function readBack(parts: TrafficParts, alias: Alias): Promise<AliasState> {
  try {
    return await parts.read(alias);
  } catch (thrown) {
    if (!isSfxError(thrown)) throw thrown;
    // The write before it was accepted: who repeats it must read first.
    throw fail(thrown.code, thrown.message, { ...thrown.details, unknownOutcome: true, cause: thrown });
  }
}
