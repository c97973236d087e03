import type { Platform } from '../api/v1alpha1/index.ts';
import { conditionOf } from './conditions.ts';

/** The condition of a Platform that says whether what Kubernetes believes to be live agrees with the cloud. */
export const CONSISTENT = 'Consistent';

/**
 * Why nothing of a platform may be launched, terminated or moved now; undefined when it may. After a restore from a
 * backup the cloud may know machines, or a live generation, that Kubernetes does not: acting on either side's word
 * could end the live ones, or build a second fleet beside them.
 */
export function freezeOf(platform: Platform): string | undefined {
  const consistent = conditionOf(platform, CONSISTENT);
  return consistent?.status === 'False' ? consistent.message : undefined;
}

/** The same, and nothing either before the operator has compared the two sides for the first time. */
export function standstillOf(platform: Platform): string | undefined {
  if (platform.status.protected === undefined)
    return (
      freezeOf(platform) ??
      `Platform ${platform.metadata.name} has no status.protected yet: the operator has not compared it with the cloud`
    );
  return freezeOf(platform);
}
