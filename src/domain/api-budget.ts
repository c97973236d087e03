import type { ApiBudget } from '../api/v1alpha1/index.ts';

/**
 * How fast a cloud lets us go: one budget per API operation, made of two token buckets (requests, and the machines
 * that they are about). It learns from refusals: a throttling answer empties the bucket and halves its rate and its
 * size, both then grow back to the ceiling. Pure: a budget and a time go in, a new budget comes out. Times are ms of
 * one monotonic clock, rates are per real second (what a class declares must have been put through `Clock.rate`).
 */

/** Who asks: `planned` work leaves the reserve in the bucket, `recovery` may empty it. */
export type BudgetPriority = 'planned' | 'recovery';

/** The most that a bucket may do: `rate` tokens per second, `burst` saved up. */
export interface BucketLimits {
  rate: number;
  burst: number;
}

/** The ceilings of an operation. `reserve` (0 to 0.9) is the share of each burst that planned work may not touch. */
export interface BudgetLimits {
  requests: BucketLimits;
  resources?: BucketLimits;
  reserve: number;
}

interface Bucket {
  tokens: number;
  /** What is believed of the cloud: at most the limits. */
  rate: number;
  burst: number;
}

/** What is known of one operation at `time`. */
export interface Budget {
  readonly limits: BudgetLimits;
  readonly time: number;
  readonly requests: Bucket;
  readonly resources?: Bucket;
  readonly throttledTotal: number;
  /** When the rates were last halved; answers to calls sent before say nothing new. */
  readonly decreasedAt: number;
  /** Throttling answers in a row to calls that were about machines. */
  readonly streak: number;
}

/** What a call costs. */
export interface Cost {
  requests: number;
  /** Machines; 0 for calls that no resource bucket governs. */
  resources: number;
}

/** `waitMs`: how long until this would be granted if nobody else took; Infinity when it is more than the bucket ever holds. */
export type Taken = { state: Budget; ok: true } | { state: Budget; ok: false; waitMs: number };

/** A rate is back at its ceiling a minute after it was at 0: a probe that costs at most a refusal or two a minute. */
const SECONDS_TO_CEILING = 60;

/** Never slower than this share of the ceiling: a budget that sleeps cannot learn. */
const FLOOR = 1 / 16;

/** A full budget, which believes in its ceilings. */
export function newBudget(limits: BudgetLimits, now: number): Budget {
  const full = (limit: BucketLimits): Bucket => ({ tokens: limit.burst, rate: limit.rate, burst: limit.burst });
  return {
    limits,
    time: now,
    requests: full(limits.requests),
    ...(limits.resources && { resources: full(limits.resources) }),
    throttledTotal: 0,
    decreasedAt: Number.NEGATIVE_INFINITY,
    streak: 0,
  };
}

/** The same knowledge under other ceilings. Raising a ceiling grants nothing at once: tokens and rates grow into it. */
export function withLimits(budget: Budget, limits: BudgetLimits, now: number): Budget {
  const { resources: before, ...rest } = refilled(budget, now);
  const resources = limits.resources && (before ? clipped(before, limits.resources) : newBudget(limits, now).resources);
  return { ...rest, limits, requests: clipped(rest.requests, limits.requests), ...(resources && { resources }) };
}

/** Takes what a call costs, all of it or nothing. */
export function take(budget: Budget, cost: Cost, priority: BudgetPriority, now: number): Taken {
  const state = refilled(budget, now);
  const { limits } = state;
  const reserve = priority === 'planned' ? limits.reserve : 0;
  let waitMs = waitFor(state.requests, limits.requests, cost.requests, reserve);
  if (state.resources && limits.resources) {
    waitMs = Math.max(waitMs, waitFor(state.resources, limits.resources, cost.resources, reserve));
  }
  if (waitMs > 0) return { state, ok: false, waitMs };
  return {
    ok: true,
    state: {
      ...state,
      requests: spent(state.requests, cost.requests),
      ...(state.resources && { resources: spent(state.resources, cost.resources) }),
    },
  };
}

/** How many machines a call may be about now: 0 when there is no token for the request itself. */
export function affordable(budget: Budget, priority: BudgetPriority, now: number): number {
  const state = refilled(budget, now);
  const reserve = priority === 'planned' ? state.limits.reserve : 0;
  if (waitFor(state.requests, state.limits.requests, 1, reserve) > 0) return 0;
  if (!state.resources) return Number.POSITIVE_INFINITY;
  return Math.max(0, Math.floor(state.resources.tokens - reserved(state.resources.burst, reserve) + ROUNDING));
}

/**
 * Learns from a throttling answer to a call that cost `cost` and was sent at `sentAt`. The cloud does not say which
 * bucket was empty: requests are blamed first, and of the machines only what is certain is concluded (there were
 * fewer than asked for); a second refusal in a row blames them too. Blaming both at once would make a launch of 500
 * machines wait minutes for tokens (EC2 gives 2 a second) because of one request too many.
 */
export function throttled(budget: Budget, cost: Cost, sentAt: number, now: number): Budget {
  const state = refilled(budget, now);
  const news = sentAt >= state.decreasedAt;
  const streak = state.streak + (news && cost.resources > 0 ? 1 : 0);
  const { requests: requestLimits, resources: resourceLimits } = state.limits;
  const learn = (bucket: Bucket, limits: BucketLimits, upTo: number): Bucket =>
    news
      ? {
          tokens: 0,
          rate: Math.min(bucket.rate, Math.max(bucket.rate / 2, limits.rate * FLOOR)),
          burst: Math.max(1, Math.floor(Math.min(bucket.burst, upTo) / 2)),
        }
      : { ...bucket, tokens: 0 };
  const resources =
    state.resources && resourceLimits && cost.resources > 0
      ? streak >= 2
        ? learn(state.resources, resourceLimits, cost.resources)
        : { ...state.resources, tokens: Math.min(state.resources.tokens, cost.resources - 1) }
      : state.resources;
  return {
    ...state,
    requests: learn(state.requests, requestLimits, state.requests.burst),
    ...(resources && { resources }),
    throttledTotal: state.throttledTotal + 1,
    decreasedAt: news ? now : state.decreasedAt,
    streak,
  };
}

