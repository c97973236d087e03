import { isDeepStrictEqual } from 'node:util';
import type { ClusterGeneration, GenerationPool, Placement } from '../../api/v1alpha1/index.ts';
import { isTrue, kstatus, timestamp, type Verdict, withConditions } from '../../domain/conditions.ts';
import { poolObjectName } from '../../domain/identity.ts';
import type { Plan } from '../../domain/placement.ts';
import { holdOf } from '../../domain/protection.ts';
import { stageOf } from '../../domain/stage.ts';
import { type Capacity, ProviderError } from '../../providers/provider.ts';
import { type AcceptInput, type Objection, objectionTo } from './accept.ts';
import { placedAnew, planCapacity, vcpusOf } from './capacity.ts';
import { objectOf, type PoolObject } from './pools.ts';

/**
 * controllers/generation makes the pools of a ClusterGeneration once it is proved that all of it fits, keeps them
 * equal to its spec, and removes them when it is deleted or retired. In goes the generation with its platform, class,
 * pools and the cloud's capacity; out comes a status and what to do to its pools.
 */

/** How often capacity is proved again while something is missing, and how often a refused spec is looked at. Declared ms. */
const BUSY = 15_000;
const QUIET = 5 * 60_000;

export interface GenerationInput extends AcceptInput {
  /** Pools of this generation, by owner. */
  own: GenerationPool[];
  /** Pools of other generations of the same class. */
  others: GenerationPool[];
  /** Undefined when it was not asked for: nothing is left to place. */
  capacity: Capacity | ProviderError | undefined;
  now: number;
  scaled(ms: number): number;
}

export type PoolChange =
  | { do: 'create'; pool: PoolObject }
  | { do: 'update'; pool: GenerationPool; spec: GenerationPool['spec'] }
  | { do: 'delete'; pool: GenerationPool };

export interface GenerationDecision {
  status: ClusterGeneration['status'];
  finalizer: 'add' | 'remove' | 'keep';
  pools: PoolChange[];
  /** real ms */
  requeueAfter: number;
}

/** What to do about a generation. Pure. */
export function decide(input: GenerationInput): GenerationDecision {
  const { generation, own, scaled } = input;
  if (generation.metadata.deletionTimestamp) return leave(input, 'Deleting', 'it is being deleted');
  if (generation.status.retiredTime)
    return leave(input, 'Retired', `it is retired since ${generation.status.retiredTime}`);

  const objection = objectionTo(input);
  if (objection)
    return {
      status: report(input, { accepted: objection }),
      finalizer: 'keep',
      pools: [],
      requeueAfter: scaled(BUSY),
    };
  const plan = planOf(input);
  const pools = plan?.fits ? changes(input, plan.placement) : [];
  const busy = !plan?.fits || pools.length > 0 || !own.every((pool) => isTrue(pool, 'Ready'));
  return {
    status: report(input, { plan }),
    finalizer: 'add',
    pools,
    requeueAfter: scaled(busy ? BUSY : QUIET),
  };
}

/** All pools go, by way of the interlock; then the generation may. One that is retired stays as the record. */
function leave(input: GenerationInput, reason: 'Deleting' | 'Retired', because: string): GenerationDecision {
  const { generation, own, scaled, now } = input;
  const left = own.reduce((sum, pool) => sum + (pool.status.machines?.launched ?? pool.spec.machines), 0);
  const hold = holdOf(generation, input.platform);
  const message = hold
    ? `${because}, and kept: ${hold}`
    : left > 0 || own.length > 0
      ? `${because}; ${left} machines in ${own.length} pools are still to be removed`
      : `${because}; none of its machines is left`;
  const over = own.length === 0;
  const verdicts: Verdict[] = [
    // A retired generation has reached its end, whatever is still being cleared away.
    { type: 'Ready', status: reason === 'Retired', reason, message },
    ...kstatus(reason === 'Retired' ? 'Current' : 'Reconciling', reason, message),
    ...standing(input),
  ];
  const conditions = withConditions(generation.status.conditions, verdicts, {
    generation: generation.metadata.generation,
    now,
  });
  return {
    status: {
      ...generation.status,
      observedGeneration: generation.metadata.generation,
      stage: stageOf(generation, input.platform, { planned: own.length > 0, ...machinesOf(input) }),
      machines: { ...machinesOf(input), desired: 0 },
      conditions,
    },
    finalizer: over ? 'remove' : 'keep',
    pools: own.filter((pool) => !pool.metadata.deletionTimestamp).map((pool) => ({ do: 'delete', pool })),
    requeueAfter: over ? scaled(QUIET) : scaled(BUSY),
  };
}

