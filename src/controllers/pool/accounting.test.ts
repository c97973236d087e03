import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aMachine, aPool, at, EPOCH } from '../../../test/builders/index.ts';
import { DENIED_FOR } from '../../domain/absence.ts';
import type { MachineState } from '../../providers/provider.ts';
import { instancesAfter, machinesLeft } from './accounting.ts';
import type { Sight } from './input.ts';
import { NOTHING_LACKS } from './sight.ts';

const moment = (ms = 0) => ({ now: EPOCH + ms, scaled: (declared: number) => declared });
const lacking = (denied: string[], changes: Partial<Sight> = {}): Sight => ({
  ...NOTHING_LACKS,
  denied,
  look: { known: 10, shown: 9, contradicted: [] },
  ...changes,
});
const seenAfter = (
  pool: Parameters<typeof instancesAfter>[0],
  machines: Parameters<typeof instancesAfter>[1],
  sight: Sight = NOTHING_LACKS,
  ms = 0,
) => instancesAfter(pool, machines, sight, moment(ms));
const idsAfter = (...input: Parameters<typeof seenAfter>) => seenAfter(...input).instances.map(({ id }) => id);

describe('the machines that a pool counts (S8)', () => {
  const pool = aPool({ instances: ['i-1', 'i-2'] });

  it('are the same after an answer that shows none of them', () => {
    expect(seenAfter(pool, []).instances).toEqual(pool.status.instances);
  });

  it('are the same after an answer that shows some of them', () => {
    expect(idsAfter(pool, [aMachine({ id: 'i-2' })])).toEqual(['i-1', 'i-2']);
  });

  it('gain one whose launch was never answered: it has the pool’s tags', () => {
    const found = aMachine({ id: 'i-9', state: 'pending', subnet: 'subnet-b', launchTime: EPOCH + 5000 });
    expect(seenAfter(pool, [found]).instances.at(-1)).toEqual({ id: 'i-9', subnet: 'subnet-b', time: at(5) });
  });

  it.each<[MachineState, boolean]>([
    ['pending', true],
    ['running', true],
    ['stopping', true],
    ['stopped', true],
    ['shutting-down', false],
    ['terminated', false],
  ])('with one that is %s: counted %s', (state, counted) => {
    expect(idsAfter(pool, [aMachine({ id: 'i-1', state })]).includes('i-1')).toBe(counted);
    expect(idsAfter(pool, [aMachine({ id: 'i-9', state })]).includes('i-9')).toBe(counted);
  });

  it('are never fewer than those that exist, whatever part of them an answer shows', () => {
    const ids = ['i-1', 'i-2', 'i-3', 'i-4', 'i-5'];
    fc.assert(
      fc.property(fc.subarray(ids), fc.subarray(ids), (known, shown) => {
        const ours = idsAfter(
          aPool({ instances: known }),
          shown.map((id) => aMachine({ id })),
        );
        expect(new Set(ours)).toEqual(new Set([...known, ...shown]));
        expect(ours).toHaveLength(new Set(ours).size);
      }),
    );
  });

  it('do not gain one again that has ended, by an answer from before', () => {
    const { instances, ended } = seenAfter(pool, [aMachine({ id: 'i-1', state: 'terminated' })]);
    expect(ended).toEqual([{ id: 'i-1', time: at(0), known: 'Terminated' }]);
    const later = aPool({ status: { instances, ended } });
    expect(idsAfter(later, [aMachine({ id: 'i-1' }), aMachine({ id: 'i-2' })])).toEqual(['i-2']);
  });
});

describe('a machine that neither question shows (S13)', () => {
  const pool = aPool({ instances: ['i-1', 'i-2'] });
  const denied = (since: number) => {
    const [one, two] = pool.status.instances ?? [];
    return aPool({ status: { instances: [{ ...one!, deniedSince: at(since) }, two!] } });
  };

  it('goes on being counted, with the time at which it began to be denied', () => {
    expect(seenAfter(pool, [aMachine({ id: 'i-2' })], lacking(['i-1']), 3_600_000).instances).toEqual([
      { ...pool.status.instances![0], deniedSince: at(3_600) },
      pool.status.instances![1],
    ]);
  });

  it('is no more when that has lasted, counted from there and not from its launch', () => {
    const sight = lacking(['i-1']);
    expect(idsAfter(denied(3_600), [], sight, 3_600_000 + DENIED_FOR)).toEqual(['i-1', 'i-2']);
    const { instances, ended } = seenAfter(denied(3_600), [], sight, 3_600_001 + DENIED_FOR);
    expect(instances.map(({ id }) => id)).toEqual(['i-2']);
    expect(ended).toMatchObject([{ id: 'i-1', known: 'Forgotten' }]);
  });

  it.each<[string, Partial<Sight>]>([
    ['nearly everything lacks', { look: { known: 10, shown: 0, contradicted: [] } }],
    ['something lacks whose kubelet reports', { look: { known: 10, shown: 8, contradicted: ['i-7'] } }],
  ])('is never given up while %s', (_, sight) => {
    expect(idsAfter(denied(0), [], lacking(['i-1'], sight), 100 * DENIED_FOR)).toEqual(['i-1', 'i-2']);
  });

  it.each<[string, Parameters<typeof seenAfter>[1], Sight]>([
    ['shown by its tags', [aMachine({ id: 'i-1' })], NOTHING_LACKS],
    ['shown by its id alone', [], lacking([], { strays: [aMachine({ id: 'i-1', tags: {} })] })],
    ['seen to run by its Node', [], lacking([], { alive: new Set(['i-1']) })],
  ])('is counted from anew once it was %s', (_, machines, sight) => {
    const [again] = seenAfter(denied(0), machines, sight, 100 * DENIED_FOR).instances;
    expect(again).toEqual(pool.status.instances![0]);
  });

  it('is counted again when the cloud shows it after all', () => {
    const forgotten = aPool({ status: { ended: [{ id: 'i-1', time: at(0), known: 'Forgotten' }] } });
    expect(seenAfter(forgotten, [aMachine({ id: 'i-1' })])).toMatchObject({ instances: [{ id: 'i-1' }], ended: [] });
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
