import type { ClusterGeneration, GenerationPool } from '../../api/v1alpha1/index.ts';
import { inconsistencyOf } from '../../domain/consistency.ts';
import { standstillOf } from '../../domain/freeze.ts';
import { isReleased, uidsOf, wasLaunchedFor } from '../../domain/identity.ts';
import { momentOf } from '../../domain/moment.ts';
import { powerWanted } from '../../domain/standby.ts';
import { nodes } from '../../kube/resources.ts';
import { type Machine, type Priority, type Provider, ProviderError } from '../../providers/provider.ts';
import { BY, type Context } from '../context.ts';
import { type NodeView, nodeOfMachine, viewOf } from '../nodes.ts';
import { providerOfClass } from '../provider.ts';
import type { PoolInput } from './input.ts';
import type { Revivals } from './revival.ts';
import { NOTHING_LACKS, sightOf } from './sight.ts';

/** Oldest look at the cloud that a decision may rest on, declared ms; one look serves all pools of an account. */
const MAX_AGE = 5_000;

export type Gathered = PoolInput & { provider: Provider | undefined };

/** All that a decision about a pool rests on. Trouble with the cloud is part of it, not an exception. */
export async function gather(context: Context, pool: GenerationPool, revivals: Revivals): Promise<Gathered> {
  const { caches, clock, cluster } = context;
  const generation = caches.generations.get(pool.spec.generation);
  const same = generation && uidsOf(generation).includes(pool.spec.generationUID) ? generation : undefined;
  const platform = caches.platforms.get(pool.spec.platform);
  const base = {
    pool,
    account: caches.classes.get(pool.spec.className)?.status.account?.id,
    generation: same,
    platform,
    standstill: {},
    revived: NONE,
    working: same && powerWanted(same, platform) === 'Stopped' ? workingNodes(context, pool) : new Set<string>(),
    ...momentOf(clock),
  };
  try {
    assertAccount(pool, base.account);
    const provider = await providerOfClass(context, pool.spec.className);
    const observed = await provider.observe(cluster, clock.scaled(MAX_AGE));
    const uids = same ? uidsOf(same) : [];
    const isOwn = ({ tags }: Machine) => wasLaunchedFor(pool, cluster, tags, uids);
    const { machines, sight } = await sightOf(context, base, provider, observed, isOwn);
    const affordable = provider.affordable(priorityOf(same));
    const standstill = standstillFor(context, pool, observed);
    const revived = await revivedOf(base, provider, machines, revivals);
    return { ...base, standstill, provider, machines, sight, revived, affordable, ...nodesOf(context, machines) };
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    return {
      ...base,
      provider: undefined,
      machines: error,
      sight: NOTHING_LACKS,
      affordable: 0,
      nodes: new Map(),
      twins: [],
    };
  }
}

/**
 * What the platform's condition says, and what it will say once the platform controller has seen what is seen here: a
 * process that has just started may hold a status from before a restore.
 */
function standstillFor(
  { caches }: Context,
  pool: GenerationPool,
  observed: readonly Machine[],
): PoolInput['standstill'] {
  const platform = caches.platforms.get(pool.spec.platform);
  if (!platform) return { launch: `Platform ${pool.spec.platform} does not exist: create it` };
  const generations = caches.generations.byIndex(BY.platform, pool.spec.platform);
  const why = standstillOf(platform) ?? inconsistencyOf(platform, generations, observed)?.message;
  return { launch: why, end: why };
}

/** A pod of a Job is never ended: it finishes where it began. */
function workingNodes({ caches }: Context, pool: GenerationPool): Set<string> {
  const pods = caches.pods.byIndex(BY.platform, pool.spec.platform);
  return new Set(pods.filter(({ kind, ended }) => kind === 'job' && !ended).flatMap(({ node }) => node ?? []));
}

const NONE: PoolInput['revived'] = { bare: [], unknown: 0 };

/** Nothing to look for in a standby that is to be stopped, nor where machines are on their way out. */
async function revivedOf(
  { pool, generation, platform }: Pick<PoolInput, 'pool' | 'generation' | 'platform'>,
  provider: Provider,
  machines: readonly Machine[],
  revivals: Revivals,
): Promise<PoolInput['revived']> {
  if (!generation || generation.status.retiredTime || pool.metadata.deletionTimestamp) return NONE;
  if (powerWanted(generation, platform) === 'Stopped') return NONE;
  const present = machines.filter(({ tags }) => !isReleased(tags));
  return revivals.look(provider, present, generation.status.retention?.standby === 'Stopped');
}

/** What replaces machines of a generation that serves may use the whole budget. */
export const priorityOf = (generation: ClusterGeneration | undefined): Priority =>
  generation?.status.liveTime ? 'recovery' : 'planned';

/** A class that was deleted and made anew has forgotten where the machines of its pools are. Throws ProviderError. */
function assertAccount({ metadata, spec, status }: GenerationPool, account: string | undefined): void {
  if (status.account === undefined || account === undefined || status.account === account) return;
  throw new ProviderError(
    `GenerationPool ${metadata.name} has its machines in account ${status.account}, and GenerationClass ${spec.className} is now of account ${account}: make the class anew as it was`,
    { reason: 'AnotherAccount', code: 'AnotherAccount', refused: true },
  );
}

/** The Node of each machine, and those that name a machine which has another one. */
function nodesOf({ caches }: Context, machines: readonly Machine[]): Pick<PoolInput, 'nodes' | 'twins'> {
  const nodes = new Map<string, NodeView>();
  const twins: NodeView[] = [];
  for (const { providerID } of machines) {
    const all = caches.nodes.byIndex(BY.providerID, providerID);
    const node = nodeOfMachine(all);
    if (!node) continue;
    nodes.set(providerID, node);
    twins.push(...all.filter((other) => other !== node));
  }
  return { nodes, twins };
}

/** The same with all Nodes that a live list shows besides: a cache that lacks one is no proof that it never was. */
export async function nodesNow(
  { client }: Context,
  known: ReadonlyMap<string, NodeView>,
): Promise<ReadonlyMap<string, NodeView>> {
  const { items } = await client.list(nodes);
  const views = items.map(viewOf).filter(({ providerID }) => providerID !== '');
  const found = [...Map.groupBy(views, ({ providerID }) => providerID)].flatMap(([providerID, all]) => {
    const node = nodeOfMachine(all);
    return node ? [[providerID, node] as const] : [];
  });
  return new Map([...found, ...known]);
}
