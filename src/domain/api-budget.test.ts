import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  admitted,
  affordable,
  type Budget,
  type BudgetLimits,
  type BudgetPriority,
  limitsOf,
  lowest,
  newBudget,
  retryAfter,
  returned,
  take,
  throttled,
  withLimits,
} from './api-budget.ts';

const launches: BudgetLimits = {
  requests: { rate: 2, burst: 5 },
  resources: { rate: 2, burst: 1000 },
  reserve: 0.2,
  pace: 1,
};

const limits = fc.record({
  requests: fc.record({ rate: fc.double({ min: 0.1, max: 50, noNaN: true }), burst: fc.integer({ min: 1, max: 50 }) }),
  resources: fc.record({
    rate: fc.double({ min: 0.1, max: 50, noNaN: true }),
    burst: fc.integer({ min: 1, max: 2000 }),
  }),
  reserve: fc.constantFrom(0, 0.2, 0.5, 0.9),
  pace: fc.constantFrom(1, 60),
});
const priority = fc.constantFrom<BudgetPriority>('planned', 'recovery');
const step = fc.record({
  after: fc.integer({ min: 0, max: 20_000 }),
  machines: fc.integer({ min: 0, max: 1500 }),
  priority,
  answer: fc.constantFrom('ok', 'ok', 'throttled'),
});

/** Plays a schedule: every granted call is answered at once, well or by throttling. */
function play(given: BudgetLimits, steps: (typeof step extends fc.Arbitrary<infer T> ? T : never)[]) {
  let budget = newBudget(given, 0);
  let now = 0;
  const granted: { at: number; machines: number }[] = [];
  for (const { after, machines, priority, answer } of steps) {
    now += after;
    const cost = { requests: 1, resources: machines };
    const taken = take(budget, cost, priority, now);
    budget = taken.state;
    if (!taken.ok) continue;
    granted.push({ at: now, machines });
    budget = answer === 'ok' ? admitted(budget) : throttled(budget, cost, now, now);
  }
  return { budget, granted, now };
}

const ok = (taken: ReturnType<typeof take>): Budget => {
  expect(taken.ok).toBe(true);
  return taken.state;
};

describe('an API budget', () => {
  it('never admits more than burst + rate x time, in any window and whatever the order', () => {
    fc.assert(
      fc.property(limits, fc.array(step, { maxLength: 60 }), (given, steps) => {
        const { granted } = play(given, steps);
        for (let from = 0; from < granted.length; from++) {
          let requests = 0;
          let machines = 0;
          for (const call of granted.slice(from)) {
            const seconds = (call.at - granted[from]!.at) / 1000;
            requests += 1;
            machines += call.machines;
            expect(requests).toBeLessThanOrEqual(given.requests.burst + given.requests.rate * seconds + 1e-3);
            expect(machines).toBeLessThanOrEqual(given.resources.burst + given.resources.rate * seconds + 1e-3);
          }
        }
      }),
    );
  });

  it('waits for as long as it said, and not much longer', () => {
    fc.assert(
      fc.property(limits, fc.array(step, { maxLength: 20 }), step, (given, steps, { machines, priority }) => {
        const { budget, now } = play(given, steps);
        const cost = { requests: 1, resources: machines };
        const taken = take(budget, cost, priority, now);
        if (taken.ok || !Number.isFinite(taken.waitMs)) return;
        expect(take(taken.state, cost, priority, now + taken.waitMs).ok).toBe(true);
        if (taken.waitMs > 50) expect(take(taken.state, cost, priority, now + taken.waitMs * 0.95).ok).toBe(false);
      }),
    );
  });

  it('says Infinity exactly when the bucket can never hold that much', () => {
    fc.assert(
      fc.property(limits, fc.array(step, { maxLength: 10 }), step, (given, steps, { machines, priority }) => {
        const { budget, now } = play(given, steps);
        const { burst } = given.resources;
        const most = priority === 'recovery' ? burst : Math.max(1, burst * (1 - given.reserve));
        const taken = take(budget, { requests: 1, resources: machines }, priority, now);
        expect(!taken.ok && taken.waitMs === Number.POSITIVE_INFINITY).toBe(machines > most + 1e-6);
      }),
    );
  });

  it('says when to try again with no more than it is believed to hold', () => {
    const cost = { requests: 1, resources: 60 };
    const learned = throttled(throttled(newBudget(launches, 0), cost, 0, 0), cost, 1000, 1000);
    const wait = retryAfter(learned, cost, 'planned', 1000);
    // 30 machines are believed to fit, of which 6 are reserved; the rate climbs from 1 to 2 a second.
    expect(wait).toBeGreaterThan(20_000);
    expect(wait).toBeLessThan(30_000);
    expect(affordable(learned, 'planned', 1000 + wait)).toBeGreaterThanOrEqual(24);
    expect(affordable(learned, 'planned', 1000 + wait)).toBeLessThan(60);
  });

  it('is the same however often it was asked in between', () => {
    fc.assert(
      fc.property(
        limits,
        fc.array(step, { maxLength: 10 }),
        fc.integer({ min: 0, max: 100_000 }),
        (given, steps, ms) => {
          const { budget, now } = play(given, steps);
          const huge = { requests: 1e9, resources: 1e9 };
          const halfway = take(budget, huge, 'recovery', now + ms / 2).state;
          const twice = take(halfway, huge, 'recovery', now + ms).state;
          const once = take(budget, huge, 'recovery', now + ms).state;
          for (const bucket of ['requests', 'resources'] as const) {
            expect(twice[bucket]?.tokens).toBeCloseTo(once[bucket]?.tokens ?? 0, 4);
            expect(twice[bucket]?.rate).toBeCloseTo(once[bucket]?.rate ?? 0, 6);
          }
        },
      ),
    );
  });

  it('goes backwards for nobody: an earlier time changes nothing', () => {
    const budget = ok(take(newBudget(launches, 10_000), { requests: 1, resources: 9 }, 'recovery', 10_000));
    expect(take(budget, { requests: 9, resources: 0 }, 'recovery', 5_000).state).toEqual(budget);
  });
});

