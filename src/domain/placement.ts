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
  /** Addresses that one machine takes, and why, where that is not just its own: `3 each: declared 1, observed 3 on i-0abc` */
  addresses: number;
  because?: string | undefined;
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
  const machines = demands.reduce((sum, demand) => sum + demand.machines, 0);
  const needed = demands.reduce((sum, demand) => sum + demand.machines * demand.addresses, 0);
  const free = rooms.reduce((sum, room) => sum + Math.max(0, room.free), 0);
  const placement = needed > free ? undefined : fill(demands, rooms);
  if (!placement) {
    const why = [...new Set(demands.flatMap((demand) => (demand.machines > 0 ? (demand.because ?? []) : [])))];
    const each = why.length > 0 ? ` (${why.join('; ')})` : '';
    const sum = rooms.map((room) => `${room.subnet} has ${Math.max(0, room.free)}`).join(', ');
    const short = needed > free ? `${needed - free} short` : 'no subnet has enough for the last of them';
    return {
      fits: false,
      reason: 'InsufficientAddresses',
      message: `${machines} more machines need ${needed} addresses${each} and ${free} are free (${sum}): ${short}. Add a subnet to the GenerationClass, or delete a generation that never was live`,
    };
  }
  const wanted = demands.reduce((sum, demand) => sum + demand.machines * demand.vcpus, 0);
  if (wanted > Math.max(0, vcpus))
    return {
      fits: false,
      reason: 'InsufficientVCPUs',
      message: `${machines} more machines need ${wanted} vCPUs and ${Math.max(0, vcpus)} are left: ${wanted - Math.max(0, vcpus)} short. Ask the provider for a larger quota, or delete a generation that never was live`,
    };
  return { fits: true, placement };
}

/** The machines that take most addresses first: they fit into the fewest gaps. Undefined when not all of them fit. */
function fill(demands: readonly Demand[], rooms: readonly Room[]): Placement[] | undefined {
  const left = new Map(rooms.map((room) => [room.subnet, room.free]));
  const placed = new Map<string, Placement>();
  for (const { pool, machines, addresses, avoid = [] } of demands.toSorted((a, b) => b.addresses - a.addresses))
    for (let machine = 0; machine < machines; machine++) {
      const subnet = roomiest(left, avoid, addresses) ?? avoid.find((one) => (left.get(one) ?? 0) >= addresses);
      if (subnet === undefined) return undefined;
      left.set(subnet, (left.get(subnet) ?? 0) - addresses);
      const key = `${pool} ${subnet}`;
      const at = placed.get(key) ?? { pool, subnet, machines: 0 };
      placed.set(key, { ...at, machines: at.machines + 1 });
    }
  return [...placed.values()];
}

function roomiest(left: ReadonlyMap<string, number>, avoid: readonly string[], addresses: number): string | undefined {
  let best: string | undefined;
  for (const [subnet, free] of left)
    if (!avoid.includes(subnet) && free >= addresses && free > (best === undefined ? 0 : (left.get(best) ?? 0)))
      best = subnet;
  return best;
}
