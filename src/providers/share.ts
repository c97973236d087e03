import type { Clock } from '../runtime/clock.ts';

/** A question whose answer may be shared: calls the asker only when nothing at most `maxAge` real ms old is there. */
export type Shared<T> = (maxAge: number) => Promise<T>;

/**
 * Shares the answers of `ask`: callers at the same time get one answer, later ones get it while it is young enough.
 * An answer is as old as its question. Who needs a younger one than that under way waits for it to end and then
 * shares the next, so that there is never more than one question at a time. A failure is nobody's later answer.
 */
export function share<T>(clock: Pick<Clock, 'monotonic'>, ask: () => Promise<T>): Shared<T> {
  let last: { askedAt: number; value: T } | undefined;
  let current: { askedAt: number; answer: Promise<T> } | undefined;
  let next: Promise<T> | undefined;

  const begin = (): Promise<T> => {
    const askedAt = clock.monotonic();
    const answer = (async () => {
      try {
        const value = await ask();
        last = { askedAt, value };
        return value;
      } finally {
        current = undefined;
      }
    })();
    current = { askedAt, answer };
    return answer;
  };

  return (maxAge) => {
    const now = clock.monotonic();
    if (last && now - last.askedAt <= maxAge) return Promise.resolve(last.value);
    if (!current) return begin();
    if (now - current.askedAt <= maxAge) return current.answer;
    next ??= current.answer
      .then(
        () => {},
        () => {},
      )
      .then(() => {
        next = undefined;
        return begin();
      });
    return next;
  };
}

/** A `share` per key, made on first use. `limit` bounds how many are kept; the longest unused goes first. */
export function shareEach<T>(clock: Pick<Clock, 'monotonic'>, limit: number, ask: (key: string) => Promise<T>) {
  const shared = new Map<string, Shared<T>>();
  return (key: string, maxAge: number): Promise<T> => {
    const one = shared.get(key) ?? share(clock, () => ask(key));
    shared.delete(key);
    shared.set(key, one);
    const oldest = shared.keys().next().value;
    if (shared.size > limit && oldest !== undefined) shared.delete(oldest);
    return one(maxAge);
  };
}
