import {
  type ClusterGeneration,
  type GenerationClass,
  type GenerationPool,
  LABEL,
  type Placement,
} from '../../api/v1alpha1/index.ts';
import { isReleased } from '../../domain/identity.ts';
import { momentOf } from '../../domain/moment.ts';
import { generationPools } from '../../kinds.ts';
import { type Capacity, type Provider, ProviderError } from '../../providers/provider.ts';
import type { Context } from '../context.ts';
import { movedFrom, type Terms, termsOf } from './capacity.ts';
import type { GenerationInput } from './input.ts';
import { isOwn } from './pools.ts';

/** Oldest look at the cloud's capacity that a proof may rest on. Declared ms. */
const MAX_AGE = 5_000;

/** All that a decision about a generation rests on. */
export async function gather(context: Context, generation: ClusterGeneration): Promise<GenerationInput> {
  const { caches, clock } = context;
  const platform = caches.platforms.get(generation.spec.platform);
  const className = generation.spec.className ?? platform?.spec.className;
  const generationClass = className === undefined ? undefined : caches.classes.get(className);
  const cached = caches.pools.list();
  const leaving = generation.metadata.deletionTimestamp ?? generation.status.retiredTime;
  const placing = generationClass && !leaving && hasToPlace(generation, cached, termsOf(generationClass, clock.now()));
  // While something is to be placed the pools are read live: what was promised a moment ago must count as taken.
  const pools = placing ? (await context.client.list(generationPools)).items : cached;
  const own = pools.filter((pool) => isOwn(generation, pool));
  const others = pools.filter((pool) => pool.spec.className === className && !isOwn(generation, pool));
  const cloud = placing
    ? await askCloud(context, generation, generationClass, pools)
    : { templateErrors: new Map<string, ProviderError>(), capacity: undefined, present: [] };
  return {
    generation,
    platform,
    className,
    generationClass,
    own,
    others,
    ...cloud,
    ...momentOf(clock),
  };
}

/** Machines without a place, or that cannot come where they were to. */
function hasToPlace(generation: ClusterGeneration, pools: readonly GenerationPool[], terms: Terms): boolean {
  const own = pools.filter((pool) => isOwn(generation, pool));
  const total = (list: { machines: number }[]) => list.reduce((sum, { machines }) => sum + machines, 0);
  const placed = total(own.flatMap(({ spec }) => spec.placement));
  return placed < total(generation.spec.pools) || own.some((pool) => movedFrom(pool, terms).length > 0);
}

async function askCloud(
  context: Context,
  generation: ClusterGeneration,
  generationClass: GenerationClass,
  pools: readonly GenerationPool[],
): Promise<Pick<GenerationInput, 'templateErrors' | 'capacity' | 'present'>> {
  const templateErrors = new Map<string, ProviderError>();
  try {
    const provider = await context.providerOf(generationClass);
    for (const { name, template } of generation.spec.pools) {
      const error = await templateError(provider, template);
      if (error) templateErrors.set(name, error);
    }
    const capacity = await capacityOf(context, provider, generation, generationClass, pools);
    return { templateErrors, capacity, present: await presentOf(context, provider, generation) };
  } catch (error) {
    if (error instanceof ProviderError) return { templateErrors, capacity: error, present: [] };
    throw error;
  }
}

/** A template that cannot work is the generation's fault; trouble in asking is the cloud's, and thrown. */
async function templateError(
  provider: Provider,
  template: ClusterGeneration['spec']['pools'][number]['template'],
): Promise<ProviderError | undefined> {
  try {
    await provider.checkTemplate(template);
    return undefined;
  } catch (error) {
    if (error instanceof ProviderError && error.reason === 'InvalidTemplate') return error;
    throw error;
  }
}

function capacityOf(
  { clock }: Context,
  provider: Provider,
  generation: ClusterGeneration,
  generationClass: GenerationClass,
  pools: readonly GenerationPool[],
): Promise<Capacity> {
  const templates = [
    ...generation.spec.pools.map(({ template }) => template),
    ...pools.map(({ spec }) => spec.template),
  ];
  const types = new Set(templates.flatMap(({ ec2 }) => (ec2 ? [ec2.instanceType] : [])));
  const subnets = generationClass.spec.subnets.map(({ id }) => id);
  return provider.capacity({ subnets, types: [...types].toSorted() }, clock.scaled(MAX_AGE));
}

/** Machines that a restored generation has had before: they have their place. */
async function presentOf(
  { clock, cluster }: Context,
  provider: Provider,
  { status }: ClusterGeneration,
): Promise<Placement[]> {
  if (!status.formerUIDs?.length) return [];
  const machines = (await provider.observe(cluster, clock.scaled(MAX_AGE))).filter(
    ({ tags, state }) =>
      status.formerUIDs?.includes(tags[LABEL.generationUID] ?? '') &&
      state !== 'terminated' &&
      state !== 'shutting-down' &&
      !isReleased(tags),
  );
  const places = Map.groupBy(machines, ({ tags, subnet }) => JSON.stringify([tags[LABEL.pool], subnet]));
  return [...places.values()].flatMap((group) => {
    const [first] = group;
    return first ? [{ pool: first.tags[LABEL.pool] ?? '', subnet: first.subnet, machines: group.length }] : [];
  });
}
