import { isTrue } from '../../domain/conditions.ts';
import { cutovers } from '../../kinds.ts';
import { find } from '../../kube/find.ts';
import { type Controller, controller } from '../../runtime/controller.ts';
import { BY, type Context, PLATFORMS_AT_ONCE } from '../context.ts';
import { reporting } from '../trouble.ts';
import { apply } from './apply.ts';
import { decide } from './decide.ts';
import { gather } from './gather.ts';

/** Longest wait of one that was refused, or found no API server: "within ten seconds", say the docs. Declared ms, and never more real ones. */
const LONGEST_BACKOFF = 10_000;

/**
 * Wakes for its cutovers, and for the platform and generations of those that are not finished, or that say that there is
 * a way back. One of each platform at a time, and no platform waits for another.
 */
export function cutoverController(context: Context): Controller {
  const { caches, client, clock, log, observer } = context;
  const self = controller({
    name: 'cutover',
    clock,
    log,
    observer,
    concurrency: PLATFORMS_AT_ONCE,
    lane: (key) => caches.cutovers.get(key)?.spec.platform ?? key,
    maxBackoff: LONGEST_BACKOFF,
    reconcile: reporting(
      context,
      cutovers,
      {
        read: (key) => find(client, cutovers, key),
        stopped: ['Blocked'],
        ended: ({ status }) => status.outcome !== undefined,
      },
      async (cutover) => {
        const input = await gather(context, cutover);
        return { requeueAfter: await apply(context, input, decide(input)) };
      },
    ),
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
