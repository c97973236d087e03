import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  admitted,
  affordable,
  type Budget,
  type BudgetLimits,
  type BudgetPriority,
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
    if (answer === 'throttled') {
      budget = throttled(budget, cost, budget.calls, now);
      granted.pop();
      granted.push({ at: now, machines: 0 });
    } else budget = admitted(budget);
  }
  return { budget, granted, now };
}

/** `count` calls about `machines` each, let out at `now`. */
function calls(budget: Budget, count: number, machines: number, now: number): Budget {
  let state = budget;
  for (let n = 0; n < count; n++) state = ok(take(state, { requests: 1, resources: machines }, 'recovery', now));
  return state;
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
  it('never raises a rate or a size, nor has more tokens than before the call', () => {
    fc.assert(
      fc.property(limits, fc.array(step, { maxLength: 20 }), fc.nat(900), fc.nat(3), (given, steps, machines, age) => {
        const { budget, now } = play(given, steps);
        const cost = { requests: 1, resources: machines };
        const before = take(budget, { requests: 1e9, resources: 0 }, 'recovery', now).state;
        const taken = take(before, cost, 'recovery', now);
        if (!taken.ok) return;
        const after = throttled(taken.state, cost, taken.state.calls - age, now);
        for (const bucket of ['requests', 'resources'] as const) {
          expect(after[bucket]!.tokens).toBeLessThanOrEqual(before[bucket]!.tokens + 1e-6);
          expect(after[bucket]!.rate).toBeGreaterThanOrEqual(given[bucket].rate / 16);
        }
        // Machines that are found guilty clear the requests, whose rate is then what it was before.
        const cleared = before.before !== undefined && after.before === undefined;
        for (const bucket of cleared ? (['resources'] as const) : (['requests', 'resources'] as const)) {
          for (const what of ['rate', 'burst'] as const) {
            expect(after[bucket]![what]).toBeLessThanOrEqual(before[bucket]![what]);
          }
        }
        if (cleared) expect(after.requests.rate).toBeLessThanOrEqual(given.requests.rate);
      }),
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
    let budget = calls(newBudget(launches, 0), 4, 0, 0);
    for (const call of [2, 3, 4]) budget = throttled(budget, { requests: 1, resources: 0 }, call, 100);
    expect(budget.requests).toMatchObject({ tokens: 0, rate: 1, burst: 2 });
    expect(budget.throttledTotal).toBe(3);
  });

  it('blames the machines for a call after a quiet time', () => {
    const budget = calls(newBudget(launches, 0), 1, 300, 0);
    const after = throttled(budget, { requests: 1, resources: 300 }, 1, 0);
    expect(after.requests).toEqual({ tokens: 0, rate: 2, burst: 5 });
    expect(after.resources).toEqual({ tokens: 150, rate: 1, burst: 150 });
  });

  it('blames the requests for one among others, and gives back what it was not charged', () => {
    const budget = calls(newBudget(launches, 0), 2, 300, 0);
    const after = throttled(budget, { requests: 1, resources: 300 }, 2, 0);
    expect(after.requests).toEqual({ tokens: 0, rate: 1, burst: 2 });
    expect(after.resources).toEqual({ tokens: 700, rate: 2, burst: 1000 });
  });

  it('clears the requests when it was the machines after all', () => {
    const cost = { requests: 1, resources: 300 };
    let budget = throttled(calls(newBudget(launches, 0), 2, 300, 0), cost, 2, 0);
    budget = throttled(calls(budget, 1, 300, 2000), cost, 3, 2000);
    expect(budget.requests).toMatchObject({ rate: 2, burst: 5 });
    expect(budget.resources).toMatchObject({ tokens: 150, rate: 1, burst: 150 });
  });

  it('clears them to what was believed before the first of the refusals', () => {
    const cost = { requests: 1, resources: 100 };
    let budget = throttled(calls(newBudget(launches, 0), 2, 100, 0), cost, 2, 0);
    budget = throttled(calls(budget, 1, 100, 1500), cost, 3, 1500);
    expect(budget.requests.rate).toBeLessThan(0.6);
    budget = throttled(calls(budget, 1, 100, 5000), cost, 4, 5000);
    expect(budget.requests).toMatchObject({ rate: 2, burst: 5 });
  });

  it('clears them of nothing that a call let through has confirmed', () => {
    const cost = { requests: 1, resources: 100 };
    let budget = throttled(calls(newBudget(launches, 0), 2, 100, 0), cost, 2, 0);
    budget = admitted(calls(budget, 1, 100, 1500));
    budget = throttled(calls(budget, 1, 100, 5000), cost, 4, 5000);
    expect(budget.resources?.rate).toBe(1);
    expect(budget.requests.rate).toBeCloseTo(1 + 5 / 30, 5);
  });

  it('waits for some of what it needs, not for all of it', () => {
    const cost = { requests: 1, resources: 500 };
    const empty = calls(newBudget(launches, 0), 1, 1000, 0);
    expect(retryAfter(empty, cost, 'recovery', 0)).toBeCloseTo(5000, 0);
    expect(affordable(empty, 'recovery', 5000)).toBe(10);
    expect(retryAfter(calls(newBudget(launches, 0), 1, 980, 0), cost, 'recovery', 0)).toBe(500);
    expect(retryAfter(empty, { requests: 1, resources: 4 }, 'recovery', 0)).toBeCloseTo(2000, 0);
    expect(retryAfter(calls(newBudget(launches, 0), 5, 0, 0), cost, 'recovery', 0)).toBeCloseTo(500, 0);
  });

  it.each([
    ['a bucket of 40 machines', { requests: 5, perSecond: 2, machines: 40, machinesPerSecond: 2 }, 480, 10],
    ['one machine a second', { requests: 5, perSecond: 2, machines: 100, machinesPerSecond: 1 }, 900, 150],
    ['one request in two seconds', { requests: 1, perSecond: 0.5, machines: 1000, machinesPerSecond: 2 }, 38, 15],
    ['both low', { requests: 1, perSecond: 0.5, machines: 20, machinesPerSecond: 1 }, 980, 200],
  ])('launches 1,000 machines near the limit of a cloud with %s', (_what, cloud, best, refusals) => {
    const { left, refused, seconds } = launchAll(1000, cloud);
    expect(left).toBe(0);
    expect(seconds).toBeGreaterThanOrEqual(best);
    expect(seconds).toBeLessThan(best * 1.1 + 30);
    expect(refused).toBeLessThan(refusals);
  });
});

