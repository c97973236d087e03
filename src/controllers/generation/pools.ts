import {
  API_VERSION,
  type ClusterGeneration,
  FINALIZER,
  type GenerationPool,
  type Placement,
  type PoolSpec,
} from '../../api/v1alpha1/index.ts';
import { labelsOfPool, poolObjectName, uidsOf } from '../../domain/identity.ts';

/** A GenerationPool before it is created. */
export type PoolObject = Pick<GenerationPool, 'spec'> & {
  metadata: Pick<GenerationPool['metadata'], 'name' | 'labels' | 'finalizers' | 'ownerReferences'> & { name: string };
};

/**
 * The GenerationPool of one pool of a generation. Its owner reference does not block, nor does it matter for
 * deletion: the operator removes pools itself, because a garbage collector asks nobody whether a generation is live.
 */
export function objectOf(
  generation: ClusterGeneration,
  className: string,
  pool: PoolSpec,
  placement: readonly Placement[],
): PoolObject {
  const { name, uid } = generation.metadata;
  return {
    metadata: {
      name: poolObjectName(name, pool.name),
      labels: labelsOfPool(generation, pool),
      finalizers: [FINALIZER],
      ownerReferences: [{ apiVersion: API_VERSION, kind: 'ClusterGeneration', name, uid, controller: true }],
    },
    spec: {
      platform: generation.spec.platform,
      className,
      generation: name,
      generationUID: uid,
      role: pool.role,
      machines: pool.machines,
      template: pool.template,
      placement: placement
        .filter((place) => place.pool === pool.name)
        .map(({ subnet, machines }) => ({ subnet, machines })),
    },
  };
}

/** The generation's own pools among all, those from before a restore included. Owner references do not count. */
export const isOwn = (generation: ClusterGeneration, pool: GenerationPool): boolean =>
  uidsOf(generation).includes(pool.spec.generationUID) &&
  pool.metadata.name.startsWith(poolObjectName(generation.metadata.name, ''));
