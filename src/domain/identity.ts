import {
  CLUSTER_TAG,
  type ClusterGeneration,
  type GenerationPool,
  LABEL,
  LIVE_TIME_TAG,
  type PoolSpec,
  RELEASED_TAG,
} from '../api/v1alpha1/index.ts';

/** Whose a machine, Node or pool is: the labels of API.md and the cloud tags made of them. */

/** `ga-2023-10-10.web`: a generation's name has no dots, so the two halves cannot be confused. */
export const poolObjectName = (generation: string, pool: string): string => `${generation}.${pool}`;

/** The pool's name within its generation. */
export const poolNameOf = (pool: GenerationPool): string =>
  pool.metadata.name.slice(pool.metadata.name.indexOf('.') + 1);

/** Labels of a ClusterGeneration itself, by which people select. */
export const labelsOfGeneration = (generation: ClusterGeneration): Record<string, string> => ({
  [LABEL.platform]: generation.spec.platform,
});

/** Labels of a GenerationPool. */
export function labelsOfPool(generation: ClusterGeneration, pool: PoolSpec): Record<string, string> {
  return {
    [LABEL.platform]: generation.spec.platform,
    [LABEL.generation]: generation.metadata.name,
    [LABEL.generationUID]: generation.metadata.uid,
    [LABEL.pool]: pool.name,
    [LABEL.role]: pool.role,
  };
}

/** The same for what belongs to a pool: its Nodes. */
export function labelsOfMember(pool: GenerationPool): Record<string, string> {
  return {
    [LABEL.platform]: pool.spec.platform,
    [LABEL.generation]: pool.spec.generation,
    [LABEL.generationUID]: pool.spec.generationUID,
    [LABEL.pool]: poolNameOf(pool),
    [LABEL.role]: pool.spec.role,
  };
}

/** Tags of a pool's machines: they say the same as the labels, and in which Kubernetes cluster. */
export function tagsOfMachine(pool: GenerationPool, cluster: string): Record<string, string> {
  return { Name: pool.metadata.name, [CLUSTER_TAG]: cluster, ...labelsOfMember(pool) };
}

/** All UIDs by which a generation's machines, Nodes and pools may name it: its own, and those from before a restore. */
export const uidsOf = ({ metadata, status }: ClusterGeneration): string[] => [
  metadata.uid,
  ...(status.formerUIDs ?? []),
];

type Tags = Readonly<Record<string, string>>;

/**
 * True when a machine's tags say that it was launched for this very pool of this very cluster; its Name may be anything.
 *
 * @param former UIDs that the pool's generation had before a restore
 */
export function wasLaunchedFor(
  pool: GenerationPool,
  cluster: string,
  tags: Tags,
  former: readonly string[] = [],
): boolean {
  const { Name: _, ...ownership } = tagsOfMachine(pool, cluster);
  return Object.entries(ownership).every(
    ([key, value]) => tags[key] === value || (key === LABEL.generationUID && former.includes(tags[key] ?? '')),
  );
}

/** The same, and the operator has not let go of it since: such a machine is nobody's business any more. */
export const isMachineOf = (
  pool: GenerationPool,
  cluster: string,
  tags: Tags,
  former: readonly string[] = [],
): boolean => !isReleased(tags) && wasLaunchedFor(pool, cluster, tags, former);

/** When this machine's generation became live, as the cloud has it. An empty tag means that a cutover has taken that back. */
export const liveTimeAtCloud = (tags: Tags): string | undefined => tags[LIVE_TIME_TAG] || undefined;

export const isReleased = (tags: Tags): boolean => tags[RELEASED_TAG] !== undefined;
