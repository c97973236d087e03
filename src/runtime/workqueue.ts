import type { Backoff } from './backoff.ts';
import type { Clock, Timer } from './clock.ts';

export type WorkQueueOptions = {
  clock: Clock;
  /** Delays for `addRateLimited`. */
  backoff: Backoff;
  /** Told the number of waiting keys whenever it changes. */
  onDepth?(waiting: number): void;
  /** Keys of one lane are never in work together. Default: each has a lane of its own. */
  laneOf?(key: string): string;
};

/**
 * Keys to be worked on. A key that waits is there once, however often it is added; a key in work is not handed out
 * again until `done`, and then at once if it was added meanwhile. Keys come out in the order in which they were added; one whose
 * lane is in work lets those of others go before.
 */
export type WorkQueue = {
  add(key: string): void;
  /** Adds `key` after `ms` real ms. Of several such calls for one key the earliest counts. */
  addAfter(key: string, ms: number): void;
  /** Adds `key` after its next backoff delay, and returns that delay in real ms. */
  addRateLimited(key: string): number;
  /** Ends the backoff of `key`. */
  forget(key: string): void;
  /** The next key, as soon as there is one; undefined once the queue is shut down and empty. */
  get(): Promise<string | undefined>;
  /** Says that work on `key`, handed out by `get`, has ended. */
  done(key: string): void;
  /**
   * Refuses further keys, forgets those that wait for their time, and lets those that are ready be handed out
   * (`drain`) or drops them.
   */
  shutDown(options?: { drain?: boolean }): void;
  /** Keys that are ready and not in work. */
  readonly size: number;
};

/** An empty queue. */
export function workQueue({ clock, backoff, onDepth, laneOf = (key) => key }: WorkQueueOptions): WorkQueue {
  const ready = new Set<string>();
  /** Keys in work, with the lane that each had when it was handed out. */
  const working = new Map<string, string>();
  const again = new Set<string>();
  const later = new Map<string, { at: number; timer: Timer }>();
  const takers: ((key: string | undefined) => void)[] = [];
  let closed = false;

  /** The first key whose lane is free. */
  const next = (): string | undefined => {
    const taken = new Set(working.values());
    return ready.values().find((key) => !taken.has(laneOf(key)));
  };

  const hand = () => {
    while (takers.length > 0) {
      const key = next();
      if (key === undefined) break;
      ready.delete(key);
      working.set(key, laneOf(key));
      takers.shift()?.(key);
    }
    if (closed && ready.size === 0) for (const taker of takers.splice(0)) taker(undefined);
    onDepth?.(ready.size);
  };

  const enter = (key: string) => {
    if (working.has(key)) again.add(key);
    else {
      ready.add(key);
      hand();
    }
  };

  const add = (key: string) => {
    if (!closed) enter(key);
  };

  const addAfter = (key: string, ms: number) => {
    if (closed) return;
    if (ms <= 0) return add(key);
    const at = clock.monotonic() + ms;
    const earlier = later.get(key);
    if (earlier && earlier.at <= at) return;
    earlier?.timer.cancel();
    const timer = clock.setTimer(ms, () => {
      later.delete(key);
      add(key);
    });
    later.set(key, { at, timer });
  };

  return {
    add,
    addAfter,
    addRateLimited(key) {
      const delay = backoff.next(key);
      addAfter(key, delay);
      return delay;
    },
    forget: (key) => backoff.forget(key),
    get() {
      return new Promise((resolve) => {
        takers.push(resolve);
        hand();
      });
    },
    done(key) {
      working.delete(key);
      if (again.delete(key)) enter(key);
      else hand();
    },
    shutDown({ drain = false } = {}) {
      closed = true;
      for (const { timer } of later.values()) timer.cancel();
      later.clear();
      if (!drain) {
        ready.clear();
        again.clear();
      }
      hand();
    },
    get size() {
      return ready.size;
    },
  };
}
