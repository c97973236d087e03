import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type DestructiveBudget, takeMachines } from './destructive-budget.ts';

const START = 1_000_000;

describe('the destructive budget', () => {
  it('starts empty: a new platform has to wait for its first machine', () => {
    const { granted, budget, retryAfter } = takeMachines(undefined, 10, 30, START);
    expect([granted, budget, retryAfter]).toEqual([0, { machines: 0, time: START }, 2000]);
  });

  it('fills by the minute and holds one minute at most', () => {
    const empty = { machines: 0, time: START };
    expect(takeMachines(empty, 100, 30, START + 1999).granted).toBe(0);
    expect(takeMachines(empty, 100, 30, START + 2000).granted).toBe(1);
    expect(takeMachines(empty, 100, 30, START + 60_000).granted).toBe(30);
    expect(takeMachines(empty, 100, 30, START + 3_600_000)).toMatchObject({ granted: 30, budget: { machines: 0 } });
  });

  it('grants what is wanted and keeps the rest', () => {
    expect(takeMachines({ machines: 20, time: START }, 4, 30, START)).toEqual({
      granted: 4,
      budget: { machines: 16, time: START },
      retryAfter: 0,
    });
  });

  it('says when a whole machine is there again', () => {
    const { budget, retryAfter } = takeMachines({ machines: 1.5, time: START }, 10, 30, START);
    expect(retryAfter).toBe(1000);
    expect(takeMachines(budget, 1, 30, START + retryAfter - 1).granted).toBe(0);
    expect(takeMachines(budget, 1, 30, START + retryAfter).granted).toBe(1);
  });

  it('gains nothing from a clock that goes backwards', () => {
    expect(takeMachines({ machines: 2, time: START }, 10, 30, START - 600_000)).toMatchObject({
      granted: 2,
      budget: { machines: 0 },
    });
  });

  const takes = fc.array(
    fc.record({
      wanted: fc.integer({ min: 0, max: 60 }),
      step: fc.integer({ min: -30_000, max: 90_000 }),
      restart: fc.boolean(),
    }),
    { maxLength: 40 },
  );

  it('never grants more than its pace, over any sequence of takes, restarts and clocks set back', () => {
    fc.assert(
      fc.property(takes, fc.integer({ min: 1, max: 600 }), (sequence, perMinute) => {
        let budget: DestructiveBudget | undefined;
        let now = START;
        let forward = 0;
        let granted = 0;
        for (const { wanted, step, restart } of sequence) {
          now += step;
          forward += Math.max(0, step);
          const take = takeMachines(budget, wanted, perMinute, now);
          granted += take.granted;
          expect(take.granted).toBeLessThanOrEqual(wanted);
          expect(take.budget.machines).toBeGreaterThanOrEqual(0);
          expect(granted).toBeLessThanOrEqual((perMinute * forward) / 60_000 + perMinute + 1e-6);
          // A restart knows what the status says, whose time is to the millisecond, and no more.
          budget = restart
            ? { machines: take.budget.machines, time: Date.parse(new Date(take.budget.time).toISOString()) }
            : take.budget;
        }
      }),
    );
  });

  it('is not refilled by reading it again, however often', () => {
    let budget: DestructiveBudget = { machines: 3, time: START };
    let granted = 0;
    for (let read = 0; read < 100; read++) {
      const take = takeMachines(budget, 1, 30, START);
      granted += take.granted;
      budget = JSON.parse(JSON.stringify(take.budget)) as DestructiveBudget;
    }
    expect(granted).toBe(3);
  });
});
