import { fail } from '../../errors.js';
import type { Version } from '../../provider/contract.js';
import { type Context, findVersion, poll, remote } from './context.js';
import { physicalName } from './names.js';
import type { Seats, WorldDocument } from './world.js';

export function seatsOf(
  document: WorldDocument,
  context: Pick<Context, 'scope'>,
  unit: string,
): Seats | undefined {
  return document.seats[physicalName(context.scope, 'seats', unit)];
}

export function isSeated(seats: Seats | undefined, id: string, now: number): boolean {
  return seats !== undefined && (seats.production === id || (seats.slot === id && seats.slotReadyAt <= now));
}

/** Puts a version into the slot, unless it has a seat; what sat there is put out. Waits until it has come up. */
export async function seat(context: Context, version: Version): Promise<void> {
  await remote(context, 'versions.warm.seat', version.unit, true, (document, now) =>
    takeSlot(document, context, version, now),
  );
  await poll(context, () =>
    remote(context, 'versions.warm.look', version.unit, false, (document, now) => {
      const seats = seatsOf(document, context, version.unit);
      if (seats?.production !== version.id && seats?.slot !== version.id) {
        throw fail('SFX3106', `${version.id} was put out of its slot while it came up`, {
          unit: version.unit,
        });
      }
      return isSeated(seats, version.id, now) ? true : undefined;
    }),
  );
}

function takeSlot(document: WorldDocument, context: Context, version: Version, now: number): void {
  const { scope, timing } = context;
  if (findVersion(document, scope, version.unit, version.id) === undefined) {
    throw fail('SFX3105', `version ${version.id} of ${version.unit} is gone`, { unit: version.unit });
  }
  const key = physicalName(scope, 'seats', version.unit);
  const seats: Seats = document.seats[key] ?? { scope, unit: version.unit, slotReadyAt: 0 };
  document.seats[key] = seats;
  if (seats.production === version.id || seats.slot === version.id) return;
  for (const alias of Object.values(document.aliases)) {
    if (alias.scope.service !== scope.service || alias.scope.stage !== scope.stage) continue;
    if (alias.pending !== undefined) {
      throw fail('SFX3101', `${version.unit} is being swapped`, {
        unit: version.unit,
        retryAfterMs: timing.busyMs,
      });
    }
    const candidate = alias.table[version.unit]?.candidate;
    if (candidate !== undefined && candidate.version === seats.slot && candidate.percent > 0) {
      throw fail('SFX3101', `the slot of ${version.unit} serves ${candidate.version}`, {
        unit: version.unit,
      });
    }
  }
  seats.slot = version.id;
  seats.slotReadyAt = now + timing.readyMs;
}