/** Learns from any other answer: the cloud let this call through. */
export function admitted(budget: Budget): Budget {
  return budget.streak === 0 ? budget : { ...budget, streak: 0 };
}

/** The limits of several classes on one account: the lowest of each, and the largest reserve. Undefined for none. */
export function lowest(limits: readonly BudgetLimits[]): BudgetLimits | undefined {
  const lower = (a: BucketLimits, b: BucketLimits) => ({
    rate: Math.min(a.rate, b.rate),
    burst: Math.min(a.burst, b.burst),
  });
  const [first, ...others] = limits;
  if (!first) return undefined;
  return others.reduce((one, other) => {
    const resources =
      one.resources && other.resources ? lower(one.resources, other.resources) : (one.resources ?? other.resources);
    return {
      requests: lower(one.requests, other.requests),
      ...(resources && { resources }),
      reserve: Math.max(one.reserve, other.reserve),
    };
  }, first);
}

/**
 * What a class declares for an operation, over the provider's documented sizes. `rate` makes a declared rate a real
 * one; `reserve` is a percentage as the API has it: "20%".
 */
export function limitsOf(
  declared: ApiBudget | undefined,
  documented: ApiBudget,
  reserve: string,
  rate: (perSecond: number) => number,
): BudgetLimits {
  const { requestsPerSecond, requestBurst, resourcesPerSecond, resourceBurst } = { ...documented, ...declared };
  const limited = resourcesPerSecond !== undefined || resourceBurst !== undefined;
  return {
    requests: { rate: rate(requestsPerSecond), burst: requestBurst },
    ...(limited && {
      resources: {
        rate: rate(resourcesPerSecond ?? resourceBurst ?? 1),
        burst: resourceBurst ?? Math.max(1, Math.ceil(resourcesPerSecond ?? 1)),
      },
    }),
    reserve: Number.parseInt(reserve, 10) / 100,
  };
}

/** Sums of fractions of tokens err in the last digits: without this a wait of a nanosecond could follow a wait. */
const ROUNDING = 1e-6;

/** Tokens that planned work must leave; never so many that it could not have even one. */
const reserved = (burst: number, share: number): number => Math.min(share * burst, Math.max(0, burst - 1));

function refilled(budget: Budget, now: number): Budget {
  const seconds = Math.max(0, now - budget.time) / 1000;
  if (seconds === 0) return budget;
  const { limits, resources } = budget;
  return {
    ...budget,
    time: now,
    requests: grown(budget.requests, limits.requests, seconds),
    ...(resources && limits.resources && { resources: grown(resources, limits.resources, seconds) }),
  };
}

/** The bucket `seconds` later: its rate grows evenly to the ceiling, its size by as many tokens as flow in. */
function grown(bucket: Bucket, limits: BucketLimits, seconds: number): Bucket {
  const slope = limits.rate / SECONDS_TO_CEILING;
  const climbing = Math.min(seconds, Math.max(0, limits.rate - bucket.rate) / slope);
  const inflow = bucket.rate * climbing + (slope * climbing ** 2) / 2 + limits.rate * (seconds - climbing);
  const burst = Math.min(limits.burst, bucket.burst + inflow);
  return {
    rate: Math.min(limits.rate, bucket.rate + slope * climbing),
    burst,
    tokens: Math.min(burst, bucket.tokens + inflow),
  };
}

/** Ms until `need` tokens can be taken and the reserve is still there. */
function waitFor(bucket: Bucket, limits: BucketLimits, need: number, share: number): number {
  if (need <= 0) return 0;
  if (bucket.tokens - reserved(bucket.burst, share) + ROUNDING >= need) return 0;
  if (limits.burst - reserved(limits.burst, share) + ROUNDING < need) return Number.POSITIVE_INFINITY;
  // The reserve grows with the burst while that grows, so the inflow that is needed solves
  // tokens + inflow - reserved(min(limit, burst + inflow)) = need, for either form of `reserved`.
  const growing = (need + share * bucket.burst - bucket.tokens) / (1 - share);
  const byShare = bucket.burst + growing <= limits.burst ? growing : need + share * limits.burst - bucket.tokens;
  const byLast = need - 1 + limits.burst - bucket.tokens;
  return secondsUntil(bucket, limits, Math.min(byShare, byLast)) * 1000;
}

/** The inverse of the inflow in `grown`. */
function secondsUntil(bucket: Bucket, limits: BucketLimits, inflow: number): number {
  const slope = limits.rate / SECONDS_TO_CEILING;
  const climb = Math.max(0, limits.rate - bucket.rate) / slope;
  const climbed = bucket.rate * climb + (slope * climb ** 2) / 2;
  if (inflow >= climbed) return climb + (inflow - climbed) / limits.rate;
  return (Math.sqrt(bucket.rate ** 2 + 2 * slope * inflow) - bucket.rate) / slope;
}

const spent = (bucket: Bucket, tokens: number): Bucket => ({ ...bucket, tokens: Math.max(0, bucket.tokens - tokens) });

const clipped = (bucket: Bucket, limits: BucketLimits): Bucket => ({
  tokens: Math.min(bucket.tokens, limits.burst),
  rate: Math.min(bucket.rate, limits.rate),
  burst: Math.min(bucket.burst, limits.burst),
});
