import type { ClusterGeneration, Platform } from '../api/v1alpha1/index.ts';

export type Stage = NonNullable<ClusterGeneration['status']['stage']>;

/** What people see of a generation's life. Derived: nothing is decided by it. */
export function stageOf(
  generation: ClusterGeneration,
  platform: Platform | undefined,
  machines: { planned: boolean; desired: number; ready: number },
): Stage {
  const { liveTime, retention, reservedBy, retiredTime } = generation.status;
  if (retiredTime) return 'Retired';
  if (platform?.status.live?.uid === generation.metadata.uid) return 'Live';
  // A rollback that has reserved it may still be given up.
  if (retention || (liveTime && !reservedBy)) return 'Retained';
  if (!machines.planned) return 'Planned';
  return machines.ready >= machines.desired ? 'Staged' : 'Provisioning';
}
