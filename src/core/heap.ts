/** Where a value is in a `Heap`. */
export class HeapNode<V> {
  readonly key: number;
  readonly value: V;
  /** Invariant: its index in the heap's array. */
  index: number;

  constructor(key: number, value: V, index: number) {
    this.key = key;
    this.value = value;
    this.index = index;
  }
}

/** A binary heap by ascending key. Adding and removing anywhere is O(log n). */
export class Heap<V> {
  /** Invariant: no node's key is below that of its parent, at half its index. */
  readonly #nodes: HeapNode<V>[] = [];

  get size(): number {
    return this.#nodes.length;
  }

  /** The value with the least key. */
  get first(): V | undefined {
    return this.#nodes[0]?.value;
  }

  /** So many of them, the one with the least key first, the others as they lie. */
  some(limit: number): V[] {
    return this.#nodes.slice(0, limit).map(({ value }) => value);
  }

  add(key: number, value: V): HeapNode<V> {
    const node = new HeapNode(key, value, this.#nodes.length);
    this.#nodes.push(node);
    this.#rise(node);
    return node;
  }

  /** Takes out a node that is in. */
  remove(spot: HeapNode<V>): void {
    const last = this.#nodes.pop()!;
    if (last === spot) return;
    this.#put(last, spot.index);
    this.#rise(last);
    this.#sink(last);
  }

  #rise(spot: HeapNode<V>): void {
    while (spot.index > 0) {
      const parent = this.#nodes[(spot.index - 1) >>> 1]!;
      if (parent.key <= spot.key) return;
      this.#swap(spot, parent);
    }
  }

  #sink(spot: HeapNode<V>): void {
    for (;;) {
      const left = this.#nodes[2 * spot.index + 1];
      const right = this.#nodes[2 * spot.index + 2];
      if (left === undefined) return;
      const child = right !== undefined && right.key < left.key ? right : left;
      if (spot.key <= child.key) return;
      this.#swap(spot, child);
    }
  }

  #swap(a: HeapNode<V>, b: HeapNode<V>): void {
    const { index } = a;
    this.#put(a, b.index);
    this.#put(b, index);
  }

  #put(spot: HeapNode<V>, index: number): void {
    this.#nodes[index] = spot;
    spot.index = index;
  }
}
