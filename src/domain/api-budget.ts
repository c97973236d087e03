/**
 * How fast a cloud lets us go: one budget per API operation, made of two token buckets (requests, and the machines
 * that they are about). It learns from refusals: a throttling answer empties the bucket and halves its rate and its
 * size, both then grow back to the ceiling. Pure: a budget and a time go in, a new budget comes out. Times are ms of
 * one monotonic clock, rates are per real second (what a class declares must have been put through `Clock.rate`).
 */

import {
  available,
  type Bucket,
  type BucketLimits,
  clipped,
  full,
  grown,
  halved,
  spent,
  waitIn,
} from './token-bucket.ts';

/** Who asks: `planned` work leaves the reserve in the bucket, `recovery` may empty it. */
export type BudgetPriority = 'planned' | 'recovery';

/** The ceilings of an operation. `reserve` (0 to 0.9) is the share of each bucket that planned work may not touch. */
export interface BudgetLimits {
  requests: BucketLimits;
  resources?: BucketLimits;
  reserve: number;
  /** Declared seconds in a real one: how fast what was learned is unlearned. */
  pace: number;
}

/** What is known of one operation at `time`. */
export interface Budget {
  readonly limits: BudgetLimits;
  readonly time: number;
  readonly requests: Bucket;
  readonly resources?: Bucket;
  readonly throttledTotal: number;
  /** Calls let out so far: the number of the last one. */
  readonly calls: number;
  readonly lastCallTime: number;
  /** Number of the last call that came after a quiet time. */
  readonly quietCall: number;
  /** Calls let out when something was last learned: answers to these say nothing new. */
  readonly learnedCalls: number;
  /** What was believed of requests before the refusals that are now coming one after the other. */
  readonly before?: Pick<Bucket, 'rate' | 'burst'>;
}

/** What a call costs. */
export interface Cost {
  requests: number;
  /** Machines; 0 for calls that no resource bucket governs. */
  resources: number;
}

/** `waitMs`: how long until this would be granted if nobody else took; Infinity when it is more than the bucket ever holds. */
export type Taken = { state: Budget; ok: true } | { state: Budget; ok: false; waitMs: number };

/**
 * Requests that could have been made, at the ceiling's rate, in the time after which a refused call cannot be put down
 * to too many requests; and in the longest wait for tokens before a smaller call is worth its request.
 */
const QUIET = 4;
const PATIENCE = 10;

/** A full budget, which believes in its ceilings. */
export function newBudget(limits: BudgetLimits, now: number): Budget {
  return {
    limits,
    time: now,
    requests: full(limits.requests),
    ...(limits.resources && { resources: full(limits.resources) }),
    throttledTotal: 0,
    calls: 0,
    lastCallTime: Number.NEGATIVE_INFINITY,
    quietCall: 0,
    learnedCalls: 0,
  };
}

/** The same knowledge under other ceilings. Raising a ceiling grants nothing at once: tokens and rates grow into it. */
export function withLimits(budget: Budget, limits: BudgetLimits, now: number): Budget {
  const { resources: before, ...rest } = refilled(budget, now);
  const resources = limits.resources && (before ? clipped(before, limits.resources) : newBudget(limits, now).resources);
  return { ...rest, limits, requests: clipped(rest.requests, limits.requests), ...(resources && { resources }) };
}

