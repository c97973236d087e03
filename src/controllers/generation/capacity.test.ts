import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aCapacity, aCondition, aGeneration, aPool, aPoolSpec, EPOCH } from '../../../test/builders/index.ts';
import type { FailureReason, GenerationPool, Refusal } from '../../api/v1alpha1/index.ts';
import { withRefusal } from '../../domain/refusals.ts';
import { promised } from './addresses.ts';
import { movedFrom, nowhereElse, planCapacity, vcpusOf, withdrawn } from './capacity.ts';

const now = EPOCH + 10_000;
const terms = { subnets: ['subnet-a', 'subnet-b'], spec: {}, now };
const refused = (reason: FailureReason, ...subnets: string[]): Refusal[] =>
  subnets.reduce<Refusal[]>(
    (refusals, subnet, n) =>
      withRefusal(refusals, { subnet, reason, message: `no ${reason}` }, { now: EPOCH + n * 1000, scaled: (ms) => ms }),
    [],
  );
const green = (...machines: number[]) =>
  aGeneration({
    spec: { pools: machines.map((count, n) => aPoolSpec({ name: ['web', 'api'][n]!, machines: count })) },
  });
const placed = (placement: GenerationPool['spec']['placement'], changes: Parameters<typeof aPool>[0] = {}) =>
  aPool({
    ...changes,
    spec: { ...changes.spec, machines: placement.reduce((sum, { machines }) => sum + machines, 0), placement },
  });
const inA = (machines: number, instances: number, refusals: Refusal[] = []) =>
  placed([{ subnet: 'subnet-a', machines }], {
    instances: Array.from({ length: instances }, (_, n) => `i-${n}`),
    status: { refusals },
  });

describe('will it fit?', () => {
  it('places a new generation over all pools', () => {
    expect(planCapacity(green(3, 1), [], [], aCapacity({ free: { 'subnet-a': 2, 'subnet-b': 2 } }), terms)).toEqual({
      fits: true,
      placement: [
        { pool: 'api', subnet: 'subnet-b', machines: 1 },
        { pool: 'web', subnet: 'subnet-a', machines: 2 },
        { pool: 'web', subnet: 'subnet-b', machines: 1 },
      ],
    });
  });

  it('counts what was promised to others and is not there yet as taken', () => {
    const other = aPool({ generation: 'blue', spec: { machines: 5 }, instances: ['i-1', 'i-2'] });
    const plan = planCapacity(green(4), [], [other], aCapacity({ free: { 'subnet-a': 6, 'subnet-b': 0 } }), terms);
    expect(plan).toMatchObject({ fits: false, reason: 'InsufficientAddresses' });
    expect(plan).toHaveProperty(
      'message',
      '4 more machines need 4 addresses and 3 are free (subnet-a has 3, subnet-b has 0): 1 short. Add a subnet to the GenerationClass, or delete a generation that never was live',
    );
    expect(planCapacity(green(3), [], [other], aCapacity({ free: { 'subnet-a': 6 } }), terms).fits).toBe(true);
  });

  it('counts their vCPUs as well, and what runs already', () => {
    const other = aPool({ generation: 'blue', spec: { machines: 5 } });
    const capacity = aCapacity({ vcpus: { quota: 40, used: 4 } });
    expect(planCapacity(green(4), [], [other], capacity, terms).fits).toBe(true);
    expect(planCapacity(green(5), [], [other], capacity, terms)).toMatchObject({
      reason: 'InsufficientVCPUs',
      message: expect.stringContaining('5 more machines need 20 vCPUs and 16 are left: 4 short'),
    });
  });

  it('keeps the vCPUs of a stopped standby free: the cloud counts running machines only', () => {
    const standby = (reason: string, changes: Parameters<typeof aPool>[0] = {}) =>
      aPool({
        generation: 'blue',
        instances: ['i-1', 'i-2', 'i-3'],
        ...changes,
        status: { conditions: [aCondition({ reason })] },
      });
    const capacity = aCapacity({ vcpus: { quota: 24, used: 0 } });
    const fits = (...others: GenerationPool[]) => planCapacity(green(4), [], others, capacity, terms).fits;
    expect(fits()).toBe(true);
    expect(fits(standby('AllReady'))).toBe(true);
    expect(fits(standby('StandbyStopped'))).toBe(false);
    expect(fits(standby('StandbyStopping'))).toBe(false);
    expect(fits(standby('StandbyStopped', { deleting: true }))).toBe(true);
  });

  it('takes the lower of the cloud’s quota and the class’s ceiling', () => {
    expect(planCapacity(green(3), [], [], aCapacity(), { ...terms, ceiling: 11 })).toMatchObject({
      reason: 'InsufficientVCPUs',
    });
    expect(planCapacity(green(3), [], [], aCapacity(), { ...terms, ceiling: 12 }).fits).toBe(true);
  });

  it('counts the addresses of each machine, and those that others have not taken yet', () => {
    const blue = aPool({ generation: 'blue', spec: { machines: 2 }, instances: ['i-1', 'i-2'] });
    const held = (n: number) => ({
      'i-1': { type: 'm6i.xlarge', addresses: 3 },
      'i-2': { type: 'm6i.xlarge', addresses: n },
    });
    const plan = (free: number, n: number) =>
      planCapacity(green(3), [], [blue], aCapacity({ free: { 'subnet-a': free }, held: held(n) }), terms);
    expect(plan(9, 3).fits).toBe(true);
    expect(plan(10, 1)).toMatchObject({
      reason: 'InsufficientAddresses',
      message: expect.stringContaining(
        '3 more machines need 9 addresses (3 each: declared 1, observed 3 on i-1) and 8 are free (subnet-a has 8): 1 short',
      ),
    });
    expect(plan(11, 1).fits).toBe(true);
  });

  it('forgets the promises to a pool that is being deleted', () => {
    expect(promised(aPool({ deleting: true }))).toEqual([]);
    expect(promised(aPool({ instances: ['i-1'] }))).toEqual([{ subnet: 'subnet-a', machines: 2 }]);
    expect(promised(aPool({ instances: ['i-1', 'i-2', 'i-3', 'i-4'] }))).toEqual([{ subnet: 'subnet-a', machines: 0 }]);
  });
});

