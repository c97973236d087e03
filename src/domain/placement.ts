import type { Placement } from '../api/v1alpha1/index.ts';

/** A subnet with the addresses that may still be promised. */
export interface Room {
  subnet: string;
  free: number;
}

/** Machines of a pool that have no place yet, and the subnets that they must not go to. */
export interface Demand {
  pool: string;
  machines: number;
  /** vCPUs of one machine */
  vcpus: number;
  /** Subnets where this pool was refused, in the order in which they are used again when there is nothing else. */
  avoid?: readonly string[];
}

export type Plan = { fits: true; placement: Placement[] } | { fits: false; reason: Shortage; message: string };

export type Shortage = 'InsufficientAddresses' | 'InsufficientVCPUs';

/**
 * Places machines one by one where most addresses are free, so that subnets fill evenly; or says, with the sum, why
 * they do not all fit. All or nothing: nobody starts half a generation knowingly.
 *
 * @param demands what to place, in the order of the pools
 * @param rooms addresses free per subnet, promises to others taken off; first come first in a tie
 * @param vcpus vCPUs still to be had
 */
export function place(demands: readonly Demand[], rooms: readonly Room[], vcpus: number): Plan {
  const needed = demands.reduce((sum, demand) => sum + demand.machines, 0);
  const free = rooms.reduce((sum, room) => sum + Math.max(0, room.free), 0);
  if (needed > free) {
    const sum = rooms.map((room) => `${room.subnet} has ${Math.max(0, room.free)}`).join(', ');
    return {
      fits: false,
      reason: 'InsufficientAddresses',
      message: `${needed} more machines need ${needed} addresses and ${free} are free (${sum}): ${needed - free} short. Add a subnet to the GenerationClass, or delete a generation that never was live`,
    };
  }
  const wanted = demands.reduce((sum, demand) => sum + demand.machines * demand.vcpus, 0);
  if (wanted > Math.max(0, vcpus))
    return {
      fits: false,
      reason: 'InsufficientVCPUs',
      message: `${needed} more machines need ${wanted} vCPUs and ${Math.max(0, vcpus)} are left: ${wanted - Math.max(0, vcpus)} short. Ask the provider for a larger quota, or delete a generation that never was live`,
    };
  return { fits: true, placement: fill(demands, rooms) };
}

function fill(demands: readonly Demand[], rooms: readonly Room[]): Placement[] {
  const left = new Map(rooms.map((room) => [room.subnet, room.free]));
  const placed = new Map<string, Placement>();
  for (const demand of demands)
    for (let machine = 0; machine < demand.machines; machine++) {
      const avoid = demand.avoid ?? [];
      const subnet = roomiest(left, avoid) ?? avoid.find((one) => (left.get(one) ?? 0) > 0);
      if (subnet === undefined) throw new Error('place() was to check that there is room');
      left.set(subnet, (left.get(subnet) ?? 0) - 1);
      const key = `${demand.pool} ${subnet}`;
      const at = placed.get(key) ?? { pool: demand.pool, subnet, machines: 0 };
      placed.set(key, { ...at, machines: at.machines + 1 });
    }
  return [...placed.values()];
}

function roomiest(left: ReadonlyMap<string, number>, avoid: readonly string[]): string | undefined {
  let best: string | undefined;
  for (const [subnet, free] of left)
    if (!avoid.includes(subnet) && free > (best === undefined ? 0 : (left.get(best) ?? 0))) best = subnet;
  return best;
}
