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

  /** The value with the least key. */
  get first(): V | undefined {
    return this.#nodes[0]?.value;
  }

  add(key: number, value: V): HeapNode<V> {
    const node = new HeapNode(key, value, this.#nodes.length);
    this.#nodes.push(node);
    this.#rise(node);
    return node;
  }

  /** Takes out a node that is in. */
  remove(node: HeapNode<V>): void {
    const last = this.#nodes.pop()!;
    if (last === node) return;
    this.#put(last, node.index);
    this.#rise(last);
    this.#sink(last);
  }

  #rise(node: HeapNode<V>): void {
    while (node.index > 0) {
      const parent = this.#nodes[(node.index - 1) >>> 1]!;
      if (parent.key <= node.key) return;
      this.#swap(node, parent);
    }
  }

  #sink(node: HeapNode<V>): void {
    for (;;) {
      const left = this.#nodes[2 * node.index + 1];
      const right = this.#nodes[2 * node.index + 2];
      if (left === undefined) return;
      const child = right !== undefined && right.key < left.key ? right : left;
      if (node.key <= child.key) return;
      this.#swap(node, child);
    }
  }

  #swap(a: HeapNode<V>, b: HeapNode<V>): void {
    const { index } = a;
    this.#put(a, b.index);
    this.#put(b, index);
  }

  #put(node: HeapNode<V>, index: number): void {
    this.#nodes[index] = node;
    node.index = index;
  }
}
