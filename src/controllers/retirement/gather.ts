import type { ClusterGeneration, Cutover, Platform, Reference } from '../../api/v1alpha1/index.ts';
import { LABEL } from '../../api/v1alpha1/index.ts';
import { machinesOfPlatform } from '../../domain/consistency.ts';
import { momentOf } from '../../domain/moment.ts';
import { clusterGenerations, cutovers, platforms } from '../../kinds.ts';
import { find } from '../../kube/find.ts';
import { ProviderError } from '../../providers/provider.ts';
import { findAgreed } from '../agreed.ts';
import { BY, type Context } from '../context.ts';
import { machineIdOf } from '../nodes.ts';
import { providerOfClass } from '../provider.ts';
import type { RetirementInput } from './input.ts';

/** Oldest look at the cloud by which a generation that is gone has no machines. Declared ms. */
const MAX_AGE = 5_000;

/**
 * All that a decision rests on; undefined when no Platform has to do with that name. The cutovers are read after what
 * names them: one that was not there before may have come in between.
 */
export async function gather(context: Context, name: string): Promise<RetirementInput | undefined> {
  const { caches, client, clock } = context;
  const generation = await findAgreed(client, clusterGenerations, name, caches.generations);
  const owner = generation?.spec.platform ?? listing(context, name);
  if (owner === undefined) return undefined;
  const platform = await find(client, platforms, owner);
  const named = await existing(context, referencesOf(generation, platform));
  const over = referencesOf(generation, platform).some(({ uid }) => !named.has(uid) || named.get(uid)?.status.outcome);
  const missing = !generation && platform?.status.protected?.includes(name) === true;
  return {
    name,
    generation,
    platform,
    cutovers: named,
    unfinished: over || missing ? await unfinishedOf(context, owner) : [],
    noMachines: missing && (await hasNone(context, platform, name)),
    ...momentOf(clock),
  };
}

/** The platform that protects a name which no generation has. */
export const listing = ({ caches }: Pick<Context, 'caches'>, name: string): string | undefined =>
  caches.platforms.list().find(({ status }) => status.protected?.includes(name))?.metadata.name;

/** The cutovers that the two objects name. */
function referencesOf(generation: ClusterGeneration | undefined, platform: Platform | undefined): Reference[] {
  const { retention, retiredTime, reservedBy } = generation?.status ?? {};
  const { cutover, quiesced } = platform?.status ?? {};
  return [retiredTime ? undefined : retention?.cutover, reservedBy, cutover, quiesced?.cutover].filter(
    (reference) => reference !== undefined,
  );
}

/** Those of them that are there, by UID. */
async function existing({ caches, client }: Context, references: readonly Reference[]): Promise<Map<string, Cutover>> {
  const found = new Map<string, Cutover>();
  for (const name of new Set(references.map((reference) => reference.name))) {
    const cutover = await findAgreed(client, cutovers, name, caches.cutovers);
    if (cutover) found.set(cutover.metadata.uid, cutover);
  }
  return found;
}

async function unfinishedOf({ caches, client }: Context, platform: string): Promise<Cutover[]> {
  const { items } = await client.list(cutovers);
  const listed = new Set(items.map(({ metadata }) => metadata.uid));
  // What the watch has not seen go is there, whatever a list lacks.
  const watched = caches.cutovers.byIndex(BY.platform, platform).filter(({ metadata }) => !listed.has(metadata.uid));
  return [...items, ...watched].filter(({ spec, status }) => spec.platform === platform && !status.outcome);
}

/** False as long as the cloud has one, or cannot be seen, wherever the platform and its generations have machines. */
async function hasNone(context: Context, platform: Platform, name: string): Promise<boolean> {
  const { caches, clock, cluster } = context;
  const generations = caches.generations.byIndex(BY.platform, platform.metadata.name);
  const pools = caches.pools.byIndex(BY.generation, name);
  const classes = [platform, ...generations, ...pools].flatMap(({ spec }) => spec.className ?? []);
  const shown = new Set<string>();
  try {
    for (const className of new Set(classes)) {
      const provider = await providerOfClass(context, className);
      const observed = await provider.observe(cluster, clock.scaled(MAX_AGE));
      for (const { id } of observed) shown.add(id);
      if (machinesOfPlatform(platform, observed).some(({ tags }) => tags[LABEL.generation] === name)) return false;
    }
    // The other kind of question: no Node of it reports whose machine the cloud does not show.
    return !caches.nodes
      .list()
      .filter(({ ready, labels }) => ready && labels[LABEL.generation] === name)
      .some(({ providerID }) => !shown.has(machineIdOf(providerID)));
  } catch (error) {
    if (error instanceof ProviderError) return false;
    throw error;
  }
}
