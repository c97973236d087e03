import type { Instance } from './instance.ts';

/** All machines that EC2 still knows, in the order of their launch. */
export class Instances {
  readonly #byId = new Map<string, Instance>();
  readonly #ordered: Instance[] = [];

  add(instance: Instance): void {
    this.#byId.set(instance.id, instance);
    this.#ordered.push(instance);
  }

  get(id: string): Instance | undefined {
    return this.#byId.get(id);
  }

  get all(): readonly Instance[] {
    return this.#ordered;
  }

  /** The index in `all` of the first machine whose number is above `number`. */
  indexAfter(number: number): number {
    let [low, high] = [0, this.#ordered.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const instance = this.#ordered[middle];
      if (instance && instance.number > number) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Forgets a machine, as EC2 does some time after it has been terminated. */
  remove(instance: Instance): void {
    if (!this.#byId.delete(instance.id)) return;
    this.#ordered.splice(this.indexAfter(instance.number) - 1, 1);
  }
}
