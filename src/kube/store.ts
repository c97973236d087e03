/** Called after a change, with the item before and after it: `before` is absent when added, `after` when removed. */
export type Listener<T> = (key: string, before: T | undefined, after: T | undefined) => void;

/** A local copy of a collection. Keys are `namespace/name`, or `name` for cluster-scoped objects. Items are shared: never change one. */
export type Store<T> = {
  get(key: string): T | undefined;
  list(): T[];
  /** Items that index `name` files under `value`. Throws when there is no such index. */
  byIndex(name: string, value: string): T[];
  readonly size: number;
  /** Listens to changes from now on; returns the function that ends it. A listener that throws harms nobody else. */
  subscribe(listener: Listener<T>): () => void;
};
