import { describe, expect, it } from '@jest/globals';
import { ALWAYS } from '../../../test/builders/pods.ts';
import { steadyPace } from './pace.ts';

const role = { ...ALWAYS, ramp: { startsPerSecond: 10, maxStarting: 50 } };

describe('the steady pace', () => {
  it('lets a second’s worth start at once, and then as many a second as the ramp says', () => {
    const pace = steadyPace((rate) => rate);
    expect(pace.allow(role, 0)).toMatchObject({ starts: 10, stops: 10, starting: 50 });
    pace.took(role, { starts: 10, stops: 0 }, 0);
    expect(pace.allow(role, 0)).toMatchObject({ starts: 0, stops: 10, wait: 100 });
    expect(pace.allow(role, 250).starts).toBe(2);
    expect(pace.allow(role, 60_000).starts).toBe(10);
  });

  it('never allows more over time than the rate and one second’s worth', () => {
    const pace = steadyPace((rate) => rate);
    let started = 0;
    for (let now = 0; now <= 10_000; now += 37) {
      const { starts } = pace.allow(role, now);
      pace.took(role, { starts, stops: 0 }, now);
      started += starts;
    }
    expect(started).toBeGreaterThanOrEqual(100);
    expect(started).toBeLessThanOrEqual(110);
  });

  it('is declared time, has a usual ramp, and keeps roles apart', () => {
    const pace = steadyPace((rate) => rate * 60);
    expect(pace.allow(ALWAYS, 0)).toMatchObject({ starts: 1200, starting: 200 });
    pace.took(ALWAYS, { starts: 1200, stops: 0 }, 0);
    expect(pace.allow({ ...ALWAYS, name: 'other' }, 0).starts).toBe(1200);
    expect(pace.allow(ALWAYS, 0)).toMatchObject({ starts: 0, wait: 50 });
  });

  it('takes a ramp that has changed from then on', () => {
    const pace = steadyPace((rate) => rate);
    pace.took(role, { starts: 10, stops: 0 }, 0);
    expect(pace.allow({ ...role, ramp: { startsPerSecond: 2, maxStarting: 1 } }, 500)).toMatchObject({
      starts: 1,
      starting: 1,
    });
  });
});
