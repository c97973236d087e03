import type {
  ClusterGeneration,
  GenerationClass,
  GenerationPool,
  MachineTemplate,
  Placement,
  Refusal,
} from '../../api/v1alpha1/index.ts';
import { conditionOf } from '../../domain/conditions.ts';
import { poolNameOf, poolObjectName } from '../../domain/identity.ts';
import { type Demand, type Plan, place, type Room } from '../../domain/placement.ts';
import { refusalsNow } from '../../domain/refusals.ts';
import { STANDBY } from '../../domain/standby.ts';
import type { Capacity } from '../../providers/provider.ts';
import { addressesToCome, describeNeed, type Grounds, launchedIn, needOf, promised } from './addresses.ts';

/**
 * Will it fit? Proved before the first machine is asked for, over all that is promised and not yet there: what other
 * generations have been granted in the same subnets counts as taken. So do the vCPUs of a stopped standby, of which the
 * cloud's quota knows nothing: a rollback must find room to start it.
 */

type Placed = ReadonlyMap<string, Placement[]>;

/** What a plan is made for, beside pools and capacity. */
export interface Terms {
  /** Ids of the class's subnets: a subnet that has left the class is left by what does not exist yet. */
  subnets: readonly string[];
  /** What the class says that a machine takes. */
  spec: Grounds['spec'];
  /** Most vCPUs, by the class. */
  ceiling?: number | undefined;
  /** Machines that exist already, of pools that do not exist any more. */
  present?: readonly Placement[];
  now: number;
}

export const termsOf = ({ spec }: GenerationClass, now: number): Terms => ({
  subnets: spec.subnets.map(({ id }) => id),
  spec,
  ceiling: spec.quotas?.vcpus,
  now,
});

/**
 * Where the generation's machines go: those placed stay, what is new, or was refused where it was to go, is placed
 * anew. `fits: false` says why not, with the sum.
 *
 * @param others the pools of all other generations of the class
 */
