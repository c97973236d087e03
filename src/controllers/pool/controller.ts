import type { Platform } from '../../api/v1alpha1/index.ts';
import { standstillOf } from '../../domain/freeze.ts';
import { guardTrouble } from '../../domain/guard.ts';
import { momentOf } from '../../domain/moment.ts';
import { generationPools } from '../../kinds.ts';
import { type Controller, controller } from '../../runtime/controller.ts';
import { BY, type Context } from '../context.ts';
import { machineIdOf } from '../nodes.ts';
import { reporting } from '../trouble.ts';
import { apply } from './apply.ts';
import { decide, NEVER_REGISTERED } from './decide.ts';
import { gather, nodesNow } from './gather.ts';
import { revivals } from './revival.ts';

/** Wakes for its pools, their generations, the Nodes of their machines, and a platform that is frozen or thawed, is guarded again, or serves from another. */
export function poolController(context: Context): Controller {
  const { caches, client, clock, log, observer } = context;
  const revived = revivals();
  const self = controller({
    name: 'pool',
    clock,
    log,
    observer,
    concurrency: 8,
    reconcile: reporting(context, generationPools, { read: caches.pools.get }, async (pool, { kept }) => {
      let input = await gather(context, pool, revived);
      // The cache may not show yet what this process did a moment ago: what costs machines is decided on a live read.
      const first = decide(input);
      if (first.launch.length > 0) input = { ...input, pool: await client.get(generationPools, pool.metadata.name) };
      if (first.terminate?.because === NEVER_REGISTERED)
        input = { ...input, nodes: await nodesNow(context, input.nodes) };
      const decision = decide(input);
      return { requeueAfter: await apply(context, input, { ...decision, status: kept(decision.status) }) };
    }),
  });
  caches.pools.subscribe((key, _, pool) => pool && self.enqueue(key));
  caches.generations.subscribe((key) => {
    for (const pool of caches.pools.byIndex(BY.generation, key)) self.enqueue(pool.metadata.name);
  });
  caches.platforms.subscribe((key, before, after) => {
    const about = (platform: Platform | undefined) =>
      platform && [standstillOf(platform), guardTrouble(platform, momentOf(clock)), platform.status.live?.uid];
    if (JSON.stringify(about(before)) === JSON.stringify(about(after))) return;
    for (const pool of caches.pools.list()) if (pool.spec.platform === key) self.enqueue(pool.metadata.name);
  });
  caches.nodes.subscribe((_, before, after) => {
    const providerID = (after ?? before)?.providerID;
    if (!providerID || (before && after && JSON.stringify(before) === JSON.stringify(after))) return;
    for (const pool of caches.pools.byIndex(BY.instance, machineIdOf(providerID)))
      self.enqueueAfter(pool.metadata.name, NODE_BURST);
  });
  return self;
}

/** Nodes register in bursts: one look at the pool for those of this time. Real ms. */
const NODE_BURST = 250;
