import { describe, expect, it } from '@jest/globals';
import { manualClock } from '../../runtime/clock.ts';
import { Bucket } from './bucket.ts';

const taken = (bucket: Bucket, tries: number) =>
  Array.from({ length: tries }, () => bucket.take()).filter(Boolean).length;

describe('a token bucket', () => {
  it('starts full and gives its burst at once', () => {
    expect(taken(new Bucket(5, 2, manualClock()), 10)).toBe(5);
  });

  it('refills steadily and never above its burst', async () => {
    const clock = manualClock();
    const bucket = new Bucket(5, 2, clock);
    taken(bucket, 5);
    await clock.advance(1000);
    expect(taken(bucket, 10)).toBe(2);
    await clock.advance(3_600_000);
    expect(taken(bucket, 100)).toBe(5);
  });

  it('gives all tokens asked for or none', async () => {
    const clock = manualClock();
    const bucket = new Bucket(1000, 2, clock);
    expect(bucket.take(1000)).toBe(true);
    await clock.advance(4500);
    expect(bucket.take(10)).toBe(false);
    expect(bucket.take(9)).toBe(true);
  });

  it('is not held back by rounding', async () => {
    const clock = manualClock();
    const bucket = new Bucket(1, 10, clock);
    for (let round = 0; round < 50; round++) {
      expect(bucket.take()).toBe(true);
      await clock.advance(100);
    }
  });

  it('refills faster by the time scale', async () => {
    const clock = manualClock({ scale: 60 });
    const bucket = new Bucket(200, 2, clock);
    bucket.take(200);
    await clock.advance(1000);
    expect(taken(bucket, 200)).toBe(120);
  });
});
