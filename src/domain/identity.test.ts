import { describe, expect, it } from '@jest/globals';
import { aGeneration, aPool, aPoolSpec, CLUSTER } from '../../test/builders/index.ts';
import {
  isMachineOf,
  labelsOfMember,
  labelsOfPool,
  poolNameOf,
  poolObjectName,
  tagsOfMachine,
  uidsOf,
  wasLaunchedFor,
} from './identity.ts';

const pool = aPool();
const tags = tagsOfMachine(pool, CLUSTER);

describe('whose a machine is', () => {
  it('is said by its tags, all of them', () => {
    expect(isMachineOf(pool, CLUSTER, tags)).toBe(true);
    for (const key of Object.keys(tags).filter((key) => key !== 'Name')) {
      const { [key]: _, ...without } = tags;
      expect([key, isMachineOf(pool, CLUSTER, without)]).toEqual([key, false]);
      expect([key, isMachineOf(pool, CLUSTER, { ...tags, [key]: 'another' })]).toEqual([key, false]);
    }
  });

  it('is not said by its Name, which people change', () => {
    expect(isMachineOf(pool, CLUSTER, { ...tags, Name: 'do not touch' })).toBe(true);
  });

  it('is not said by another cluster in the same account', () => {
    expect(isMachineOf(pool, 'uid-other', tags)).toBe(false);
  });

  it('is said by a UID that the generation had before a restore as well', () => {
    const before = { ...tags, 'generations.dev/generation-uid': 'before' };
    expect(isMachineOf(pool, CLUSTER, before)).toBe(false);
    expect(isMachineOf(pool, CLUSTER, before, ['before'])).toBe(true);
    expect(isMachineOf(pool, CLUSTER, { ...before, 'generations.dev/pool': 'other' }, ['before'])).toBe(false);
    expect(uidsOf(aGeneration({ status: { formerUIDs: ['before'] } }))).toEqual(['uid-green', 'before']);
  });

  it('is nobody’s once it was let go', () => {
    const released = { ...tags, 'generations.dev/released': '2026-01-01T00:00:00Z' };
    expect(isMachineOf(pool, CLUSTER, released)).toBe(false);
    expect(wasLaunchedFor(pool, CLUSTER, released)).toBe(true);
  });

  it('is said alike by pool, Node and tags', () => {
    const labels = labelsOfPool(aGeneration(), aPoolSpec());
    expect(labelsOfMember(pool)).toEqual(labels);
    expect(tags).toMatchObject(labels);
  });
});

describe('the name of a pool', () => {
  it('can be taken apart again', () => {
    expect(poolObjectName('ga-2023-10-10', 'web')).toBe('ga-2023-10-10.web');
    expect(poolNameOf(aPool({ name: 'ga-2023-10-10.web' }))).toBe('web');
  });
});