describe('the reserve of an API budget', () => {
  it('is untouched by planned work and there for recovery', () => {
    let budget = newBudget(launches, 0);
    budget = ok(take(budget, { requests: 1, resources: 800 }, 'planned', 0));
    const next = take(budget, { requests: 1, resources: 1 }, 'planned', 0);
    expect(next).toMatchObject({ ok: false, waitMs: expect.closeTo(500, 2) });
    ok(take(budget, { requests: 1, resources: 200 }, 'recovery', 0));
  });

  it('leaves the smallest bucket usable', () => {
    const budget = newBudget({ requests: { rate: 1, burst: 1 }, reserve: 0.9, pace: 1 }, 0);
    ok(take(budget, { requests: 1, resources: 0 }, 'planned', 0));
  });

  it('shows in what can be afforded', () => {
    const budget = newBudget(launches, 0);
    expect([affordable(budget, 'planned', 0), affordable(budget, 'recovery', 0)]).toEqual([800, 1000]);
  });
});

describe('a throttled API budget', () => {
  it('never raises a rate, a size or tokens', () => {
    fc.assert(
      fc.property(
        limits,
        fc.array(step, { maxLength: 20 }),
        fc.integer({ min: 0, max: 900 }),
        (given, steps, machines) => {
          const { budget, now } = play(given, steps);
          const before = take(budget, { requests: 1e9, resources: 0 }, 'recovery', now).state;
          const after = throttled(before, { requests: 1, resources: machines }, now, now);
          expect(after.requests.tokens).toBe(0);
          for (const bucket of ['requests', 'resources'] as const) {
            for (const what of ['rate', 'burst', 'tokens'] as const) {
              expect(after[bucket]![what]).toBeLessThanOrEqual(before[bucket]![what]);
            }
            expect(after[bucket]!.rate).toBeGreaterThanOrEqual(given[bucket].rate / 16);
          }
        },
      ),
    );
  });

  it('recovers to its ceiling', () => {
    fc.assert(
      fc.property(limits, fc.array(step, { maxLength: 30 }), (given, steps) => {
        const { budget, now } = play(given, steps);
        const { rate, burst } = given.resources;
        const rested = now + 1_860_000 + (burst / rate) * 1000;
        const { state, ok } = take(budget, { requests: 1, resources: burst }, 'recovery', rested);
        expect(ok).toBe(true);
        expect(state.requests.rate).toBe(given.requests.rate);
        expect(state.resources?.rate).toBe(rate);
      }),
    );
  });

  it('halves once for calls that were under way together', () => {
    const cost = { requests: 1, resources: 0 };
    let budget = newBudget(launches, 0);
    budget = throttled(budget, cost, 0, 100);
    budget = throttled(budget, cost, 0, 100);
    budget = throttled(budget, cost, 50, 100);
    expect(budget.requests.rate).toBe(1);
    expect(budget.throttledTotal).toBe(3);
  });

  it('blames the requests first, and the machines when it happens again', () => {
    const cost = { requests: 1, resources: 300 };
    const first = throttled(newBudget(launches, 0), cost, 0, 0);
    expect(first.requests).toEqual({ tokens: 0, rate: 1, burst: 2 });
    expect(first.resources).toEqual({ tokens: 1000, rate: 2, burst: 1000 });
    const again = throttled(first, cost, 1000, 1000);
    expect(again.resources).toEqual({ tokens: 0, rate: 1, burst: 150 });
  });

  it('forgets the first refusal when a call gets through', () => {
    const cost = { requests: 1, resources: 300 };
    const first = throttled(newBudget(launches, 0), cost, 0, 0);
    const later = throttled(admitted(first), cost, 1000, 1000);
    expect(later.resources?.rate).toBe(2);
  });

  it('finds the size that a smaller cloud lets through, and launches everything', () => {
    const cloud = { tokens: 40, at: 0 };
    const { budget, left, refused } = launchAll(180, (n, now) => {
      cloud.tokens = Math.min(40, cloud.tokens + ((now - cloud.at) / 1000) * 2);
      cloud.at = now;
      if (cloud.tokens < n) return false;
      cloud.tokens -= n;
      return true;
    });
    expect(left).toBe(0);
    // 40 at once and 2 a second is 70 s at best.
    expect(budget.time).toBeLessThan(110_000);
    expect(refused).toBeLessThan(15);
  });
});

