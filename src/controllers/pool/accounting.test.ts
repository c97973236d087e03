import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aMachine, aPool, at, EPOCH } from '../../../test/builders/index.ts';
import type { MachineState } from '../../providers/provider.ts';
import { instancesAfter, machinesLeft, missingFrom } from './accounting.ts';

const idsAfter = (...input: Parameters<typeof instancesAfter>) => instancesAfter(...input).map(({ id }) => id);

describe('the machines that a pool counts (S8)', () => {
  const pool = aPool({ instances: ['i-1', 'i-2'] });

  it('are the same after an answer that shows none of them', () => {
    expect(instancesAfter(pool, [], [])).toEqual(pool.status.instances);
  });

  it('are the same after an answer that shows some of them', () => {
    expect(idsAfter(pool, [aMachine({ id: 'i-2' })], [])).toEqual(['i-1', 'i-2']);
  });

  it('gain one whose launch was never answered: it has the pool’s tags', () => {
    const found = aMachine({ id: 'i-9', state: 'pending', subnet: 'subnet-b', launchTime: EPOCH + 5000 });
    expect(instancesAfter(pool, [found], []).at(-1)).toEqual({ id: 'i-9', subnet: 'subnet-b', time: at(5) });
  });

  it.each<[MachineState, boolean]>([
    ['pending', true],
    ['running', true],
    ['stopping', true],
    ['stopped', true],
    ['shutting-down', false],
    ['terminated', false],
  ])('with one that is %s: counted %s', (state, counted) => {
    expect(idsAfter(pool, [aMachine({ id: 'i-1', state })], []).includes('i-1')).toBe(counted);
    expect(idsAfter(pool, [aMachine({ id: 'i-9', state })], []).includes('i-9')).toBe(counted);
  });

  it('lose one that the cloud has denied twice, and not one that it shows after all', () => {
    expect(idsAfter(pool, [], ['i-1'])).toEqual(['i-2']);
    expect(idsAfter(pool, [aMachine({ id: 'i-1' })], ['i-1'])).toEqual(['i-1', 'i-2']);
  });

  it('are never fewer than those that exist, whatever part of them an answer shows', () => {
    const ids = ['i-1', 'i-2', 'i-3', 'i-4', 'i-5'];
    fc.assert(
      fc.property(fc.subarray(ids), fc.subarray(ids), (known, shown) => {
        const after = idsAfter(
          aPool({ instances: known }),
          shown.map((id) => aMachine({ id })),
          [],
        );
        expect(new Set(after)).toEqual(new Set([...known, ...shown]));
        expect(after).toHaveLength(new Set(after).size);
      }),
    );
  });
});

describe('a machine is missing', () => {
  const pool = aPool({ instances: ['i-1'] });
  it('when it was launched a window ago and the cloud does not show it', () => {
    expect(missingFrom(pool, [], EPOCH + 60_000, 60_000)).toEqual([]);
    expect(missingFrom(pool, [], EPOCH + 60_001, 60_000)).toEqual(['i-1']);
    expect(missingFrom(pool, [aMachine({ state: 'terminated' })], EPOCH + 60_001, 60_000)).toEqual([]);
  });
});

describe('machines left', () => {
  it('are those that the cloud does not show as terminated', () => {
    const machines = (['running', 'shutting-down', 'terminated'] as const).map((state) =>
      aMachine({ id: state, state }),
    );
    expect(machinesLeft(machines).map(({ id }) => id)).toEqual(['running', 'shutting-down']);
  });
});
