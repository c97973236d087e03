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

/** How a wait for something that takes as long as the machine is busy is limited: all in real milliseconds. */
export interface ProgressLimits extends WaitLimits {
  /** It fails when nothing has progressed for so long; `limitMs` is for what moves and never arrives. */
  stallMs: number;
  /** Pause between two looks at the progress. */
  markEveryMs: number;
  /** Another clock, for tests. */
  time?: { now(): number; sleep(ms: number): Promise<unknown> };
}

/**
 * Looks again and again until `look` returns something, for as long as something progresses meanwhile.
 *
 * @param what named in the error: "waited 300 s for <what>"
 * @param look as for waitFor
 * @param mark differs from the last one whenever something has progressed
 * @throws Error when nothing has progressed for `stallMs`, or `limitMs` have passed
 */
export async function waitWhileProgressing<T>(
  what: string,
  { limitMs, stallMs, everyMs = 50, markEveryMs, time = { now: Date.now, sleep } }: ProgressLimits,
  look: () => Promise<T | undefined>,
  mark: () => Promise<string>,
): Promise<T> {
  const begin = time.now();
  let moved: { at: number; mark?: string } = { at: begin };
  let markedAt = begin;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (time.now() - markedAt >= markEveryMs) {
      const now = await mark();
      markedAt = time.now();
      if (now !== moved.mark) moved = { at: markedAt, mark: now };
      const waited = `waited ${Math.round((markedAt - begin) / 1000)} s for ${what}`;
      if (markedAt - moved.at >= stallMs) throw new Error(`${waited}, and nothing has moved for ${stallMs / 1000} s`);
      if (markedAt - begin >= limitMs) throw new Error(waited);
    }
    await time.sleep(everyMs);
  }
}
