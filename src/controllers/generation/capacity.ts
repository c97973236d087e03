import {
  type ClusterGeneration,
  type GenerationPool,
  type MachineTemplate,
  PLACED_AFTER,
  type Placement,
} from '../../api/v1alpha1/index.ts';
import { conditionOf } from '../../domain/conditions.ts';
import { poolObjectName } from '../../domain/identity.ts';
import { type Demand, type Plan, place, type Room } from '../../domain/placement.ts';
import { STANDBY } from '../../domain/standby.ts';
import type { Capacity } from '../../providers/provider.ts';

/**
 * Will it fit? Proved before the first machine is asked for, over all that is promised and not yet there: what other
 * generations have been granted in the same subnets counts as taken. So do the vCPUs of a stopped standby, of which the
 * cloud's quota knows nothing: a rollback must find room to start it.
 */

type Placed = ReadonlyMap<string, Placement[]>;

/** Machines that a pool has been granted in a subnet and that do not exist yet. */
export function promised(pool: GenerationPool): { subnet: string; machines: number }[] {
  if (pool.metadata.deletionTimestamp) return [];
  return pool.spec.placement.map(({ subnet, machines }) => ({
    subnet,
    machines: Math.max(0, machines - launchedIn(pool, subnet)),
  }));
}

export const launchedIn = (pool: GenerationPool, subnet: string): number =>
  (pool.status.instances ?? []).filter((instance) => instance.subnet === subnet).length;

/** Why machines that were granted a subnet do not come there: worth trying elsewhere. */
const ELSEWHERE = ['AddressesExhausted', 'CapacityUnavailable'];

/**
 * Where the generation's machines go: those placed stay, what is new, or was refused where it was to go, is placed
 * anew. `fits: false` says why not, with the sum.
 *
 * @param others the pools of all other generations of the class
 * @param present machines that exist already, of pools that do not exist any more
 */
export function planCapacity(
  generation: ClusterGeneration,
  own: readonly GenerationPool[],
  others: readonly GenerationPool[],
  capacity: Capacity,
  ceiling: number | undefined,
  present: readonly Placement[] = [],
): Plan {
  const settled = settledPlacement(generation, own, present);
  const demands = demandsOf(generation, own, settled, capacity);
  const pending = [...settled].flatMap(([pool, places]) => pendingOf(generation, own, pool, places, capacity));
  const taken = [...others.flatMap((pool) => pendingIn(pool, capacity)), ...pending];
  const rooms: Room[] = capacity.subnets.map(({ id, free }) => ({
    subnet: id,
    free:
      free -
      total(
        taken.filter(({ subnet }) => subnet === id),
        'machines',
      ),
  }));
  const quota = Math.min(capacity.vcpus.quota, ceiling ?? Number.POSITIVE_INFINITY);
  const asleep = [...own, ...others].reduce((sum, pool) => sum + vcpusAsleep(pool, capacity), 0);
  const plan = place(demands, rooms, quota - capacity.vcpus.used - total(taken, 'vcpus') - asleep);
  return plan.fits ? { fits: true, placement: merged([...[...settled.values()].flat(), ...plan.placement]) } : plan;
}

/** One entry for each pool and subnet, in an order that depends on nothing else. */
function merged(places: readonly Placement[]): Placement[] {
  const sums = new Map<string, Placement>();
  for (const { pool, subnet, machines } of places) {
    const key = `${pool} ${subnet}`;
    sums.set(key, { pool, subnet, machines: machines + (sums.get(key)?.machines ?? 0) });
  }
  return [...sums.entries()].toSorted(([a], [b]) => a.localeCompare(b)).map(([, place]) => place);
}

/** Machines of the pools that keep their place: all that exist, and those not refused where they were to go. */
function settledPlacement(
  generation: ClusterGeneration,
  own: readonly GenerationPool[],
  present: readonly Placement[],
): Placed {
  const settled = new Map<string, Placement[]>();
  for (const { name, machines } of generation.spec.pools) {
    const pool = own.find(({ metadata }) => metadata.name === poolObjectName(generation.metadata.name, name));
    if (!pool) {
      settled.set(
        name,
        upTo(
          machines,
          present.filter((place) => place.pool === name),
        ),
      );
      continue;
    }
    const refused = refusedSubnets(pool);
    const kept = pool.spec.placement.map(({ subnet, machines: granted }) => ({
      pool: name,
      subnet,
      machines: refused.includes(subnet) ? Math.min(granted, launchedIn(pool, subnet)) : granted,
    }));
    settled.set(name, shrink(kept, pool, machines));
  }
  return settled;
}

