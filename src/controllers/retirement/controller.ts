import type { ClusterGeneration, Cutover, Platform } from '../../api/v1alpha1/index.ts';
import { standstillOf } from '../../domain/freeze.ts';
import { isConflict } from '../../kube/errors.ts';
import { type Controller, controller } from '../../runtime/controller.ts';
import { BY, type Context } from '../context.ts';
import { apply } from './apply.ts';
import { decide } from './decide.ts';
import { gather, listing } from './gather.ts';

/** Real ms after a conflict: the cache follows the API server within a few. */
const CONFLICT = 100;

/**
 * Keyed by the names of generations. Wakes for those that a cutover has left or reserved, those that are retired and still
 * listed, and names that a platform lists and no generation has: when they change, or their platform or cutover does.
 */
export function retirementController(context: Context): Controller {
  const { caches, clock, log, observer } = context;
  const self = controller({
    name: 'retirement',
    clock,
    log,
    observer,
    concurrency: 2,
    reconcile: async (key) => {
      const input = await gather(context, key);
      if (!input) return undefined;
      const decision = decide(input);
      try {
        await apply(context, decision);
      } catch (error) {
        if (isConflict(error)) return { requeueAfter: CONFLICT };
        throw error;
      }
      return { requeueAfter: decision.requeueAfter };
    },
  });

  /** By the caches: every later change asks again. */
  const consider = (name: string) => {
    if (concerns(context, name)) self.enqueue(name);
  };
  caches.generations.subscribe((name, before, after) => {
    if (partOfGeneration(before) !== partOfGeneration(after)) consider(name);
  });
  caches.platforms.subscribe((name, before, after) => {
    if (partOfPlatform(before) === partOfPlatform(after)) return;
    const names = caches.generations.byIndex(BY.platform, name).map(({ metadata }) => metadata.name);
    for (const one of new Set([...names, ...(after?.status.protected ?? [])])) consider(one);
  });
  caches.cutovers.subscribe((_, before, after) => {
    if (partOfCutover(before) === partOfCutover(after)) return;
    const { platform, from, to } = (after ?? before)?.spec ?? {};
    const others = caches.generations.byIndex(BY.platform, platform ?? '').map(({ metadata }) => metadata.name);
    for (const one of new Set([...others, ...(from ? [from] : []), ...(to ? [to] : [])])) consider(one);
  });
  return self;
}

/** Whether there may be anything to do about a generation of this name. */
function concerns(context: Context, name: string): boolean {
  const generation = context.caches.generations.get(name);
  if (!generation) return listing(context, name) !== undefined;
  const platform = context.caches.platforms.get(generation.spec.platform);
  const { retention, reservedBy, retiredTime } = generation.status;
  if (reservedBy || platform?.status.cutover || platform?.status.quiesced) return true;
  return retiredTime ? platform?.status.protected?.includes(name) === true : retention !== undefined;
}

/** What matters here of each, so that nothing else wakes anybody. */
const partOfGeneration = (generation: ClusterGeneration | undefined): string => {
  const { retention, reservedBy, retiredTime, liveTime } = generation?.status ?? {};
  return JSON.stringify([generation?.metadata.uid, retention, reservedBy, retiredTime, liveTime]);
};
const partOfPlatform = (platform: Platform | undefined): string => {
  const { live, cutover, quiesced, protected: listed } = platform?.status ?? {};
  return JSON.stringify([platform && standstillOf(platform), live, cutover, quiesced, listed]);
};
const partOfCutover = (cutover: Cutover | undefined): string =>
  JSON.stringify([cutover?.metadata.uid, cutover?.status.outcome, cutover?.spec.retireNow]);