export function planCapacity(
  generation: ClusterGeneration,
  own: readonly GenerationPool[],
  others: readonly GenerationPool[],
  capacity: Capacity,
  { subnets, spec, ceiling, present = [], now }: Terms,
): Plan {
  const grounds: Grounds = { spec, capacity, pools: [...own, ...others] };
  const settled = settledPlacement(generation, own, present, { subnets, now });
  const demands = demandsOf(generation, own, settled, grounds, now);
  const granted = [...others, ...[...settled].flatMap(([pool, places]) => placedAs(generation, own, pool, places))];
  const taken = granted.flatMap((pool) => addressesToCome(pool, grounds));
  const rooms: Room[] = capacity.subnets.map(({ id, free }) => ({
    subnet: id,
    free: free - sumOf(taken.flatMap(({ subnet, addresses }) => (subnet === id ? addresses : []))),
  }));
  const quota = Math.min(capacity.vcpus.quota, ceiling ?? Number.POSITIVE_INFINITY);
  const asleep = [...own, ...others].reduce((sum, pool) => sum + vcpusAsleep(pool, capacity), 0);
  const promisedVCPUs = sumOf(granted.map((pool) => vcpusPromised(pool, capacity)));
  const plan = place(demands, rooms, quota - capacity.vcpus.used - promisedVCPUs - asleep);
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

/** Machines of the pools that keep their place: all that exist, and those not to be moved. */
function settledPlacement(
  generation: ClusterGeneration,
  own: readonly GenerationPool[],
  present: readonly Placement[],
  terms: Pick<Terms, 'subnets' | 'now'>,
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
    const moved = movedFrom(pool, terms);
    const kept = pool.spec.placement.map(({ subnet, machines: granted }) => ({
      pool: name,
      subnet,
      machines: moved.includes(subnet) ? Math.min(granted, launchedIn(pool, subnet)) : granted,
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
  grounds: Grounds,
  now: number,
): Demand[] {
  return generation.spec.pools.map(({ name, machines, template }) => {
    const pool = own.find(({ metadata }) => metadata.name === poolObjectName(generation.metadata.name, name));
    const placed = (settled.get(name) ?? []).reduce((sum, place) => sum + place.machines, 0);
    const need = needOf(template, grounds);
    return {
      pool: name,
      machines: Math.max(0, machines - placed),
      vcpus: vcpusEach(template, grounds.capacity),
      addresses: need.addresses,
      because: describeNeed(need),
      avoid: pool ? refusalsNow(pool, now).map(({ subnet }) => subnet) : [],
    };
  });
}

/** Subnets in which a pool lacks machines that are to come elsewhere: it was refused there, or they are not the class's any more. */
export function movedFrom(pool: GenerationPool, { subnets, now }: Pick<Terms, 'subnets' | 'now'>): string[] {
  const refused = refusalsNow(pool, now).map(({ subnet }) => subnet);
  return lackingIn(pool).filter((subnet) => refused.includes(subnet) || !subnets.includes(subnet));
}

/** Subnets of a pool's placement in which machines are still to come. */
const lackingIn = (pool: GenerationPool): string[] =>
  pool.spec.placement.filter(({ subnet, machines }) => launchedIn(pool, subnet) < machines).map(({ subnet }) => subnet);

/** A pool's placement without what was to come in subnets that have left its class: nothing more is launched there, wherever it fits. */
export const withdrawn = (pool: GenerationPool, subnets: readonly string[]): GenerationPool['spec']['placement'] =>
  pool.spec.placement
    .map((place) =>
      subnets.includes(place.subnet)
        ? place
        : { ...place, machines: Math.min(place.machines, launchedIn(pool, place.subnet)) },
    )
    .filter(({ subnet, machines }) => machines > 0 || subnets.includes(subnet));

/** Refusals of subnets that cannot have a pool's machines, and where some are to come all the same: there is no other place. */
export function nowhereElse(pool: GenerationPool, placement: readonly Placement[], now: number): Refusal[] {
  const planned = placement.filter((place) => place.pool === poolNameOf(pool));
  const lacking = lackingIn({ ...pool, spec: { ...pool.spec, placement: planned } });
  return refusalsNow(pool, now).filter(
    ({ subnet, reason }) => reason === 'SubnetUnsuitable' && lacking.includes(subnet),
  );
}

/** What the machines of a stopped standby will use once they are started. */
function vcpusAsleep(pool: GenerationPool, capacity: Capacity): number {
  const reason = conditionOf(pool, 'Ready')?.reason;
  if (pool.metadata.deletionTimestamp || (reason !== STANDBY.stopped && reason !== STANDBY.stopping)) return 0;
  return (pool.status.instances ?? []).length * vcpusEach(pool.spec.template, capacity);
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);

/** vCPUs of the machines that a pool has been granted and that do not exist yet. */
const vcpusPromised = (pool: GenerationPool, capacity: Capacity): number =>
  sumOf(promised(pool).map(({ machines }) => machines)) * vcpusEach(pool.spec.template, capacity);

/** A pool of this generation as it is with the places that it keeps; none where it is still to be made. */
function placedAs(
  generation: ClusterGeneration,
  own: readonly GenerationPool[],
  pool: string,
  places: readonly Placement[],
): GenerationPool[] {
  const object = own.find(({ metadata }) => metadata.name === poolObjectName(generation.metadata.name, pool));
  return object ? [{ ...object, spec: { ...object.spec, placement: [...places] } }] : [];
}

const vcpusEach = (template: MachineTemplate, capacity: Capacity): number =>
  capacity.types[template.ec2?.instanceType ?? ''] ?? 0;

/** vCPUs of a whole generation. */
export const vcpusOf = (generation: ClusterGeneration, capacity: Capacity): number =>
  generation.spec.pools.reduce((sum, { machines, template }) => sum + machines * vcpusEach(template, capacity), 0);
