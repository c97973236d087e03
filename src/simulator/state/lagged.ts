/**
 * A value that others see late: eventual consistency. It remembers when it changed, so that what was current at
 * any earlier moment can be asked for.
 */
export class Lagged<T> {
  readonly #changes: { at: number; value: T }[];
  #current: T;

  constructor(value: T, at: number) {
    this.#changes = [{ at, value }];
    this.#current = value;
  }

  /** The value now. */
  get current(): T {
    return this.#current;
  }

  set(value: T, at: number): void {
    this.#current = value;
    this.#changes.push({ at, value });
    // What is older than a few changes nobody can still be shown: changes of one machine are seconds apart.
    if (this.#changes.length > 32) this.#changes.splice(1, 1);
  }

  /** The value that was current at `at` (ms since the epoch); the first one before that. */
  seen(at: number): T {
    const change = this.#changes.findLast((one) => one.at <= at) ?? this.#changes[0];
    return change ? change.value : this.#current;
  }
}
