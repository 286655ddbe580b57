/** What a pool shows of its instances, so that those of all pools together stay few and are shared fairly. */
export interface Member {
  /** Without those that only finish their calls. */
  instances(): number;
  /** Since when its longest idle instance has had nothing to do; undefined when all work. */
  idleSince(): number | undefined;
  /** Stops that instance. */
  stopIdlest(): void;
  /** There is room now for what it was refused. */
  more(): void;
}

/** All pools of an engine. A thread at rest is about 8 MB, and a service may have hundreds of functions. */
export interface Crowd {
  /** How long an instance without calls is kept. */
  readonly idleMs: number;
  join(member: Member): void;
  leave(member: Member): void;
  /**
   * Whether it may start another instance. A first one always; a further one while there are fewer than `MOST`, or an idle
   * one gives way. Who is refused is told when there is room.
   */
  mayOpen(member: Member): boolean;
  /** Others with fewer instances wait: one of this member's is to end with its calls. */
  shouldYield(member: Member): boolean;
  /** An instance ended. */
  left(): void;
  /** Stops the longest idle instances until no more than `MOST` run. One that works is never stopped. */
  relieve(): void;
  isFull(): boolean;
}

/** Instances of all functions together, beside the first of each. */
export const MOST = 32;

/** Milliseconds without a call. */
export const IDLE_MS = 5 * 60_000;

export interface CrowdOptions {
  readonly most?: number | undefined;
  readonly idleMs?: number | undefined;
}

export function createCrowd({ most = MOST, idleMs = IDLE_MS }: CrowdOptions = {}): Crowd {
  const members = new Set<Member>();
  const refused = new Set<Member>();
  const total = () => {
    let sum = 0;
    for (const member of members) sum += member.instances();
    return sum;
  };
  const stopIdlest = (): boolean => {
    let found: Member | undefined;
    for (const member of members) {
      const since = member.idleSince();
      if (since !== undefined && since < (found?.idleSince() ?? Infinity)) found = member;
    }
    found?.stopIdlest();
    return found !== undefined;
  };
  return {
    idleMs,
    join: (member) => void members.add(member),
    leave(member) {
      members.delete(member);
      refused.delete(member);
    },
    isFull: () => total() >= most,
    mayOpen(member) {
      if (member.instances() === 0 || total() < most || stopIdlest()) {
        refused.delete(member);
        return true;
      }
      refused.add(member);
      return false;
    },
    shouldYield(member) {
      if (refused.size === 0) return false;
      const mine = member.instances();
      for (const other of refused) if (other.instances() + 1 < mine) return true;
      return false;
    },
    left() {
      // Who has the fewest is asked first.
      const order = [...refused].sort((a, b) => a.instances() - b.instances());
      for (const member of order) {
        if (total() >= most) return;
        refused.delete(member);
        member.more();
      }
    },
    relieve() {
      for (let over = total() - most; over > 0; over -= 1) if (!stopIdlest()) return;
    },
  };
}
