import type { Platform } from '../api/v1alpha1/index.ts';

/**
 * What the canary's report (Platform.status.guard) is worth. A cutover and every removal of what ever was live ask here
 * first; what creates machines does not.
 */

/** Declared ms between two rounds of probes. */
export const PROBE_INTERVAL = 60_000;

/** A report is believed for three rounds: one may be late, two that fail are noticed. Declared ms. */
const BELIEVED_FOR = 3 * PROBE_INTERVAL;

/** Why the guard cannot be relied on now, a sentence for people; undefined when it can. */
export function guardTrouble(
  platform: Platform,
  { now, scaled }: { now: number; scaled(ms: number): number },
): string | undefined {
  const { name } = platform.metadata;
  const { guard } = platform.status;
  if (!guard) return `the guard of Platform ${name} has not been probed yet`;
  const holes = guard.probes.filter(({ outcome }) => outcome === 'Hole');
  if (!guard.effective || holes.length > 0) {
    const list = holes.map(({ verb, target }) => `${verb} ${target}`).join(', ');
    return `the guard of Platform ${name} has a hole: ${list || 'its last round of probes failed'} was not refused by a policy`;
  }
  const age = now - Date.parse(guard.lastProbeTime);
  return Math.abs(age) > scaled(BELIEVED_FOR)
    ? `the guard of Platform ${name} was last probed at ${guard.lastProbeTime}`
    : undefined;
}
