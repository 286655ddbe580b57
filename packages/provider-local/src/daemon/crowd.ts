/** What a pool shows of its instances, so that idle ones of all pools together stay few. */
export interface Member {
  instances(): number;
  /** Since when its longest idle instance has had nothing to do; undefined when all work. */
  idleSince(): number | undefined;
  /** Stops that instance. */
  stopIdlest(): void;
}

/** All pools of an engine. A thread at rest is about 10 MB, and a service may have hundreds of functions. */
export interface Crowd {
  join(member: Member): void;
  leave(member: Member): void;
  /** Stops the longest idle instances until no more than `MOST` run. One that works is never stopped. */
  relieve(): void;
  isFull(): boolean;
}

/** Instances of all functions together, while some of them have nothing to do. */
const MOST = 32;

export function createCrowd(): Crowd {
  const members = new Set<Member>();
  const total = () => [...members].reduce((sum, member) => sum + member.instances(), 0);
  return {
    join: (member) => void members.add(member),
    leave: (member) => void members.delete(member),
    isFull: () => total() >= MOST,
    relieve() {
      for (let over = total() - MOST; over > 0; over -= 1) {
        const idle = [...members].filter((member) => member.idleSince() !== undefined);
        idle.sort((a, b) => (a.idleSince() ?? 0) - (b.idleSince() ?? 0));
        if (idle[0] === undefined) return;
        idle[0].stopIdlest();
      }
    },
  };
}
