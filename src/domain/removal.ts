import type { ClusterGeneration, Platform } from '../api/v1alpha1/index.ts';
import { freezeOf, standstillOf } from './freeze.ts';
import { guardTrouble } from './guard.ts';
import type { Moment } from './moment.ts';
import { holdOf, wasEverLive } from './protection.ts';
import { objectionToStopping } from './standby.ts';

/**
 * Why nothing of a generation may be removed, or stopped, now: a sentence for people; undefined when it may. The interlock asks here by
 * live reads, before every act. Controllers ask by their caches: what would be refused is said, and not asked for again and again.
 */

export function objectionToRemoval(
  generation: ClusterGeneration,
  platform: Platform | undefined,
  moment: Moment,
): string | undefined {
  // An override lifts what Kubernetes says; that the cloud says something else, it does not.
  const hold = holdOf(generation, platform, moment) ?? (platform && freezeOf(platform));
  if (hold) return hold;
  const trouble = platform && wasEverLive(generation) && guardTrouble(platform, moment);
  return trouble ? `${trouble}. What was ever live is removed only while the guard is seen to work` : undefined;
}

/** The same for stopping the machines of a standby. No override lifts this: it lets people end machines, not stop them. */
export function objectionToStop(
  generation: ClusterGeneration,
  platform: Platform | undefined,
  moment: Moment,
): string | undefined {
  const objection = objectionToStopping(generation, platform) ?? (platform && standstillOf(platform));
  if (objection) return objection;
  const trouble = platform && guardTrouble(platform, moment);
  return trouble ? `${trouble}. A standby is stopped only while the guard is seen to work` : undefined;
}