interface CloudLimits {
  requests: number;
  perSecond: number;
  machines: number;
  machinesPerSecond: number;
}

/** Launches machines, 50 at a time at most, as fast as the budget allows against a cloud with these limits. */
function launchAll(count: number, limits: CloudLimits) {
  let budget = newBudget(launches, 0);
  let [now, left, refused] = [0, count, 0];
  const cloud = { requests: limits.requests, machines: limits.machines, at: 0 };
  const lets = (machines: number) => {
    const seconds = (now - cloud.at) / 1000;
    cloud.at = now;
    cloud.requests = Math.min(limits.requests, cloud.requests + seconds * limits.perSecond);
    cloud.machines = Math.min(limits.machines, cloud.machines + seconds * limits.machinesPerSecond);
    if (cloud.requests < 1) return false;
    cloud.requests--;
    if (cloud.machines < machines) return false;
    cloud.machines -= machines;
    return true;
  };
  for (let turns = 0; left > 0 && turns < 10_000; turns++) {
    const machines = Math.max(1, Math.min(left, 50, affordable(budget, 'recovery', now)));
    const cost = { requests: 1, resources: machines };
    const taken = take(budget, cost, 'recovery', now);
    budget = taken.state;
    if (taken.ok && lets(machines)) {
      budget = admitted(budget);
      left -= machines;
      continue;
    }
    if (taken.ok) {
      budget = throttled(budget, cost, budget.calls, now);
      refused++;
    }
    now += Math.max(1, Math.ceil(retryAfter(budget, { requests: 1, resources: Math.min(left, 50) }, 'recovery', now)));
  }
  return { left, refused, seconds: now / 1000 };
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
});
