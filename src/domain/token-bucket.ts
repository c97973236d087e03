/**
 * One token bucket that does not know its own size: what is believed of it is at most the limits, goes down when it is
 * found to be smaller, and grows back. Pure. Times are seconds, rates are per real second.
 */

/** The most that a bucket may do: `rate` tokens per second, `burst` saved up. */
export interface BucketLimits {
  rate: number;
  burst: number;
}

/** A bucket as it is believed to be. */
export interface Bucket {
  tokens: number;
  /** What is believed of the cloud: at most the limits. */
  rate: number;
  burst: number;
}

/** Declared seconds in which a rate grows from 0 to its ceiling: probing costs a refusal or two a minute. */
const RATE_RECOVERY = 60;

/** The same for the size of a bucket. A size is the account's and changes by a request to support: believed for longer. */
const BURST_RECOVERY = 1800;

/** Never slower than this share of the ceiling: a budget that sleeps cannot learn. */
const FLOOR = 1 / 16;

/** Sums of fractions of tokens err in the last digits: without this a wait of a nanosecond could follow a wait. */
const ROUNDING = 1e-6;

/** A bucket that is what its limits say, and full. */
export const full = ({ rate, burst }: BucketLimits): Bucket => ({ tokens: burst, rate, burst });

/** The bucket with so many tokens less. */
export const spent = (bucket: Bucket, tokens: number): Bucket => ({
  ...bucket,
  tokens: Math.max(0, bucket.tokens - tokens),
});

/** What is to be believed after a refusal: half the rate, above a floor, and half the size. */
export function halved({ rate, burst }: Bucket, limits: BucketLimits, size = burst): Pick<Bucket, 'rate' | 'burst'> {
  return {
    rate: Math.min(rate, Math.max(rate / 2, limits.rate * FLOOR)),
    burst: Math.max(1, Math.floor(size / 2)),
  };
}

/** Tokens beyond the reserve; that is never so large that planned work could not have even one. */
export function available({ tokens, burst }: Bucket, share: number): number {
  return tokens - Math.min(share * burst, Math.max(0, burst - 1)) + ROUNDING;
}

/** Ms until `need` tokens can be taken from a bucket and the reserve is still there. */
export function waitIn(bucket: Bucket, limits: BucketLimits, pace: number, need: number, share: number): number {
  if (need <= 0 || available(bucket, share) >= need) return 0;
  if (available({ ...limits, tokens: limits.burst }, share) < need) return Number.POSITIVE_INFINITY;
  const enoughAfter = (seconds: number) => available(grown(bucket, limits, pace, seconds), share) >= need;
  let [short, long] = [0, 1 / limits.rate];
  while (!enoughAfter(long)) [short, long] = [long, long * 2];
  for (let halvings = 0; halvings < 40; halvings++) {
    const middle = (short + long) / 2;
    if (enoughAfter(middle)) long = middle;
    else short = middle;
  }
  return long * 1000;
}

/** The bucket `seconds` later: rate and size grow evenly to their ceilings. */
export function grown(bucket: Bucket, limits: BucketLimits, pace: number, seconds: number): Bucket {
  const slope = (limits.rate * pace) / RATE_RECOVERY;
  const climbing = Math.min(seconds, Math.max(0, limits.rate - bucket.rate) / slope);
  const inflow = bucket.rate * climbing + (slope * climbing ** 2) / 2 + limits.rate * (seconds - climbing);
  const burst = Math.min(limits.burst, bucket.burst + (seconds * limits.burst * pace) / BURST_RECOVERY);
  return {
    rate: climbing < seconds ? limits.rate : Math.min(limits.rate, bucket.rate + slope * climbing),
    burst,
    tokens: Math.min(burst, bucket.tokens + inflow),
  };
}

/** The bucket under other limits: raising them grants nothing at once. */
export const clipped = (bucket: Bucket, limits: BucketLimits): Bucket => ({
  tokens: Math.min(bucket.tokens, limits.burst),
  rate: Math.min(bucket.rate, limits.rate),
  burst: Math.min(bucket.burst, limits.burst),
});
