import type { Clock } from './clock.ts';

export type BackoffOptions = {
  clock: Pick<Clock, 'random'>;
  /** First delay, real ms. */
  min: number;
  /** Longest delay, real ms. */
  max: number;
};

/** Growing delays, one row of them per key. */
export type Backoff = {
  /** The next delay for `key`, real ms: doubles from `min` to `max`, each spread evenly over 50 % to 100 % of that. */
  next(key: string): number;
  /** Failures of `key` in a row. */
  failures(key: string): number;
  /** Starts `key` over. */
  forget(key: string): void;
};

/** Spreading keeps many clients that failed together from coming back together; half of each delay is kept, so that it grows for sure. */
export function backoff({ clock, min, max }: BackoffOptions): Backoff {
  const failures = new Map<string, number>();
  return {
    next(key) {
      const count = failures.get(key) ?? 0;
      failures.set(key, count + 1);
      return Math.min(max, min * 2 ** Math.min(count, 50)) * (0.5 + clock.random() / 2);
    },
    failures: (key) => failures.get(key) ?? 0,
    forget: (key) => void failures.delete(key),
  };
}