/** Takes what a call costs, all of it or nothing. The call's number is then `state.calls`. */
export function take(budget: Budget, cost: Cost, priority: BudgetPriority, now: number): Taken {
  const state = refilled(budget, now);
  const waitMs = waitFor(state, cost, priority);
  if (waitMs > 0) return { state, ok: false, waitMs };
  return {
    ok: true,
    state: {
      ...state,
      calls: state.calls + 1,
      lastCallTime: now,
      quietCall: now - state.lastCallTime >= intervals(state, QUIET) ? state.calls + 1 : state.quietCall,
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
 * Ms after which a call is worth another try, for fewer machines if need be: whoever is refused then asks for what is
 * `affordable`. A cloud that gives 2 machines a second is so used as they come, not waited for by the hundred.
 */
export function retryAfter(budget: Budget, cost: Cost, priority: BudgetPriority, now: number): number {
  const state = refilled(budget, now);
  const { resources } = state;
  if (!resources || cost.resources === 0) return waitFor(state, cost, priority);
  const most = available({ ...resources, tokens: resources.burst }, shareOf(state, priority));
  const soon = (resources.rate * intervals(state, PATIENCE)) / 1000;
  const worth = Math.max(1, Math.floor(Math.min(most, soon)));
  const wait = waitFor(state, { ...cost, resources: Math.min(cost.resources, worth) }, priority);
  // Never 0: a caller who insists on the whole would otherwise ask without a pause.
  return Math.max(wait, intervals(state, 1));
}

/**
 * Learns from a throttling answer to call number `call`, which cost `cost`. The cloud does not say which bucket
 * was empty. After a quiet time it cannot have been the requests', so the machines are blamed: there were
 * fewer than asked for. Otherwise the requests are, until their rate is so low that the next refusal comes after a
 * quiet time itself and clears them. Blaming both at once would make a launch of 500 machines wait minutes (EC2 gives
 * 2 a second) because of one request too many.
 */
export function throttled(budget: Budget, cost: Cost, call: number, now: number): Budget {
  // A refused call was charged for no machines.
  const state = { ...returned(budget, cost, now), throttledTotal: budget.throttledTotal + 1 };
  const { limits, requests, resources } = state;
  // Calls that were under way together are refused together, and that is one lesson.
  if (call <= state.learnedCalls) return { ...state, requests: { ...requests, tokens: 0 } };
  const believed = { rate: requests.rate, burst: requests.burst };
  if (resources && limits.resources && cost.resources > 0 && call === state.quietCall) {
    const { before, ...cleared } = state;
    const fewer = halved(resources, limits.resources, Math.min(resources.burst, cost.resources));
    return {
      ...cleared,
      requests: { ...(before ?? believed), tokens: 0 },
      resources: { ...fewer, tokens: Math.min(resources.tokens, Math.floor(cost.resources / 2)) },
      learnedCalls: state.calls,
    };
  }
  return {
    ...state,
    requests: { ...halved(requests, limits.requests, requests.burst), tokens: 0 },
    before: state.before ?? believed,
    learnedCalls: state.calls,
  };
}

/** Learns from any other answer: the cloud let this call through. */
export function admitted(budget: Budget): Budget {
  const { before, ...state } = budget;
  return before ? state : budget;
}

/**
 * Gives the machines' tokens back of a call that launched none, or that will be repeated with its token because its
 * answer was lost: the cloud charges once for it. A second charge here could mean minutes of waiting.
 */
export function returned(budget: Budget, cost: Cost, now: number): Budget {
  const state = refilled(budget, now);
  const { resources } = state;
  if (!resources || cost.resources === 0) return state;
  const tokens = Math.min(resources.burst, resources.tokens + cost.resources);
  return { ...state, resources: { ...resources, tokens } };
}

/** Ms in which the ceiling lets out so many requests. */
const intervals = ({ limits }: Budget, requests: number): number => (requests / limits.requests.rate) * 1000;

const shareOf = ({ limits }: Budget, priority: BudgetPriority): number => (priority === 'planned' ? limits.reserve : 0);

function waitFor(state: Budget, cost: Cost, priority: BudgetPriority): number {
  const { limits, requests, resources } = state;
  const share = shareOf(state, priority);
  const forRequests = waitIn(requests, limits.requests, limits.pace, cost.requests, share);
  if (!resources || !limits.resources) return forRequests;
  return Math.max(forRequests, waitIn(resources, limits.resources, limits.pace, cost.resources, share));
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
