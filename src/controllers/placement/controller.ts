import { LABEL } from '../../api/v1alpha1/index.ts';
import { type Controller, controller } from '../../runtime/controller.ts';
import { type Context, PLATFORMS_AT_ONCE } from '../context.ts';
import { apply } from './apply.ts';
import { decide } from './decide.ts';
import { gather } from './gather.ts';
import { type Memory, memory } from './memory.ts';
import { tellRefusal } from './refused.ts';

/** How often the cloud is asked about machines that do not answer. Declared ms. */
const MACHINES = 10_000;

/** Tasks wait for what was refused, a cutover for them. Declared ms. */
const LONGEST_BACKOFF = 10_000;

/** Wakes for pods that name a platform, for that Platform, and for Nodes that come, go or change their mind. Keys are names of platforms. */
export function placementController(context: Context): Controller {
  const { caches, clock, log, observer } = context;
  const memories = new Map<string, Memory>();
  const memoryOf = (platform: string): Memory => {
    const known = memories.get(platform) ?? memory(clock);
    memories.set(platform, known);
    return known;
  };

  const self = controller({
    name: 'placement',
    clock,
    log,
    observer,
    concurrency: PLATFORMS_AT_ONCE,
    maxBackoff: LONGEST_BACKOFF,
    async reconcile(key, signal) {
      const known = memoryOf(key);
      const input = await gather(context, key, known);
      const decision = decide(input);
      try {
        await apply(context, input, decision, known, signal);
      } catch (error) {
        await tellRefusal(context, key, error);
        throw error;
      }
      await tellRefusal(context, key, undefined);
      if (!input.platform && input.pods.length === 0) memories.delete(key);
      const { pace, machines } = decision.again;
      const waits = [...(pace === undefined ? [] : [pace]), ...(machines ? [clock.scaled(MACHINES)] : [])];
      return { requeueAfter: waits.length > 0 ? Math.min(...waits) : undefined };
    },
  });
  caches.pods.subscribe((_, before, after) => {
    const platform = (after ?? before)?.platform;
    if (platform) self.enqueue(platform);
  });
  caches.platforms.subscribe((key) => self.enqueue(key));
  caches.nodes.subscribe((_, before, after) => {
    const platform = (after ?? before)?.labels[LABEL.platform];
    if (platform && before?.ready !== after?.ready) self.enqueue(platform);
  });
  return self;
}
