/** Every state seen so far, each once, packed side by side: millions of them fit in memory, and nothing is compared by hash alone. */
export class StateStore {
  readonly width: number;
  #cells: Uint16Array;
  #parents: Int32Array;
  /** Index of a state plus one; 0 is an empty place. Its size is a power of two, and it is never more than half full. */
  #places: Int32Array;
  #size = 0;

  constructor(width: number) {
    this.width = width;
    this.#cells = new Uint16Array(width * 1024);
    this.#parents = new Int32Array(1024);
    this.#places = new Int32Array(4096);
  }

  get size(): number {
    return this.#size;
  }

  /** The state as it stands in the store: not to be written to, and not to be kept when another one is added. */
  at(index: number): Uint16Array {
    return this.#cells.subarray(index * this.width, (index + 1) * this.width);
  }

  parentOf(index: number): number {
    return this.#parents[index] ?? -1;
  }

  /** Index of a state that is new; -1 for one that was there. `parent`: index of the state from which it was reached, or -1. */
  add(state: Uint16Array, parent: number): number {
    let place = hash(state) & (this.#places.length - 1);
    for (;;) {
      const index = (this.#places[place] ?? 0) - 1;
      if (index < 0) break;
      if (this.#equals(index, state)) return -1;
      place = (place + 1) & (this.#places.length - 1);
    }
    const index = this.#size++;
    if (index === this.#parents.length) this.#grow();
    this.#cells.set(state, index * this.width);
    this.#parents[index] = parent;
    this.#places[place] = index + 1;
    if (this.#size * 2 > this.#places.length) this.#rehash();
    return index;
  }

  #equals(index: number, state: Uint16Array): boolean {
    const start = index * this.width;
    for (let cell = 0; cell < this.width; cell++) if (this.#cells[start + cell] !== state[cell]) return false;
    return true;
  }

  #grow(): void {
    const [cells, parents] = [this.#cells, this.#parents];
    this.#cells = new Uint16Array(cells.length * 2);
    this.#cells.set(cells);
    this.#parents = new Int32Array(parents.length * 2);
    this.#parents.set(parents);
  }

  #rehash(): void {
    const places = new Int32Array(this.#places.length * 2);
    for (let index = 0; index < this.#size; index++) {
      let place = hash(this.at(index)) & (places.length - 1);
      while (places[place] !== 0) place = (place + 1) & (places.length - 1);
      places[place] = index + 1;
    }
    this.#places = places;
  }
}

/** Multiplications that spread every cell over all 32 bits (the finalizer of MurmurHash3). */
function hash(state: Uint16Array): number {
  let h = state.length;
  for (const cell of state) {
    h = Math.imul(h ^ cell, 0x85ebca6b);
    h ^= h >>> 13;
  }
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
