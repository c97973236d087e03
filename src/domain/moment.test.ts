import { describe, expect, it } from '@jest/globals';
import { realLimit } from './moment.ts';

const at = (scale: number) => ({ scaled: (ms: number) => ms / scale });

describe('a limit on what takes real time', () => {
  it('is what it says at time scale 1, above and below the least', () => {
    expect(realLimit(at(1), 300_000, 90_000)).toBe(300_000);
    expect(realLimit(at(1), 2_000, 90_000)).toBe(2_000);
  });

  it('is shortened by a drill as far as the least, and not below', () => {
    expect(realLimit(at(2), 300_000, 90_000)).toBe(150_000);
    expect(realLimit(at(12), 300_000, 90_000)).toBe(90_000);
    expect(realLimit(at(1_000), 300_000, 90_000)).toBe(90_000);
  });

  it('stays as short as somebody has declared it', () => expect(realLimit(at(12), 2_000, 90_000)).toBe(2_000));
});
