import { LABEL } from '../../api/v1alpha1/index.ts';
import { platforms } from '../../kinds.ts';
import { type Controller, controller } from '../../runtime/controller.ts';
import { trafficServices } from '../caches.ts';
import { BY, type Context, PLATFORMS_AT_ONCE } from '../context.ts';
import { isHeld } from '../pods.ts';
import { reporting } from '../trouble.ts';
import { apply } from './apply.ts';
import { decide } from './decide.ts';
import { gather } from './gather.ts';
import { trafficMemory } from './traffic.ts';

/** Real ms: pools, Nodes and pods report often while machines come up; one look at the platform for those of this time. */
const POOL_BURST = 1_000;

/** Real ms: endpoints come and go by the dozen while pods are replaced; one look for those of this time. */
const ENDPOINT_BURST = 500;

/**
 * Wakes for its platforms, their generations and pools, for singletons that end, and for what its traffic targets lead to: their
 * Services and endpoints, Nodes that become Ready or cease to be, and what a cutover has moved.
 */
export function platformController(context: Context): Controller {
  const { caches, clock, log, observer } = context;
  const memory = trafficMemory();
  const self = controller({
    name: 'platform',
    clock,
    log,
    observer,
    concurrency: PLATFORMS_AT_ONCE,
    reconcile: reporting(context, platforms, { read: caches.platforms.get }, async (platform, { kept }) => {
      const input = await gather(context, platform, memory);
      if (!input) return undefined;
      const decision = decide(input);
      await apply(context, input, { ...decision, status: kept(decision.status) });
      return { requeueAfter: decision.requeueAfter };
    }),
  });
  caches.platforms.subscribe((key, _, after) => after && self.enqueue(key));
  caches.generations.subscribe((_, before, after) => {
    const generation = after ?? before;
    if (generation) self.enqueue(generation.spec.platform);
  });
  caches.pools.subscribe((_, before, after) => {
    const pool = after ?? before;
    if (pool) self.enqueueAfter(pool.spec.platform, POOL_BURST);
  });
  caches.traffic.subscribe((service) => {
    for (const platform of caches.platforms.list())
      if (trafficServices(platform).includes(service)) self.enqueueAfter(platform.metadata.name, ENDPOINT_BURST);
  });
  caches.nodes.subscribe((_, before, after) => {
    const platform = (after ?? before)?.labels[LABEL.platform];
    const same =
      before?.ready === after?.ready && before?.labels[LABEL.generationUID] === after?.labels[LABEL.generationUID];
    if (platform !== undefined && !same) self.enqueueAfter(platform, POOL_BURST);
  });
  caches.pods.subscribe((_, before, after) => {
    if (before && isHeld(before) && before.ended !== (after?.ended ?? true))
      self.enqueueAfter(before.platform, POOL_BURST);
  });
  caches.cutovers.subscribe((_, before, after) => {
    const switches = (cutover: typeof after) => JSON.stringify(cutover?.status.switches?.map(({ state }) => state));
    if (after && before && switches(before) !== switches(after)) self.enqueueAfter(after.spec.platform, ENDPOINT_BURST);
  });
  caches.classes.subscribe((key, before, after) => {
    if (before && after) return;
    for (const { metadata } of caches.platforms.byIndex(BY.className, key)) self.enqueue(metadata.name);
  });
  return self;
}
