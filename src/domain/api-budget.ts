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

/** The ceilings of an operation. `reserve` (0 to 0.9) is the share of each bucket that planned work may not touch. */
export interface BudgetLimits {
  requests: BucketLimits;
  resources?: BucketLimits;
  reserve: number;
  /** Declared seconds in a real one: how fast what was learned is unlearned. */
  pace: number;
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

/** Declared seconds in which a rate grows from 0 to its ceiling: probing costs a refusal or two a minute. */
const RATE_RECOVERY = 60;

/** The same for the size of a bucket. A size is the account's and changes by a request to support: believed for longer. */
const BURST_RECOVERY = 1800;

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
  const waitMs = waitFor(state, cost, priority);
  if (waitMs > 0) return { state, ok: false, waitMs };
  const spent = (bucket: Bucket, tokens: number): Bucket => ({
    ...bucket,
    tokens: Math.max(0, bucket.tokens - tokens),
  });
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
  if (waitFor(state, { requests: 1, resources: 0 }, priority) > 0) return 0;
  if (!state.resources) return Number.POSITIVE_INFINITY;
  return Math.max(0, Math.floor(available(state.resources, shareOf(state, priority))));
}

/**
 * Ms after which a call is worth another try: as `take` says, but for no more machines than the bucket is believed to
 * hold. Whoever asks for more than that should then ask for what is `affordable`.
 */
export function retryAfter(budget: Budget, cost: Cost, priority: BudgetPriority, now: number): number {
  const state = refilled(budget, now);
  const { resources } = state;
  const full = resources && Math.floor(available({ ...resources, tokens: resources.burst }, shareOf(state, priority)));
  return waitFor(state, { ...cost, resources: Math.min(cost.resources, full ?? cost.resources) }, priority);
}

/**
 * Learns from a throttling answer to a call that cost `cost` and was sent at `sentAt`. The cloud does not say which
 * bucket was empty: the requests are blamed first, a second refusal in a row blames the machines too. Blaming both at
 * once would make a launch of 500 machines wait minutes for tokens (EC2 gives 2 a second) because of one request too
 * many.
 */
export function throttled(budget: Budget, cost: Cost, sentAt: number, now: number): Budget {
  const state = refilled(budget, now);
  const { limits, requests, resources } = state;
  // Calls that were under way together are refused together, and that is one lesson.
  const news = sentAt >= state.decreasedAt;
  const streak = state.streak + (news && cost.resources > 0 ? 1 : 0);
  const learn = (bucket: Bucket, { rate }: BucketLimits, size: number): Bucket =>
    news
      ? {
          tokens: 0,
          rate: Math.min(bucket.rate, Math.max(bucket.rate / 2, rate * FLOOR)),
          burst: Math.max(1, Math.floor(size / 2)),
        }
      : { ...bucket, tokens: 0 };
  const blamed = cost.resources > 0 && streak >= 2;
  return {
    ...state,
    requests: learn(requests, limits.requests, requests.burst),
    ...(blamed &&
      resources &&
      limits.resources && {
        resources: learn(resources, limits.resources, Math.min(resources.burst, cost.resources)),
      }),
    throttledTotal: state.throttledTotal + 1,
    decreasedAt: news ? now : state.decreasedAt,
    streak,
  };
}

/** Learns from any other answer: the cloud let this call through. */
export function admitted(budget: Budget): Budget {
  return budget.streak === 0 ? budget : { ...budget, streak: 0 };
}

/**
 * Gives the machines' tokens back of a call that launched none, or that will be repeated with its token because its
 * answer was lost: the cloud charges once for it, and a second charge here could mean minutes of waiting.
 */
export function returned(budget: Budget, cost: Cost, now: number): Budget {
  const state = refilled(budget, now);
  const { resources } = state;
  if (!resources || cost.resources === 0) return state;
  const tokens = Math.min(resources.burst, resources.tokens + cost.resources);
  return { ...state, resources: { ...resources, tokens } };
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
      pace: one.pace,
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
    pace: rate(1),
  };
}

/** Sums of fractions of tokens err in the last digits: without this a wait of a nanosecond could follow a wait. */
const ROUNDING = 1e-6;

const shareOf = ({ limits }: Budget, priority: BudgetPriority): number => (priority === 'planned' ? limits.reserve : 0);

/** Tokens beyond the reserve; that is never so large that planned work could not have even one. */
function available({ tokens, burst }: Bucket, share: number): number {
  return tokens - Math.min(share * burst, Math.max(0, burst - 1)) + ROUNDING;
}

function waitFor(state: Budget, cost: Cost, priority: BudgetPriority): number {
  const { limits, requests, resources } = state;
  const share = shareOf(state, priority);
  const forRequests = waitIn(requests, limits.requests, limits.pace, cost.requests, share);
  if (!resources || !limits.resources) return forRequests;
  return Math.max(forRequests, waitIn(resources, limits.resources, limits.pace, cost.resources, share));
}

/** Ms until `need` tokens can be taken from a bucket and the reserve is still there. */
function waitIn(bucket: Bucket, limits: BucketLimits, pace: number, need: number, share: number): number {
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

function refilled(budget: Budget, now: number): Budget {
  const seconds = Math.max(0, now - budget.time) / 1000;
  if (seconds === 0) return budget;
  const { limits, resources } = budget;
  return {
    ...budget,
    time: now,
    requests: grown(budget.requests, limits.requests, limits.pace, seconds),
    ...(resources && limits.resources && { resources: grown(resources, limits.resources, limits.pace, seconds) }),
  };
}

/** The bucket `seconds` later: rate and size grow evenly to their ceilings. */
function grown(bucket: Bucket, limits: BucketLimits, pace: number, seconds: number): Bucket {
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

const clipped = (bucket: Bucket, limits: BucketLimits): Bucket => ({
  tokens: Math.min(bucket.tokens, limits.burst),
  rate: Math.min(bucket.rate, limits.rate),
  burst: Math.min(bucket.burst, limits.burst),
});