/** What a cloud has that was not asked, because nothing is to be placed. */
const NOTHING: Capacity = { subnets: [], types: {}, vcpus: { quota: 0, used: 0 } };

/** The plan for what is not placed yet; undefined while the cloud could not be asked. */
function planOf({ generation, own, others, capacity = NOTHING, generationClass }: GenerationInput): Plan | undefined {
  if (capacity instanceof ProviderError) return undefined;
  return planCapacity(generation, own, others, capacity, generationClass?.spec.quotas?.vcpus);
}

/** What makes the pools equal to the spec and the plan. */
function changes({ generation, className, own }: GenerationInput, placement: readonly Placement[]): PoolChange[] {
  const wanted = generation.spec.pools.map((pool) => objectOf(generation, className ?? '', pool, placement));
  const byName = new Map(own.map((pool) => [pool.metadata.name, pool]));
  const result: PoolChange[] = [];
  for (const pool of wanted) {
    const present = byName.get(pool.metadata.name);
    if (!present) result.push({ do: 'create', pool });
    else if (!present.metadata.deletionTimestamp && differs(present, pool.spec))
      result.push({
        do: 'update',
        pool: placedAnew(present),
        spec: { ...present.spec, machines: pool.spec.machines, placement: pool.spec.placement },
      });
  }
  const names = new Set(wanted.map(({ metadata }) => metadata.name));
  for (const pool of own)
    if (!names.has(pool.metadata.name) && !pool.metadata.deletionTimestamp) result.push({ do: 'delete', pool });
  return result;
}

const differs = (pool: GenerationPool, spec: GenerationPool['spec']): boolean =>
  pool.spec.machines !== spec.machines || !isDeepStrictEqual(pool.spec.placement, spec.placement);

function machinesOf({ generation, own }: GenerationInput) {
  const sum = (of: (pool: GenerationPool) => number | undefined) =>
    own.reduce((total, pool) => total + (of(pool) ?? 0), 0);
  return {
    desired: generation.spec.pools.reduce((total, { machines }) => total + machines, 0),
    launched: sum((pool) => pool.status.machines?.launched),
    registered: sum((pool) => pool.status.machines?.registered),
    ready: sum((pool) => pool.status.machines?.ready),
    failed: sum((pool) => pool.status.failures?.find(({ reason }) => reason === 'RegistrationTimeout')?.count),
  };
}

/** Status of a generation that is to exist. */
function report(
  input: GenerationInput,
  { accepted, plan }: { accepted?: Objection; plan?: Plan | undefined },
): ClusterGeneration['status'] {
  const { generation, capacity, own, now } = input;
  const machines = machinesOf(input);
  const about = { generation: generation.metadata.generation, now };
  const verdicts = [...progress(input, machines, accepted, plan), ...standing(input)];
  const proved = plan?.fits && capacity !== undefined && !(capacity instanceof ProviderError);
  const placement = proved ? plan.placement : undefined;
  const unchanged = isDeepStrictEqual(placement, generation.status.capacity?.placement);
  return {
    ...generation.status,
    observedGeneration: generation.metadata.generation,
    stage: stageOf(generation, input.platform, { planned: own.length > 0, ...machines }),
    machines,
    ...(proved &&
      placement &&
      !unchanged && {
        capacity: {
          machines: machines.desired,
          vcpus: vcpusOf(generation, capacity),
          placement,
          provedTime: timestamp(now),
        },
      }),
    conditions: withConditions(generation.status.conditions, verdicts, about),
  };
}

