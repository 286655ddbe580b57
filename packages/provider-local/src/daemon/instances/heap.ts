/** The smallest first, by `before`. */
export interface Heap<T> {
  readonly size: number;
  peek(): T | undefined;
  pop(): T | undefined;
  push(item: T): void;
  /** Takes away what does not hold. */
  keep(holds: (item: T) => boolean): void;
  [Symbol.iterator](): IterableIterator<T>;
}

export function createHeap<T>(before: (a: T, b: T) => boolean): Heap<T> {
  let items: T[] = [];
  const up = (from: number) => {
    const item = items[from]!;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(item, items[parent]!)) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  };
  const down = (from: number) => {
    const item = items[from]!;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && before(items[child + 1]!, items[child]!)) child += 1;
      if (!before(items[child]!, item)) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = item;
  };
  return {
    get size() {
      return items.length;
    },
    peek: () => items[0],
    pop() {
      const first = items[0];
      const last = items.pop();
      if (items.length > 0 && last !== undefined) {
        items[0] = last;
        down(0);
      }
      return first;
    },
    push(item) {
      items.push(item);
      up(items.length - 1);
    },
    keep(holds) {
      items = items.filter(holds);
      for (let at = (items.length >> 1) - 1; at >= 0; at -= 1) down(at);
    },
    [Symbol.iterator]: () => items.values(),
  };
}
