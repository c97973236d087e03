import type { Platform } from '../../api/v1alpha1/index.ts';
import { clusterGenerations, platforms } from '../../kinds.ts';
import { writeStatus } from '../../kube/status.ts';
import { type Controller, controller } from '../../runtime/controller.ts';
import { BY, type Context } from '../context.ts';
import { afterTrouble } from '../trouble.ts';
import { decide, type PlatformInput } from './decide.ts';

/** Real ms: pools report often while machines come up; one look at the platform for those of this time. */
const POOL_BURST = 1_000;

/** Wakes for its platforms, their generations and the pools of the live one. */
export function platformController(context: Context): Controller {
  const { caches, client, clock, log, observer } = context;
  const self = controller({
    name: 'platform',
    clock,
    log,
    observer,
    concurrency: 2,
    reconcile: async (key) => {
      const platform = caches.platforms.get(key);
      if (!platform) return undefined;
      try {
        const { status, requeueAfter } = decide(await gather(context, platform));
        await writeStatus(client, platforms, platform, status);
        return { requeueAfter };
      } catch (error) {
        return afterTrouble(context, platforms, platform, error);
      }
    },
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
  caches.classes.subscribe((key, before, after) => {
    if (before && after) return;
    for (const { metadata } of caches.platforms.byIndex(BY.className, key)) self.enqueue(metadata.name);
  });
  return self;
}

async function gather({ caches, client, clock }: Context, platform: Platform): Promise<PlatformInput> {
  const { name } = platform.metadata;
  const generations =
    platform.status.protected === undefined
      ? (await client.list(clusterGenerations)).items.filter(({ spec }) => spec.platform === name)
      : caches.generations.byIndex(BY.platform, name);
  const live = platform.status.live;
  return {
    platform,
    generations,
    livePools: live
      ? caches.pools.byIndex(BY.generation, live.name).filter(({ spec }) => spec.generationUID === live.uid)
      : [],
    classExists: caches.classes.get(platform.spec.className) !== undefined,
    now: clock.now(),
    scaled: (ms) => clock.scaled(ms),
  };
}
