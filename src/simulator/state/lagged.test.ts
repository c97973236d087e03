import { describe, expect, it } from '@jest/globals';
import { Lagged } from './lagged.ts';

describe('a value that is seen late', () => {
  it('is what it was at the moment asked for', () => {
    const state = new Lagged('pending', 100);
    state.set('running', 200);
    state.set('stopping', 300);
    expect(state.current).toBe('stopping');
    expect([50, 100, 199, 200, 299, 300, 999].map((at) => state.seen(at))).toEqual([
      'pending',
      'pending',
      'pending',
      'running',
      'running',
      'stopping',
      'stopping',
    ]);
  });

  it('remembers its latest changes however many there were', () => {
    const tags = new Lagged(0, 0);
    for (let change = 1; change <= 1000; change++) tags.set(change, change);
    expect(tags.seen(990)).toBe(990);
    expect(tags.current).toBe(1000);
  });
});
