import type { Logger } from '../runtime/logger.ts';

/** Called after a change, with the item before and after it: `before` is absent when added, `after` when removed. */
export type Listener<T> = (key: string, before: T | undefined, after: T | undefined) => void;

/** A local copy of a collection. Keys are `namespace/name`, or `name` when cluster-scoped. Items are shared: never change one. */
export type Store<T> = {
  get(key: string): T | undefined;
  list(): T[];
  /** Items that index `name` files under `value`. Throws when there is no such index. */
  byIndex(name: string, value: string): T[];
  readonly size: number;
  /** Listens to changes from now on; returns the function that ends it. A listener that throws harms nobody else. */
  subscribe(listener: Listener<T>): () => void;
};

/** An item and the resourceVersion that it was made from. */
export type Versioned<T> = { item: T; version: string };

/** A store from the side of who fills it. */
export type WritableStore<T> = Store<T> & {
  set(key: string, item: T, version: string): void;
  delete(key: string): void;
  /** Makes the store equal to `entries` in one step, and only then tells listeners what was added, changed and removed. */
  replace(entries: Map<string, Versioned<T>>): void;
};

/** The values under which an index files an item; none when undefined. */
export type IndexFunction<T> = (item: T) => string | readonly string[] | undefined;

export type StoreOptions<T> = {
  log: Logger;
  indexes?: Record<string, IndexFunction<T>>;
};

/** Most values of most indexes file one key: a set for each would cost more than the items. */
type Filed = string | Set<string>;
type Index<T> = { valuesOf(item: T): readonly string[]; keys: Map<string, Filed> };
const NONE: readonly string[] = [];

/** An empty store. */
export function store<T>({ log, indexes: functions = {} }: StoreOptions<T>): WritableStore<T> {
  let entries = new Map<string, Versioned<T>>();
  const listeners = new Set<Listener<T>>();
  const indexes = new Map<string, Index<T>>();
  for (const [name, filesUnder] of Object.entries(functions)) {
    const valuesOf = (item: T) => {
      const value = filesUnder(item);
      return value === undefined ? NONE : typeof value === 'string' ? [value] : value;
    };
    indexes.set(name, { valuesOf, keys: new Map() });
  }

  const file = (key: string, before: T | undefined, after: T | undefined) => {
    for (const { valuesOf, keys } of indexes.values()) {
      const gone = before === undefined ? NONE : valuesOf(before);
      const here = after === undefined ? NONE : valuesOf(after);
      if (gone.length === 1 && here.length === 1 && gone[0] === here[0]) continue;
      for (const value of gone) unfile(keys, value, key);
      for (const value of here) enfile(keys, value, key);
    }
  };

  const tell = (key: string, before: T | undefined, after: T | undefined) => {
    for (const listener of listeners) {
      try {
        listener(key, before, after);
      } catch (error) {
        log.error('A listener of the store failed', { key, error });
      }
    }
  };

  return {
    get: (key) => entries.get(key)?.item,
    list: () => Array.from(entries.values(), ({ item }) => item),
    byIndex(name, value) {
      const index = indexes.get(name);
      if (!index) throw new RangeError(`the store has no index named ${name}`);
      const found: T[] = [];
      const filed = index.keys.get(value) ?? [];
      for (const key of typeof filed === 'string' ? [filed] : filed) {
        const entry = entries.get(key);
        if (entry) found.push(entry.item);
      }
      return found;
    },
    get size() {
      return entries.size;
    },
    subscribe(listener) {
      // A function of its own, so that the same listener may subscribe twice.
      const own: Listener<T> = (...change) => listener(...change);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    set(key, item, version) {
      const before = entries.get(key)?.item;
      entries.set(key, { item, version });
      file(key, before, item);
      tell(key, before, item);
    },
    delete(key) {
      const before = entries.get(key)?.item;
      if (!entries.delete(key)) return;
      file(key, before, undefined);
      tell(key, before, undefined);
    },
    replace(next) {
      const previous = entries;
      const changes: Parameters<Listener<T>>[] = [];
      for (const [key, { item }] of previous) if (!next.has(key)) changes.push([key, item, undefined]);
      for (const [key, { item, version }] of next) {
        const before = previous.get(key);
        // What has not changed keeps its identity, and nobody is told of it.
        if (before?.version !== version) changes.push([key, before?.item, item]);
        else next.set(key, before);
      }
      entries = next;
      for (const [key, before, after] of changes) file(key, before, after);
      for (const change of changes) tell(...change);
    },
  };
}

function enfile(keys: Map<string, Filed>, value: string, key: string): void {
  const filed = keys.get(value);
  if (filed === undefined) keys.set(value, key);
  else if (typeof filed !== 'string') filed.add(key);
  else if (filed !== key) keys.set(value, new Set([filed, key]));
}

function unfile(keys: Map<string, Filed>, value: string, key: string): void {
  const filed = keys.get(value);
  if (typeof filed === 'string' ? filed !== key : !filed?.delete(key) || filed.size > 0) return;
  keys.delete(value);
}
