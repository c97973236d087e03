import { setTimeout as sleep } from 'node:timers/promises';

/** How a wait is limited: both in real milliseconds. */
export interface WaitLimits {
  limitMs: number;
  /** Pause between two looks; 50 ms unless told. */
  everyMs?: number;
}

/**
 * Looks again and again until `look` returns something.
 *
 * @param what named in the error: "waited 20 s for <what>"
 * @param look returns undefined while the thing is not there yet; what it throws ends the wait at once
 * @throws Error when the limit has passed
 */
export async function waitFor<T>(what: string, limits: WaitLimits, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + limits.limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() >= deadline) throw new Error(`waited ${limits.limitMs / 1000} s for ${what}`);
    await sleep(limits.everyMs ?? 50);
  }
}
