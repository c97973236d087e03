import type { Clock } from '../../runtime/clock.ts';

/** A token bucket as EC2 throttles with: it starts full, refills steadily, and gives all tokens asked for or none. */
export class Bucket {
  readonly burst: number;
  readonly perSecond: number;
  readonly #clock: Clock;
  #tokens: number;
  #at: number;

  /** `burst`: tokens it holds. `perSecond`: declared rate at which it refills; the clock's scale applies. */
  constructor(burst: number, perSecond: number, clock: Clock) {
    this.burst = burst;
    this.perSecond = perSecond;
    this.#clock = clock;
    this.#tokens = burst;
    this.#at = clock.monotonic();
  }

  /** Takes `count` tokens, or none and answers false. */
  take(count = 1): boolean {
    const now = this.#clock.monotonic();
    const refill = ((now - this.#at) / 1000) * this.#clock.rate(this.perSecond);
    this.#tokens = Math.min(this.burst, this.#tokens + refill);
    this.#at = now;
    // Refills add up to 0.9999999 where 1 is meant.
    if (this.#tokens + 1e-9 < count) return false;
    this.#tokens -= count;
    return true;
  }
}
