import type { ClusterGeneration, Platform } from '../api/v1alpha1/index.ts';
import type { Moment } from './moment.ts';
import { overrideOf } from './override.ts';

/**
 * Why a generation may not lose machines, nor be deleted; undefined when it may. This is the operator's half of the
 * rule: the policies in charts/ state the same in CEL, so that neither trusts the other.
 *
 * `platform` is undefined when it does not exist: then the generation's own status decides, so that a mistyped one
 * that never was live is easy to delete, and one that was live stays protected. An override in force at this `moment`
 * lifts every hold.
 */
export function holdOf(
  generation: ClusterGeneration,
  platform: Platform | undefined,
  moment: Moment,
): string | undefined {
  if (overrideOf(generation, platform, moment)) return undefined;
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

/**
 * True for a generation whose removal the destructive budget governs: one that has ever been live, or of which nobody
 * knows, because it was restored from a backup.
 */
export const wasEverLive = ({ status }: ClusterGeneration): boolean =>
  status.liveTime !== undefined || (status.formerUIDs ?? []).length > 0;

/** True for one that deletes easily: no cutover has ever touched it, and nothing protects it. */
export function neverWasLive({ metadata, spec, status }: ClusterGeneration, platform: Platform): boolean {
  if (metadata.deletionTimestamp || spec.adopt) return false;
  if (status.liveTime || status.reservedBy || status.retiredTime || status.formerUIDs?.length) return false;
  return !platform.status.protected?.includes(metadata.name);
}
