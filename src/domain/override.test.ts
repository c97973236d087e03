import { describe, expect, it } from '@jest/globals';
import { aGeneration, aPlatform, at, EPOCH } from '../../test/builders/index.ts';
import { isCurrent, overrideOf } from './override.ts';
import { holdOf } from './protection.ts';

const moment = { now: EPOCH, scaled: (ms: number) => ms };
const until = at(600);
const platform = (changes: object = {}) =>
  aPlatform({ live: 'green', status: { override: { generation: 'green', uid: 'uid-green', until, ...changes } } });
const generation = (changes: object = {}) => aGeneration({ live: true, status: { override: { until, ...changes } } });

describe('an override', () => {
  it('is in force when both objects say so, and lifts the hold', () => {
    expect(overrideOf(generation(), platform(), moment)).toEqual({ until, release: false });
    expect(holdOf(generation(), platform(), moment)).toBeUndefined();
    const release = { release: true };
    expect(overrideOf(generation(release), platform(release), moment)).toEqual({ until, release: true });
  });

  it.each([
    ['the Platform does not say so', generation(), aPlatform({ live: 'green' })],
    ['the Platform does not exist', generation(), undefined],
    ['the generation does not say so', aGeneration({ live: true }), platform()],
    ['it is of another UID', generation(), platform({ uid: 'another' })],
    ['they do not say the same time', generation({ until: at(300) }), platform()],
    ['they do not say the same of the machines', generation({ release: true }), platform()],
    ['it is over', generation({ until: at(0) }), platform({ until: at(0) })],
    ['a clock was two hours ahead', generation({ until: at(7800) }), platform({ until: at(7800) })],
  ])('is not when %s', (_, green, us) => {
    expect(overrideOf(green, us, moment)).toBeUndefined();
    expect(holdOf(green, us, moment)).toContain('live');
  });

  it('lasts ten declared minutes, and clocks may differ by one', () => {
    expect(isCurrent(at(0), moment)).toBe(false);
    expect(isCurrent(at(660), moment)).toBe(true);
    expect(isCurrent(at(661), moment)).toBe(false);
    const drill = { now: EPOCH, scaled: (ms: number) => ms / 60 };
    expect(isCurrent(at(11), drill)).toBe(true);
    expect(isCurrent(at(12), drill)).toBe(false);
  });
});
