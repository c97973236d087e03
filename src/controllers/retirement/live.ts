import type { ClusterGeneration, Platform } from '../../api/v1alpha1/index.ts';
import { uidsOf } from '../../domain/identity.ts';

/** Whether a platform serves from this generation, by its name or by any of its UIDs: one of them is enough to leave it alone. */
export function isLive(
  { status: { live } }: Platform,
  { name, generation }: { name: string; generation?: ClusterGeneration | undefined },
): boolean {
  if (!live) return false;
  return live.name === name || (generation !== undefined && uidsOf(generation).includes(live.uid));
}
