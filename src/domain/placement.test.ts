import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Demand, place, type Room } from './placement.ts';

const demand = (changes: Partial<Demand> = {}): Demand => ({
  pool: 'web',
  machines: 3,
  vcpus: 4,
  addresses: 1,
  ...changes,
});
const rooms = (free: Record<string, number>): Room[] =>
  Object.entries(free).map(([subnet, free]) => ({ subnet, free }));

describe('placing machines', () => {
  it('fills subnets evenly, the first in a tie', () => {
    expect(place([demand({ machines: 5 })], rooms({ a: 10, b: 10 }), 100)).toEqual({
      fits: true,
      placement: [
        { pool: 'web', subnet: 'a', machines: 3 },
        { pool: 'web', subnet: 'b', machines: 2 },
      ],
    });
  });

  it('keeps away from where a pool was just refused, unless there is nothing else', () => {
    const elsewhere = place([demand({ avoid: ['a'] })], rooms({ a: 50, b: 3 }), 100);
    expect(elsewhere).toEqual({ fits: true, placement: [{ pool: 'web', subnet: 'b', machines: 3 }] });
    const back = place([demand({ machines: 4, avoid: ['a'] })], rooms({ a: 50, b: 3 }), 100);
    expect(back).toEqual({
      fits: true,
      placement: [
        { pool: 'web', subnet: 'b', machines: 3 },
        { pool: 'web', subnet: 'a', machines: 1 },
      ],
    });
  });

  it('says which addresses are short, with the sum', () => {
    expect(place([demand({ machines: 180 })], rooms({ a: 71, b: -4 }), 9999)).toEqual({
      fits: false,
      reason: 'InsufficientAddresses',
      message:
        '180 more machines need 180 addresses and 71 are free (a has 71, b has 0): 109 short. Add a subnet to the GenerationClass, or delete a generation that never was live',
    });
  });

  it('counts the addresses of each machine, and says why it takes so many', () => {
    const cni = demand({ machines: 5, addresses: 3, because: '3 each: declared 1, observed 3 on i-1' });
    expect(place([cni], rooms({ a: 12 }), 100)).toMatchObject({
      message:
        '5 more machines need 15 addresses (3 each: declared 1, observed 3 on i-1) and 12 are free (a has 12): 3 short. Add a subnet to the GenerationClass, or delete a generation that never was live',
    });
    expect(place([cni], rooms({ a: 8, b: 7 }), 100)).toMatchObject({
      fits: false,
      message: expect.stringContaining('15 are free (a has 8, b has 7): no subnet has enough for the last of them'),
    });
    expect(place([cni], rooms({ a: 9, b: 6 }), 100)).toMatchObject({
      placement: [
        { subnet: 'a', machines: 3 },
        { subnet: 'b', machines: 2 },
      ],
    });
  });

  it('says how many vCPUs are short, with the sum', () => {
    expect(
      place([demand({ machines: 10 }), demand({ pool: 'console', machines: 5, vcpus: 8 })], rooms({ a: 50 }), 60),
    ).toEqual({
      fits: false,
      reason: 'InsufficientVCPUs',
      message:
        '15 more machines need 80 vCPUs and 60 are left: 20 short. Ask the provider for a larger quota, or delete a generation that never was live',
    });
  });

  it('takes nothing to fit anywhere, even where more is used than the quota has', () => {
    expect(place([], rooms({ a: -3 }), -8)).toEqual({ fits: true, placement: [] });
    expect(place([demand({ machines: 0 })], rooms({ a: 0 }), -8)).toEqual({ fits: true, placement: [] });
  });

  const subnet = fc.constantFrom('a', 'b', 'c', 'd');
  const anyRooms = fc.uniqueArray(fc.record({ subnet, free: fc.integer({ min: -5, max: 30 }) }), {
    selector: (room) => room.subnet,
    minLength: 1,
  });
  const anyDemands = fc.uniqueArray(
    fc.record({
      pool: fc.constantFrom('web', 'console', 'notebook'),
      machines: fc.integer({ min: 0, max: 25 }),
      vcpus: fc.integer({ min: 0, max: 8 }),
      addresses: fc.integer({ min: 1, max: 4 }),
      avoid: fc.uniqueArray(subnet),
    }),
    { selector: ({ pool }) => pool },
  );
  const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);

  it('never puts more into a subnet than is free, and is all or nothing', () => {
    fc.assert(
      fc.property(anyDemands, anyRooms, fc.integer({ min: -10, max: 400 }), (demands, rooms, vcpus) => {
        const plan = place(demands, rooms, vcpus);
        const needed = sum(demands.map(({ machines, addresses }) => machines * addresses));
        const free = sum(rooms.map((room) => Math.max(0, room.free)));
        const wanted = sum(demands.map(({ machines, vcpus }) => machines * vcpus));
        // Where each takes one address, room is all that counts; otherwise there may be gaps that nothing fits into.
        const single = demands.every(({ addresses }) => addresses === 1);
        if (single) expect(plan.fits).toBe(needed <= free && wanted <= Math.max(0, vcpus));
        if (plan.fits) expect([needed <= free, wanted <= Math.max(0, vcpus)]).toEqual([true, true]);
        if (!plan.fits) {
          if (plan.message.includes('no subnet has enough'))
            return expect([single, needed <= free]).toEqual([false, true]);
          const [need, have, short] =
            plan.reason === 'InsufficientAddresses'
              ? /need (\d+) addresses and (\d+) are free .*: (\d+) short/.exec(plan.message)!.slice(1).map(Number)
              : /need (\d+) vCPUs and (\d+) are left: (\d+) short/.exec(plan.message)!.slice(1).map(Number);
          expect(short).toBe(need! - have!);
          expect(short).toBeGreaterThan(0);
          expect(have).toBe(plan.reason === 'InsufficientAddresses' ? free : Math.max(0, vcpus));
          return;
        }
        const taken = (p: { pool: string; machines: number }) =>
          p.machines * (demands.find(({ pool }) => pool === p.pool)?.addresses ?? 0);
        for (const { subnet, free } of rooms)
          expect(sum(plan.placement.filter((p) => p.subnet === subnet).map(taken))).toBeLessThanOrEqual(
            Math.max(0, free),
          );
        for (const { pool, machines } of demands)
          expect(sum(plan.placement.filter((p) => p.pool === pool).map((p) => p.machines))).toBe(machines);
        expect(plan.placement.every(({ machines }) => machines > 0)).toBe(true);
      }),
    );
  });

  it('is the same whenever it is asked', () => {
    fc.assert(
      fc.property(anyDemands, anyRooms, (demands, rooms) => {
        expect(place(demands, rooms, 1000)).toEqual(place(structuredClone(demands), structuredClone(rooms), 1000));
      }),
    );
  });
});