describe('a generation that is placed', () => {
  it('stays where it is, and needs no room for what it was promised', () => {
    const own = [inA(3, 1)];
    const plan = planCapacity(green(3), own, [], aCapacity({ free: { 'subnet-a': 2, 'subnet-b': 0 } }), terms);
    expect(plan).toEqual({ fits: true, placement: [{ pool: 'web', subnet: 'subnet-a', machines: 3 }] });
  });

  it('finds room for what is added beside it', () => {
    const plan = planCapacity(green(5), [inA(3, 3)], [], aCapacity({ free: { 'subnet-a': 1, 'subnet-b': 1 } }), terms);
    expect(plan).toMatchObject({
      placement: [
        { subnet: 'subnet-a', machines: 4 },
        { subnet: 'subnet-b', machines: 1 },
      ],
    });
  });

  it.each(['AddressesExhausted', 'CapacityUnavailable', 'SubnetUnsuitable'] as const)(
    'goes elsewhere with what was refused for %s',
    (reason) => {
      const plan = planCapacity(green(3), [inA(3, 1, refused(reason, 'subnet-a'))], [], aCapacity(), terms);
      expect(plan).toMatchObject({
        placement: [
          { subnet: 'subnet-a', machines: 1 },
          { subnet: 'subnet-b', machines: 2 },
        ],
      });
    },
  );

  it.each(['Throttled', 'QuotaExceeded', 'Unknown', 'RegistrationTimeout'] as const)(
    'stays put after %s: it would be no better elsewhere',
    (reason) => {
      const pool = inA(3, 1, refused(reason, 'subnet-a'));
      expect(movedFrom(pool, terms)).toEqual([]);
      expect(planCapacity(green(3), [pool], [], aCapacity(), terms)).toMatchObject({
        placement: [{ subnet: 'subnet-a', machines: 3 }],
      });
    },
  );

  it('stays where it is once the time is over for which a subnet is left out', () => {
    const pool = inA(3, 1, refused('CapacityUnavailable', 'subnet-a'));
    expect(movedFrom(pool, terms)).toEqual(['subnet-a']);
    expect(movedFrom(pool, { ...terms, now: EPOCH + 15_000 })).toEqual([]);
    expect(movedFrom(inA(3, 3, refused('CapacityUnavailable', 'subnet-a')), terms)).toEqual([]);
  });

  it('goes back to where it was refused when there is nothing else: to where it may soonest be tried again', () => {
    const one = inA(3, 1, refused('CapacityUnavailable', 'subnet-a'));
    const plan = planCapacity(green(3), [one], [], aCapacity({ free: { 'subnet-a': 9 } }), terms);
    expect(plan).toMatchObject({ placement: [{ subnet: 'subnet-a', machines: 3 }] });
    const both = (...order: string[]) =>
      planCapacity(green(3), [inA(3, 0, refused('SubnetUnsuitable', ...order))], [], aCapacity(), terms);
    expect(both('subnet-a', 'subnet-b')).toMatchObject({ placement: [{ subnet: 'subnet-a', machines: 3 }] });
    expect(both('subnet-b', 'subnet-a')).toMatchObject({ placement: [{ subnet: 'subnet-b', machines: 3 }] });
  });

  it('leaves a subnet that has left the class, but for the machines that are there', () => {
    const plan = planCapacity(green(3), [inA(3, 1)], [], aCapacity({ free: { 'subnet-b': 9 } }), {
      ...terms,
      subnets: ['subnet-b'],
    });
    expect(plan).toMatchObject({
      placement: [
        { subnet: 'subnet-a', machines: 1 },
        { subnet: 'subnet-b', machines: 2 },
      ],
    });
    expect(withdrawn(inA(3, 1), ['subnet-b'])).toEqual([{ subnet: 'subnet-a', machines: 1 }]);
    expect(withdrawn(inA(3, 0), ['subnet-b'])).toEqual([]);
    expect(withdrawn(inA(3, 1), terms.subnets)).toEqual([{ subnet: 'subnet-a', machines: 3 }]);
  });

  it('has nowhere else to go only when it is planned where it cannot be', () => {
    const pool = inA(3, 1, refused('SubnetUnsuitable', 'subnet-a'));
    const planned = (subnet: string, machines: number) => nowhereElse(pool, [{ pool: 'web', subnet, machines }], now);
    expect(planned('subnet-a', 3)).toMatchObject([{ subnet: 'subnet-a', message: 'no SubnetUnsuitable' }]);
    expect(planned('subnet-a', 1)).toEqual([]);
    expect(planned('subnet-b', 3)).toEqual([]);
    expect(nowhereElse(inA(3, 1, refused('CapacityUnavailable', 'subnet-a')), [], now)).toEqual([]);
  });

  it('gives up first what does not exist when it shrinks', () => {
    const own = [
      placed(
        [
          { subnet: 'subnet-a', machines: 3 },
          { subnet: 'subnet-b', machines: 3 },
        ],
        { instances: ['i-1', 'i-2', 'i-3'] },
      ),
    ];
    expect(planCapacity(green(4), own, [], aCapacity(), terms)).toMatchObject({
      placement: [
        { subnet: 'subnet-a', machines: 3 },
        { subnet: 'subnet-b', machines: 1 },
      ],
    });
    expect(planCapacity(green(2), own, [], aCapacity(), terms)).toMatchObject({
      placement: [{ subnet: 'subnet-a', machines: 2 }],
    });
  });

  it('always has a place for exactly its machines, and never more than there is room', () => {
    const subnets = ['subnet-a', 'subnet-b'];
    fc.assert(
      fc.property(
        fc.nat({ max: 20 }),
        fc.nat({ max: 10 }),
        fc.nat({ max: 10 }),
        fc.nat({ max: 12 }),
        fc.tuple(fc.nat({ max: 20 }), fc.nat({ max: 20 })),
        fc.boolean(),
        (machines, a, b, there, [freeA, freeB], wasRefused) => {
          const pool = placed(
            [
              { subnet: 'subnet-a', machines: a },
              { subnet: 'subnet-b', machines: b },
            ],
            {
              instances: Array.from({ length: Math.min(there, a) }, (_, n) => `i-${n}`),
              status: { refusals: wasRefused ? refused('CapacityUnavailable', 'subnet-a') : [] },
            },
          );
          const launched = Math.min(there, a);
          // What was granted was free when it was granted.
          const free = { 'subnet-a': freeA + (a - launched), 'subnet-b': freeB + b };
          const plan = planCapacity(green(machines), [pool], [], aCapacity({ free }), terms);
          if (!plan.fits) return expect(machines).toBeGreaterThan(launched + free['subnet-a'] + free['subnet-b']);
          expect(plan.placement.reduce((sum, place) => sum + place.machines, 0)).toBe(machines);
          for (const subnet of subnets) {
            const granted = plan.placement.filter((p) => p.subnet === subnet).reduce((sum, p) => sum + p.machines, 0);
            const here = subnet === 'subnet-a' ? launched : 0;
            expect(granted - here).toBeLessThanOrEqual(free[subnet as 'subnet-a']);
          }
        },
      ),
    );
  });
});

describe('the vCPUs of a generation', () => {
  it('are those of all its machines', () => expect(vcpusOf(green(3, 2), aCapacity())).toBe(20));
});
