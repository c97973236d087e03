import type { ClusterGeneration, Platform } from '../../api/v1alpha1/index.ts';
import { inconsistencyOf } from '../../domain/consistency.ts';
import { uidsOf } from '../../domain/identity.ts';
import { momentOf } from '../../domain/moment.ts';
import { clusterGenerations, platforms } from '../../kinds.ts';
import { find } from '../../kube/find.ts';
import { BY, type Context } from '../context.ts';
import { lookAtCloud, witnesses } from './cloud.ts';
import { probe } from './guard.ts';
import type { PlatformInput } from './input.ts';
import { isToBeInferred } from './restore.ts';
import { transitOf } from './serving.ts';
import { type TrafficMemory, targetsOf } from './traffic.ts';
import { waitingTasks } from './waiting.ts';

/** Oldest look at the cloud with which all is well, and with which something is not. Declared ms. */
const RELAXED = 30_000;
const CAREFUL = 2_000;

type Seen = Pick<PlatformInput, 'platform' | 'generations' | 'cloud'>;

/** All that a decision about a platform rests on; undefined when it is gone. */
export async function gather(
  context: Context,
  cached: Platform,
  memory: TrafficMemory,
): Promise<PlatformInput | undefined> {
  const { caches, clock } = context;
  const seen = await look(context, cached);
  if (!seen) return undefined;
  const { platform, generations } = seen;
  const { live } = platform.status;
  const owner = generations.find(({ metadata }) => metadata.uid === live?.uid);
  const uids = owner ? uidsOf(owner) : live ? [live.uid] : [];
  const livePools = live
    ? caches.pools.byIndex(BY.generation, live.name).filter(({ spec }) => uids.includes(spec.generationUID))
    : [];
  const input = {
    ...seen,
    livePools,
    waiting: waitingTasks(context, platform),
    round: await probe(context, platform, { generations, live: owner, livePools }),
    targets: await targetsOf(context, { platform, livePools, uids, cloud: seen.cloud }, memory),
    transit: transitOf(platform, caches.cutovers.get(platform.status.cutover?.name ?? '')),
    classExists: caches.classes.get(platform.spec.className) !== undefined,
    ...momentOf(clock),
  };
  return { ...input, traffic: isToBeInferred(input) ? await witnesses(context, platform, seen.cloud) : [] };
}

/**
 * The platform, its generations and its machines. From the caches as long as all agree; everything is read anew before
 * a disagreement is believed or something is done that two people asked for: the cloud first, because a generation is
 * there as long as its machines are.
 */
async function look(context: Context, cached: Platform): Promise<Seen | undefined> {
  const { caches, client, clock } = context;
  const { name } = cached.metadata;
  const known = caches.generations.byIndex(BY.platform, name);
  if (!asksForCare(cached) && !known.some(({ status }) => status.override)) {
    const cloud = await lookAtCloud(context, cached, known, clock.scaled(RELAXED));
    if (!inconsistencyOf(cached, known, cloud.machines)) return { platform: cached, generations: known, cloud };
  }
  const cloud = await lookAtCloud(context, cached, known, clock.scaled(CAREFUL));
  const platform = await find(client, platforms, name);
  if (!platform) return undefined;
  const listed = (await client.list(clusterGenerations)).items.filter(({ spec }) => spec.platform === name);
  const names = [...known.map(({ metadata }) => metadata.name), ...(platform.status.protected ?? [])];
  return { platform, generations: [...listed, ...(await lackingOf(context, platform, listed, names))], cloud };
}

/** Generations that a list lacks and that are there when asked for by name: a list alone says of none that it is gone. */
async function lackingOf(
  { client }: Context,
  platform: Platform,
  listed: readonly ClusterGeneration[],
  names: readonly string[],
): Promise<ClusterGeneration[]> {
  const present = new Set(listed.map(({ metadata }) => metadata.name));
  const lacking = [...new Set(names)].filter((name) => !present.has(name));
  const found = await Promise.all(lacking.map((name) => find(client, clusterGenerations, name)));
  return found.filter((one) => one !== undefined).filter(({ spec }) => spec.platform === platform.metadata.name);
}

const asksForCare = ({ spec, status }: Platform): boolean =>
  status.protected === undefined ||
  status.override !== undefined ||
  spec.override !== undefined ||
  spec.rebind !== undefined ||
  (status.live === undefined && (status.rebound ?? []).length > 0);
