import type { ClusterGeneration, Platform } from '../api/v1alpha1/index.ts';
import type { Moment } from './moment.ts';

/** How long an override stays in force. Declared ms. */
export const OVERRIDE_FOR = 10 * 60_000;

/** By how much two clocks of replicas may differ before what one wrote means nothing to the other. Declared ms. */
const CLOCK_SLACK = 60_000;

/**
 * True while an override that ends at `until` is to be believed: it has not ended, and does not end later than any
 * operator with a right clock would have written.
 */
export const isCurrent = (until: string, { now, scaled }: Moment): boolean =>
  Date.parse(until) > now && Date.parse(until) - now <= scaled(OVERRIDE_FOR + CLOCK_SLACK);

/**
 * The override in force for this very generation, by its UID; undefined when there is none. Both objects must say so,
 * and say the same: one alone is half of a write, or a leftover.
 */
export function overrideOf(
  generation: ClusterGeneration,
  platform: Platform | undefined,
  moment: Moment,
): { until: string; release: boolean } | undefined {
  const there = platform?.status.override;
  const here = generation.status.override;
  if (!there || !here || there.uid !== generation.metadata.uid || there.until !== here.until) return undefined;
  if ((there.release ?? false) !== (here.release ?? false)) return undefined;
  return isCurrent(here.until, moment) ? { until: here.until, release: here.release ?? false } : undefined;
}
