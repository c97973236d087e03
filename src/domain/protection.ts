import type { ClusterGeneration, Platform } from '../api/v1alpha1/index.ts';

/**
 * Why a generation may not lose machines, nor be deleted; undefined when it may. This is the operator's half of the
 * rule: the policies in charts/ state the same in CEL, so that neither trusts the other.
 *
 * `platform` is undefined when it does not exist: then the generation's own status decides, so that a mistyped one
 * that never was live is easy to delete, and one that was live stays protected.
 */
export function holdOf(generation: ClusterGeneration, platform: Platform | undefined): string | undefined {
  const { name, uid } = generation.metadata;
  const { reservedBy, liveTime, retiredTime } = generation.status;
  const live = platform?.status.live;
  if (live?.name === name || live?.uid === uid)
    return `${name} is the live generation of Platform ${platform?.metadata.name} since ${live.time}`;
  if (reservedBy) return `${name} is reserved by Cutover ${reservedBy.name}`;
  if (liveTime && !retiredTime) return `${name} has been live since ${liveTime} and no Cutover has retired it`;
  if (generation.spec.adopt && !retiredTime) return `${name} is adopted and no Cutover has retired it`;
  if (!platform) return undefined;
  if (!platform.status.protected)
    return `Platform ${platform.metadata.name} has no status.protected yet, so whether ${name} is live is not known`;
  if (platform.status.protected.includes(name))
    return `${name} is in status.protected of Platform ${platform.metadata.name}`;
  return undefined;
}

/** True for a generation whose removal the destructive budget governs: one that has ever been live. */
export const wasEverLive = (generation: ClusterGeneration): boolean => generation.status.liveTime !== undefined;
