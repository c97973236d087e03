import { type ClusterGeneration, FINALIZER } from '../../api/v1alpha1/index.ts';
import { labelsOfGeneration, poolObjectName } from '../../domain/identity.ts';
import { clusterGenerations, generationPools } from '../../kinds.ts';
import { isAlreadyExists } from '../../kube/errors.ts';
import { find } from '../../kube/find.ts';
import { writeStatus } from '../../kube/status.ts';
import type { Context } from '../context.ts';
import type { GenerationDecision, PoolChange } from './decide.ts';
import type { GenerationInput } from './input.ts';
import { isOwn } from './pools.ts';

/** Carries a decision out. The finalizer comes before the first pool, so that no machine can be left behind. */
export async function apply(context: Context, input: GenerationInput, decision: GenerationDecision): Promise<void> {
  const { client } = context;
  const marked = decision.finalizer === 'add' ? await mark(context, input.generation) : input.generation;
  for (const change of decision.pools) await carryOut(context, marked, change);
  const written = await writeStatus(client, clusterGenerations, marked, decision.status);
  if (decision.finalizer === 'remove') await release(context, written);
}

/** Finalizer and labels of the operator on the generation itself. */
async function mark({ client }: Context, generation: ClusterGeneration): Promise<ClusterGeneration> {
  const { metadata } = generation;
  const finalizers = metadata.finalizers?.includes(FINALIZER)
    ? metadata.finalizers
    : [...(metadata.finalizers ?? []), FINALIZER];
  const labels = { ...metadata.labels, ...labelsOfGeneration(generation) };
  const same = finalizers === metadata.finalizers && JSON.stringify(labels) === JSON.stringify(metadata.labels);
  if (same) return generation;
  return client.update(clusterGenerations, { ...generation, metadata: { ...metadata, finalizers, labels } });
}

async function release({ client }: Context, generation: ClusterGeneration): Promise<void> {
  const { metadata } = generation;
  const finalizers = (metadata.finalizers ?? []).filter((name) => name !== FINALIZER);
  if (finalizers.length === (metadata.finalizers ?? []).length) return;
  // A pool that this process made a moment ago may not be in its cache yet: without its generation it could never go.
  const { items } = await client.list(generationPools);
  if (items.some((pool) => isOwn(generation, pool))) return;
  // By name as well: a list that lacks them would leave their machines to nobody.
  for (const { name } of generation.spec.pools) {
    const pool = await find(client, generationPools, poolObjectName(metadata.name, name));
    if (pool && isOwn(generation, pool)) return;
  }
  await client.update(clusterGenerations, { ...generation, metadata: { ...metadata, finalizers } });
}

async function carryOut(context: Context, generation: ClusterGeneration, change: PoolChange): Promise<void> {
  const { client, events, interlock, log } = context;
  switch (change.do) {
    case 'create':
      try {
        await client.create(generationPools, change.pool);
        log.info('Created a pool', { pool: change.pool.metadata.name, machines: change.pool.spec.machines });
      } catch (error) {
        // The cache has not caught up with this process' own last write.
        if (!isAlreadyExists(error)) throw error;
      }
      return;
    case 'update':
      await client.update(generationPools, { ...change.pool, spec: change.spec });
      log.info('Changed a pool', { pool: change.pool.metadata.name, machines: change.spec.machines });
      return;
    case 'delete': {
      const refused = await interlock.deletePool(change.pool);
      if (refused) {
        const note = `Pool ${change.pool.metadata.name} is not deleted: ${refused}`;
        events.record({ regarding: generation, type: 'Warning', reason: 'Refused', action: 'DeletePool', note });
      }
    }
  }
}
