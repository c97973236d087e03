import { isDeepStrictEqual } from 'node:util';
import type { ClusterGeneration, GenerationPool, Placement } from '../../api/v1alpha1/index.ts';
import { isTrue, kstatus, type Verdict, withConditions } from '../../domain/conditions.ts';
import type { Plan } from '../../domain/placement.ts';
import { objectionToRemoval } from '../../domain/removal.ts';
import { stageOf } from '../../domain/stage.ts';
import { type Capacity, ProviderError } from '../../providers/provider.ts';
import { objectionTo } from './accept.ts';
import { planCapacity, termsOf, withdrawn } from './capacity.ts';
import type { GenerationInput } from './input.ts';
import { objectOf, type PoolObject } from './pools.ts';
import { machinesOf, neverLive, report, standing } from './report.ts';

/**
 * controllers/generation makes the pools of a ClusterGeneration once it is proved that all of it fits, keeps them
 * equal to its spec, and removes them when it is deleted or retired. In goes the generation with its platform, class,
 * pools and the cloud's capacity; out comes a status and what to do to its pools.
 */

/** How often capacity is proved again while something is missing, and how often a refused spec is looked at. Declared ms. */
const BUSY = 15_000;
const QUIET = 5 * 60_000;

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
  const pools = plan?.fits ? changes(input, plan.placement) : withdrawals(input);
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
  const over = own.length === 0;
  // What the interlock would refuse is said, and not asked of it for each pool again and again.
  const objection = objectionToRemoval(generation, input.platform, input);
  const refused = own.find(({ status }) => status.refusal !== undefined);
  const why = refused?.status.refusal && `; pool ${refused.metadata.name}: ${refused.status.refusal.reason}`;
  const message = over
    ? `${because}; none of its machines is left`
    : objection
      ? `${because}, and kept: ${objection}`
      : `${because}; ${left} machines in ${own.length} pools are still to be removed${why ?? ''}`;
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
      neverLive: neverLive(input),
      observedGeneration: generation.metadata.generation,
      stage: stageOf(generation, input.platform, { planned: own.length > 0, ...machinesOf(input) }),
      machines: { ...machinesOf(input), desired: 0 },
      conditions,
    },
    finalizer: over ? 'remove' : 'keep',
    pools: objection
      ? []
      : own.filter((pool) => !pool.metadata.deletionTimestamp).map((pool) => ({ do: 'delete', pool })),
    requeueAfter: over ? scaled(QUIET) : scaled(BUSY),
  };
}

/** What a cloud has that was not asked, because nothing is to be placed. */
const NOTHING: Capacity = { subnets: [], types: {}, network: {}, held: {}, vcpus: { quota: 0, used: 0 } };

/** The plan for what is not placed yet; undefined while the cloud could not be asked. */
function planOf(input: GenerationInput): Plan | undefined {
  const { generation, own, others, capacity = NOTHING, generationClass, present, now } = input;
  if (capacity instanceof ProviderError || !generationClass) return undefined;
  return planCapacity(generation, own, others, capacity, { ...termsOf(generationClass, now), present });
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
        pool: present,
        spec: { ...present.spec, machines: pool.spec.machines, placement: pool.spec.placement },
      });
  }
  const names = new Set(wanted.map(({ metadata }) => metadata.name));
  for (const pool of own)
    if (!names.has(pool.metadata.name) && !pool.metadata.deletionTimestamp) result.push({ do: 'delete', pool });
  return result;
}

/** While it does not fit, or is not known to: what is not launched yet is not launched in a subnet that has left the class. */
function withdrawals({ own, generationClass }: GenerationInput): PoolChange[] {
  if (!generationClass) return [];
  const { subnets } = termsOf(generationClass, 0);
  return own.flatMap((pool) => {
    const spec = { ...pool.spec, placement: withdrawn(pool, subnets) };
    return pool.metadata.deletionTimestamp || !differs(pool, spec) ? [] : [{ do: 'update', pool, spec }];
  });
}

const differs = (pool: GenerationPool, spec: GenerationPool['spec']): boolean =>
  pool.spec.machines !== spec.machines || !isDeepStrictEqual(pool.spec.placement, spec.placement);
