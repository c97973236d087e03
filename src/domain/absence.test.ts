import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DENIED_FOR, isFull, type Look, lacksNearlyAll, presenceOf } from './absence.ts';

const EPOCH = 1_800_000_000_000;
const full: Look = { known: 10, shown: 9, contradicted: [] };
const seenAfter = (ms: number, look: Look = full, scale = 1) =>
  presenceOf(EPOCH, look, { now: EPOCH + ms, scaled: (declared) => declared / scale });

describe('an absence (S13)', () => {
  it('is none of what is shown', () => {
    expect(presenceOf(undefined, full, { now: EPOCH, scaled: (ms) => ms })).toBe('present');
  });

  it('is a fact when it was denied long enough, counted from the first look that lacked it', () => {
    expect([seenAfter(0), seenAfter(DENIED_FOR), seenAfter(DENIED_FOR + 1)]).toEqual([
      'doubtful',
      'doubtful',
      'absent',
    ]);
    expect([seenAfter(DENIED_FOR / 10, full, 10), seenAfter(DENIED_FOR / 10 + 1, full, 10)]).toEqual([
      'doubtful',
      'absent',
    ]);
  });

  it.each<[string, Look]>([
    ['shows nothing', { known: 10, shown: 0, contradicted: [] }],
    ['shows nothing of the one thing that there is', { known: 1, shown: 0, contradicted: [] }],
    ['lacks nearly everything', { known: 21, shown: 2, contradicted: [] }],
    ['lacks something that is seen to be there', { known: 10, shown: 9, contradicted: ['i-1'] }],
  ])('is never one by a look that %s, however long', (_, look) => {
    expect(seenAfter(1000 * DENIED_FOR, look)).toBe('doubtful');
    expect(isFull(look)).toBe(false);
  });

  it('is never one while less than a tenth is shown, whatever the numbers', () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.nat(5000), (known, shown) => {
        const look = { known, shown: Math.min(known, shown), contradicted: [] };
        if (isFull(look)) expect(look.shown * 10).toBeGreaterThanOrEqual(known);
        if (lacksNearlyAll(look)) expect(isFull(look)).toBe(false);
      }),
    );
  });

  it('of nothing is no absence: where nothing was counted, nothing lacks', () => {
    expect(lacksNearlyAll({ known: 0, shown: 0 })).toBe(false);
    expect(lacksNearlyAll({ known: 1, shown: 0 })).toBe(true);
  });
});
