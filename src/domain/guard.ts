import type { Platform } from '../api/v1alpha1/index.ts';
import { conditionOf } from './conditions.ts';
import { type Moment, realLimit } from './moment.ts';

/**
 * What the canary's report (Platform.status.guard) is worth. A cutover and every removal of what ever was live ask here
 * first; what creates machines does not.
 */

/** The condition of a Platform that says whether its guard was seen to refuse. */
export const GUARD_EFFECTIVE = 'GuardEffective';

/** Declared ms from one round of probes to the next: less than a minute, so that a hole shows within one. */
export const PROBE_INTERVAL = 50_000;

/** A report is believed for three minutes: one round may be late, two that fail are noticed. Declared ms. */
const BELIEVED_FOR = 180_000;

/**
 * Real ms. A round is some twenty requests, one after the other, answered in real time however fast a drill runs: on two cores with ten
 * times their work it was seen to take 30 s.
 */
const BELIEVED_AT_LEAST = 120_000;

/** Why the guard cannot be relied on now, a sentence for people; undefined when it can. */
export function guardTrouble(platform: Platform, moment: Moment): string | undefined {
  const { name } = platform.metadata;
  const { guard } = platform.status;
  if (!guard) return `the guard of Platform ${name} has not been probed yet`;
  const holes = guard.probes.filter(({ outcome }) => outcome === 'Hole');
  if (holes.length > 0) {
    const list = holes.map(({ verb, target }) => `${verb} ${target}`).join(', ');
    return `the guard of Platform ${name} has a hole: ${list} was not refused by a policy`;
  }
  if (!guard.effective)
    return `the guard of Platform ${name} is not proved: ${conditionOf(platform, GUARD_EFFECTIVE)?.message ?? 'its last round of probes failed'}`;
  const age = moment.now - Date.parse(guard.lastProbeTime);
  return Math.abs(age) > realLimit(moment, BELIEVED_FOR, BELIEVED_AT_LEAST)
    ? `the guard of Platform ${name} was last probed at ${guard.lastProbeTime}`
    : undefined;
}
