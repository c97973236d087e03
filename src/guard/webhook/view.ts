import { ANNOTATION, type ClusterGeneration, LABEL, type Platform } from '../../api/v1alpha1/index.ts';
import { type BlastRadius, drainedBy, type Member, type Outages } from '../../domain/blast-radius.ts';
import { uidsOf } from '../../domain/identity.ts';
import type { Moment } from '../../domain/moment.ts';
import { holdOf } from '../../domain/protection.ts';
import type { Namespace } from '../../kube/resources.ts';
import type { Store } from '../../kube/store.ts';

/** What rules look at: the operator's caches, narrowed to the questions that are asked of them. */
export interface View {
  platform(name: string): Platform | undefined;
  generation(name: string): ClusterGeneration | undefined;
  /** Generations of a platform. */
  generationsOf(platform: string): ClusterGeneration[];
  node(name: string): Member | undefined;
  tally: Outages['of'];
  /** True when a protected namespace says that this Node's pods may be evicted now. */
  draining(node: string): boolean;
}

/** What the caches must have for {@link viewOf}. */
export interface Viewed {
  platforms: Pick<Store<Platform>, 'get'>;
  generations: Pick<Store<ClusterGeneration>, 'get' | 'list'>;
  nodes: Pick<Store<Member>, 'get'>;
  namespaces: Pick<Store<Namespace>, 'list'>;
  outages: Outages;
}

export const viewOf = ({ platforms, generations, nodes, namespaces, outages }: Viewed): View => ({
  platform: (name) => platforms.get(name),
  generation: (name) => generations.get(name),
  generationsOf: (platform) => generations.list().filter(({ spec }) => spec.platform === platform),
  node: (name) => nodes.get(name),
  tally: outages.of,
  draining: (node) =>
    namespaces.list().some(({ metadata }) => drainedBy(metadata.annotations?.[ANNOTATION.draining]).includes(node)),
});

/** A generation that may not lose machines, and why. */
export interface Held {
  generation: ClusterGeneration;
  platform: Platform | undefined;
  /** A clause for people: why it is held. */
  hold: string;
}

/** The held generation that labels name; undefined when they name none, or one that may lose its machines. */
export function holderOf(
  labels: Readonly<Record<string, string>> | undefined,
  view: View,
  moment: Moment,
): Held | undefined {
  const generation = view.generation(labels?.[LABEL.generation] ?? '');
  const uid = labels?.[LABEL.generationUID];
  if (!generation) return undefined;
  // A generation that was deleted and created again under its name does not own the machines of the former one.
  if (uid !== undefined && !uidsOf(generation).includes(uid)) return undefined;
  return heldBy(generation, view, moment);
}

/** The same for a generation itself. */
export function heldBy(generation: ClusterGeneration, view: View, moment: Moment): Held | undefined {
  const platform = view.platform(generation.spec.platform);
  const hold = holdOf(generation, platform, moment);
  return hold === undefined ? undefined : { generation, platform, hold };
}

/**
 * True when the maintenance of this Node, which counts itself, was let begin: its namespaces say so, or there is room.
 * An annotation that was written while nobody counted does not open a Node by itself.
 */
export const mayGoOn = (node: string, { used, limit }: BlastRadius, view: View): boolean =>
  used <= limit || view.draining(node);
