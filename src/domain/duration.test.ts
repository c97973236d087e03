import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatDuration, parseDuration } from './duration.ts';

describe('a duration', () => {
  it.each([
    ['0s', 0],
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['2d', 172_800_000],
    ['1d1h1m1s', 90_061_000],
  ])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(['', '90', 's', '1.5h', '-1h', '1h 30m', '1w', '1h30', ' 1h'])('refuses %j and says what to write', (text) =>
    expect(() => parseDuration(text)).toThrow(`"${text}" is not a duration: write for example 90s, 1h30m or 2d`),
  );

  it.each([
    [5_400_000, '1h30m'],
    [0, '0s'],
    [-5, '0s'],
    [499, '0s'],
    [500, '1s'],
    [86_400_000, '1d'],
    [59_999, '1m'],
  ])('%d ms reads %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

  it('that is written and read again is the same, to the second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000_000 }), (seconds) => {
        expect(parseDuration(formatDuration(seconds * 1000))).toBe(seconds * 1000);
      }),
    );
  });
});