/** The first `machines` of these. */
function upTo(machines: number, places: readonly Placement[]): Placement[] {
  let left = machines;
  return places.flatMap((place) => {
    const taken = Math.min(left, place.machines);
    left -= taken;
    return taken > 0 ? [{ ...place, machines: taken }] : [];
  });
}

/** A pool made smaller gives up first what does not exist yet. */
function shrink(places: Placement[], pool: GenerationPool, machines: number): Placement[] {
  let excess = places.reduce((sum, place) => sum + place.machines, 0) - machines;
  const result = places.map((place) => ({ ...place }));
  for (const keepExisting of [true, false])
    for (const place of result) {
      const floor = keepExisting ? Math.min(place.machines, launchedIn(pool, place.subnet)) : 0;
      const given = Math.max(0, Math.min(excess, place.machines - floor));
      place.machines -= given;
      excess -= given;
    }
  return result.filter((place) => place.machines > 0);
}

function demandsOf(
  generation: ClusterGeneration,
  own: readonly GenerationPool[],
  settled: Placed,
  capacity: Capacity,
): Demand[] {
  return generation.spec.pools.map(({ name, machines, template }) => {
    const pool = own.find(({ metadata }) => metadata.name === poolObjectName(generation.metadata.name, name));
    const placed = (settled.get(name) ?? []).reduce((sum, place) => sum + place.machines, 0);
    return {
      pool: name,
      machines: Math.max(0, machines - placed),
      vcpus: vcpusEach(template, capacity),
      avoid: pool ? refusedSubnets(pool) : [],
    };
  });
}

/**
 * The pool, to be written with a new placement. A failure does not say where it happened, so it speaks against the
 * present placement only if there was a launch since; otherwise two subnets would be tried in turn without end.
 */
export const placedAnew = (pool: GenerationPool): GenerationPool => {
  const annotations = { ...pool.metadata.annotations, [PLACED_AFTER]: String(pool.status.launchCount ?? 0) };
  return { ...pool, metadata: { ...pool.metadata, annotations } };
};

/** Subnets in which a pool was refused since it was placed, and still lacks machines. */
export function refusedSubnets(pool: GenerationPool): string[] {
  const refused = (pool.status.failures ?? []).some(({ reason }) => ELSEWHERE.includes(reason));
  const launchesSince = (pool.status.launchCount ?? 0) - Number(pool.metadata.annotations?.[PLACED_AFTER] ?? 0);
  if (!refused || launchesSince <= 0) return [];
  return pool.spec.placement
    .filter(({ subnet, machines }) => launchedIn(pool, subnet) < machines)
    .map(({ subnet }) => subnet);
}

/** Machines that will come to a subnet, and the vCPUs that they will use. */
interface Pending {
  subnet: string;
  machines: number;
  vcpus: number;
}

/** What the machines of a stopped standby will use once they are started. */
function vcpusAsleep(pool: GenerationPool, capacity: Capacity): number {
  const reason = conditionOf(pool, 'Ready')?.reason;
  if (pool.metadata.deletionTimestamp || (reason !== STANDBY.stopped && reason !== STANDBY.stopping)) return 0;
  return (pool.status.instances ?? []).length * vcpusEach(pool.spec.template, capacity);
}

const total = (list: readonly Pending[], what: 'machines' | 'vcpus'): number =>
  list.reduce((sum, pending) => sum + pending[what], 0);

function pendingIn(pool: GenerationPool, capacity: Capacity): Pending[] {
  const each = vcpusEach(pool.spec.template, capacity);
  return promised(pool).map(({ subnet, machines }) => ({ subnet, machines, vcpus: machines * each }));
}

/** The same for places that are about to be granted to a pool of this generation. */
function pendingOf(
  generation: ClusterGeneration,
  own: readonly GenerationPool[],
  pool: string,
  places: readonly Placement[],
  capacity: Capacity,
): Pending[] {
  const object = own.find(({ metadata }) => metadata.name === poolObjectName(generation.metadata.name, pool));
  return object ? pendingIn({ ...object, spec: { ...object.spec, placement: [...places] } }, capacity) : [];
}

const vcpusEach = (template: MachineTemplate, capacity: Capacity): number =>
  capacity.types[template.ec2?.instanceType ?? ''] ?? 0;

/** vCPUs of a whole generation. */
export const vcpusOf = (generation: ClusterGeneration, capacity: Capacity): number =>
  generation.spec.pools.reduce((sum, { machines, template }) => sum + machines * vcpusEach(template, capacity), 0);