/** Launches `count` machines as fast as the budget allows against a cloud that answers `lets(n, now)`. */
function launchAll(count: number, lets: (machines: number, now: number) => boolean) {
  let budget = newBudget(launches, 0);
  let [now, left, refused] = [0, count, 0];
  for (let turns = 0; left > 0 && turns < 10_000; turns++) {
    const machines = Math.min(left, affordable(budget, 'recovery', now));
    const cost = { requests: 1, resources: Math.max(1, machines) };
    const taken = take(budget, cost, 'recovery', now);
    budget = taken.state;
    if (!taken.ok) {
      now += Math.max(1, taken.waitMs);
    } else if (lets(cost.resources, now)) {
      budget = admitted(budget);
      left -= cost.resources;
    } else {
      budget = throttled(budget, cost, now, now);
      refused++;
    }
  }
  return { budget, left, refused };
}

describe('tokens that are given back', () => {
  it('are the machines’, not the request’s, and never overfill the bucket', () => {
    const cost = { requests: 1, resources: 100 };
    const taken = ok(take(newBudget(launches, 0), cost, 'recovery', 0));
    expect(returned(taken, cost, 0)).toMatchObject({ requests: { tokens: 4 }, resources: { tokens: 1000 } });
    expect(returned(taken, cost, 40_000).resources?.tokens).toBe(1000);
  });
});

describe('ceilings', () => {
  it('that are lowered hold at once, and those that are raised are grown into', () => {
    const low = withLimits(newBudget(launches, 0), { ...launches, resources: { rate: 1, burst: 10 } }, 0);
    expect(low.resources).toEqual({ tokens: 10, rate: 1, burst: 10 });
    const high = withLimits(low, launches, 0);
    expect(high.resources).toEqual({ tokens: 10, rate: 1, burst: 10 });
    ok(take(high, { requests: 1, resources: 1000 }, 'recovery', 1_800_000));
  });

  it('of two classes on one account: the lower one wins', () => {
    const other = limitsOf(
      { requestsPerSecond: 1, requestBurst: 9 },
      { requestsPerSecond: 2, requestBurst: 5 },
      '40%',
      (r) => r,
    );
    expect(lowest([launches, other])).toEqual({
      requests: { rate: 1, burst: 5 },
      resources: { rate: 2, burst: 1000 },
      reserve: 0.4,
      pace: 1,
    });
    expect(lowest([])).toBeUndefined();
  });

  it('are what the class declares, else what is documented, at the rate of the clock', () => {
    const documented = { requestsPerSecond: 2, requestBurst: 5, resourcesPerSecond: 2, resourceBurst: 1000 };
    expect(limitsOf({ requestsPerSecond: 1, requestBurst: 3 }, documented, '20%', (rate) => rate * 60)).toEqual({
      requests: { rate: 60, burst: 3 },
      resources: { rate: 120, burst: 1000 },
      reserve: 0.2,
      pace: 60,
    });
  });
});