function progress(
  input: GenerationInput,
  machines: ReturnType<typeof machinesOf>,
  accepted: Objection | undefined,
  plan: Plan | undefined,
): Verdict[] {
  const { capacity, own } = input;
  if (accepted)
    return [
      { type: 'Accepted', status: false, ...accepted },
      { type: 'Ready', status: false, ...accepted },
      ...kstatus('Stalled', accepted.reason, accepted.message),
    ];
  const verdicts: Verdict[] = [{ type: 'Accepted', status: true, reason: 'Accepted', message: '' }];
  if (capacity instanceof ProviderError) {
    const { reason, message } = capacity;
    verdicts.push({ type: 'CapacityProved', status: 'Unknown', reason, message });
    return [...verdicts, { type: 'Ready', status: false, reason, message }, ...kstatus('Reconciling', reason, message)];
  }
  if (plan && !plan.fits) {
    const { reason, message } = plan;
    verdicts.push({ type: 'CapacityProved', status: false, reason, message });
    return [...verdicts, { type: 'Ready', status: false, reason, message }, ...kstatus('Stalled', reason, message)];
  }
  verdicts.push({
    type: 'CapacityProved',
    status: true,
    reason: 'Fits',
    message: `${machines.desired} machines have a place`,
  });
  const done = machines.ready >= machines.desired && own.every((pool) => isTrue(pool, 'Ready'));
  const waiting = own.find((pool) => !isTrue(pool, 'Ready'));
  const trouble = own.flatMap((pool) => (pool.status.failures ?? []).map((failure) => ({ pool, failure })))[0];
  const reason = done ? 'AllReady' : (trouble?.failure.reason ?? 'Provisioning');
  const counts = `${machines.launched} of ${machines.desired} machines launched, ${machines.ready} ready`;
  const message = done
    ? `${machines.ready} machines are ready`
    : trouble
      ? `${counts}; pool ${trouble.pool.metadata.name}: ${trouble.failure.message}`
      : waiting
        ? `${counts}; waiting for pool ${waiting.metadata.name}`
        : counts;
  return [
    ...verdicts,
    { type: 'Provisioned', status: done, reason, message },
    { type: 'Ready', status: done, reason, message },
    ...kstatus(done ? 'Current' : 'Reconciling', reason, message),
  ];
}

/** What holds whatever else happens: is it live, is it throttled, may it be deleted. */
function standing({ generation, platform, own }: GenerationInput): Verdict[] {
  const { liveTime, retiredTime, retiredBy } = generation.status;
  const live = platform?.status.live?.uid === generation.metadata.uid;
  const throttled = own.find((pool) => pool.status.failures?.some(({ reason }) => reason === 'Throttled'));
  const hold = holdOf(generation, platform);
  return [
    {
      type: 'Live',
      status: live,
      reason: live ? 'Live' : liveTime ? 'WasLive' : 'NeverLive',
      message: live ? `it is what Platform ${platform?.metadata.name} serves from since ${liveTime}` : '',
    },
    {
      type: 'Retired',
      status: retiredTime !== undefined,
      reason: retiredTime ? 'Retired' : 'NotRetired',
      message: retiredTime ? `retired at ${retiredTime}${retiredBy ? ` by Cutover ${retiredBy.name}` : ''}` : '',
    },
    {
      type: 'Throttled',
      status: throttled !== undefined,
      reason: throttled ? 'Throttled' : 'WithinBudgets',
      message: throttled ? `pool ${throttled.metadata.name} is slowed down by the cloud's rate limits` : '',
    },
    hold
      ? { type: 'Deletable', status: false, reason: 'Protected', message: hold }
      : { type: 'Deletable', status: true, reason: retiredTime ? 'Retired' : 'NeverLive', message: '' },
  ];
}

/** The generation's own pools among all. Owner references of another incarnation do not count. */
export const isOwn = (generation: ClusterGeneration, pool: GenerationPool): boolean =>
  pool.spec.generationUID === generation.metadata.uid &&
  pool.metadata.name.startsWith(poolObjectName(generation.metadata.name, ''));
