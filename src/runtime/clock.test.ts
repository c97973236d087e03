import { describe, expect, it } from '@jest/globals';
import { manualClock, systemClock } from './clock.ts';

describe('the system clock', () => {
  it('scales declared durations and rates, but not time itself', () => {
    const clock = systemClock(60);
    expect(clock.scaled(60_000)).toBe(1_000);
    expect(clock.rate(2)).toBe(120);
    expect(Math.abs(clock.now() - Date.now())).toBeLessThan(100);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a scale of %p', (scale) => {
    expect(() => systemClock(scale)).toThrow(`not ${scale}`);
  });

  it('sleeps, and wakes with the reason of an abort', async () => {
    const clock = systemClock();
    await clock.sleep(1);
    const reason = new Error('enough');
    const abort = new AbortController();
    const sleeping = clock.sleep(60_000, abort.signal);
    abort.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    await expect(clock.sleep(60_000, abort.signal)).rejects.toBe(reason);
  });
});

describe('a manual clock', () => {
  it('fires timers in order of time, when time reaches them', async () => {
    const clock = manualClock({ now: 1_000 });
    const fired: [string, number][] = [];
    const note = (name: string) => () => void fired.push([name, clock.now()]);
    clock.setTimer(30, note('c'));
    clock.setTimer(10, () => {
      note('a')();
      clock.setTimer(10, note('b'));
    });
    clock.setTimer(20, note('cancelled')).cancel();
    await clock.advance(29);
    expect(fired).toEqual([
      ['a', 1_010],
      ['b', 1_020],
    ]);
    expect(clock.pending).toBe(1);
    await clock.advance(1);
    expect(fired.at(-1)).toEqual(['c', 1_030]);
  });

  it('draws the same numbers for the same seed, spread over [0, 1)', () => {
    const draw = (seed: number) => {
      const { random } = manualClock({ seed });
      return Array.from({ length: 1_000 }, random);
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    const numbers = draw(7);
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...numbers)).toBeLessThan(1);
    expect(numbers.reduce((sum, each) => sum + each) / 1_000).toBeCloseTo(0.5, 1);
  });
});
