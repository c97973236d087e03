import { describe, expect, it } from '@jest/globals';
import type { BudgetLimits } from '../domain/api-budget.ts';
import { limitsOf, lowest } from './ceilings.ts';

const launches: BudgetLimits = {
  requests: { rate: 2, burst: 5 },
  resources: { rate: 2, burst: 1000 },
  reserve: 0.2,
  pace: 1,
};

describe('ceilings', () => {
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
