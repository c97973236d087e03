import { isTrue } from '../../domain/conditions.ts';
import { cutovers } from '../../kinds.ts';
import { find } from '../../kube/find.ts';
import { type Controller, controller } from '../../runtime/controller.ts';
import { BY, type Context } from '../context.ts';
import { afterTrouble } from '../trouble.ts';
import { apply } from './apply.ts';
import { decide } from './decide.ts';
import { gather } from './gather.ts';

/**
 * Wakes for its cutovers, and for the platform and generations of those that are not finished, or that say that there is
 * a way back. One at a time.
 */
export function cutoverController(context: Context): Controller {
  const { caches, client, clock, log, observer } = context;
  const self = controller({
    name: 'cutover',
    clock,
    log,
    observer,
    concurrency: 1,
    reconcile: async (key) => {
      const cutover = await find(client, cutovers, key);
      if (!cutover) return undefined;
      try {
        const input = await gather(context, cutover);
        return { requeueAfter: await apply(context, input, decide(input)) };
      } catch (error) {
        return afterTrouble(context, cutovers, cutover, error, ['Blocked']);
      }
    },
  });
  const concerned = (platform: string | undefined) => {
    for (const cutover of caches.cutovers.byIndex(BY.platform, platform ?? ''))
      if (!cutover.status.outcome || isTrue(cutover, 'RollbackAvailable')) self.enqueue(cutover.metadata.name);
  };
  caches.cutovers.subscribe((key, before, after) => {
    if (after && before?.metadata.generation !== after.metadata.generation) self.enqueue(key);
    if (!after || (after.status.outcome && !before?.status.outcome)) concerned((after ?? before)?.spec.platform);
  });
  caches.platforms.subscribe((key) => concerned(key));
  caches.generations.subscribe((_, before, after) => concerned((after ?? before)?.spec.platform));
  return self;
}
