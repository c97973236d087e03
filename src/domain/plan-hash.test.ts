import { describe, expect, it } from '@jest/globals';
import { differences, digest, hashOf } from './plan-hash.ts';

const parts = { generations: ['a'], machines: ['i-1'], switches: [], migrations: [], checks: [], retention: 'Running' };

describe('the hash of a plan', () => {
  it('is the same for the same plan, whatever the order of its keys', () => {
    expect(digest({ a: 1, b: { c: [1, 2], d: undefined } })).toBe(digest({ b: { c: [1, 2] }, a: 1 }));
    expect(hashOf(parts)).toBe(hashOf({ ...parts }));
    expect(hashOf(parts)).toMatch(/^([0-9a-f]{12}-){5}[0-9a-f]{12}$/);
  });

  it('tells which parts have changed', () => {
    const other = hashOf({ ...parts, machines: ['i-2'], retention: 'Stopped' });
    expect(differences(hashOf(parts), other)).toEqual(['machines', 'retention']);
    expect(differences(hashOf(parts), hashOf(parts))).toEqual([]);
  });

  it('does not depend on a part that may be anything', () => {
    const beforehand = { ...parts, machines: undefined };
    expect(hashOf(beforehand)).toBe(hashOf({ ...beforehand }));
    expect(hashOf(beforehand)).toContain('-any-');
  });

  it('tells order and values apart', () => {
    expect(digest([1, 2])).not.toBe(digest([2, 1]));
    expect(digest({ a: null })).not.toBe(digest({}));
  });

  it('takes what is no hash of a plan for one that differs in all', () => {
    expect(differences('whatever', hashOf(parts))).toEqual(['all of it']);
    expect(differences(hashOf(parts), 'whatever')).toEqual(['all of it']);
  });
});
