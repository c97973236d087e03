/** Gives equal values one small number, so that a state is a row of numbers. 0 stands for nothing. */
export class Interner<T> {
  readonly #numbers = new Map<string, number>();
  readonly #values: (T | undefined)[] = [undefined];

  number(value: T | undefined): number {
    if (value === undefined) return 0;
    const key = JSON.stringify(value);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#values.length;
    // What does not fit into a cell of a state would be taken for something else.
    if (number > 0xffff) throw new RangeError('more than 65,535 different values in one place of the model');
    this.#numbers.set(key, number);
    this.#values.push(value);
    return number;
  }

  value(number: number): T | undefined {
    return this.#values[number];
  }

  get size(): number {
    return this.#values.length - 1;
  }
}
