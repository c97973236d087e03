import type { PlacedRole, Ramp } from './input.ts';

/** How fast pods of a role may be started, and moved away from where they are. */
export interface Allowance {
  /** Pods that may be started now. */
  starts: number;
  /** Pods that may be ended now so that they start elsewhere. */
  stops: number;
  /** Pods that may be on their way at once. */
  starting: number;
  /** Real ms until there is one more to start or to end. */
  wait: number;
}

/** The pace of one platform. `now`: real ms, monotonic. */
export interface Pace {
  allow(role: PlacedRole, now: number): Allowance;
  /** So many were started, or ended to be started elsewhere. */
  took(role: PlacedRole, count: { starts: number; stops: number }, now: number): void;
}

/** Without spec.roles[].ramp: the ceilings that a control plane of the usual size starts pods at without being felt. */
export const USUAL_RAMP: Ramp = { startsPerSecond: 20, maxStarting: 200 };

/** Real ms; a shorter wait would only make smaller batches. */
const LEAST_WAIT = 50;

type Bucket = { tokens: number; at: number };

/**
 * A pace that is what `ramp` says: for starts and for stops a bucket each that holds one second's worth.
 *
 * @param rate turns a declared rate into events per real second
 */
export function steadyPace(rate: (perSecond: number) => number): Pace {
  const starts = new Map<string, Bucket>();
  const stops = new Map<string, Bucket>();
  const perSecond = ({ ramp = USUAL_RAMP }: PlacedRole) => rate(ramp.startsPerSecond);
  const level = (buckets: Map<string, Bucket>, role: PlacedRole, now: number): number => {
    const full = Math.max(1, perSecond(role));
    const { tokens, at } = buckets.get(role.name) ?? { tokens: full, at: now };
    return Math.min(full, tokens + (Math.max(0, now - at) / 1000) * perSecond(role));
  };
  const take = (buckets: Map<string, Bucket>, role: PlacedRole, count: number, now: number) =>
    void buckets.set(role.name, { tokens: Math.max(0, level(buckets, role, now) - count), at: now });
  return {
    allow(role, now) {
      const lowest = Math.min(level(starts, role, now), level(stops, role, now));
      const missing = Math.max(0, 1 - lowest);
      return {
        starts: Math.floor(level(starts, role, now)),
        stops: Math.floor(level(stops, role, now)),
        starting: (role.ramp ?? USUAL_RAMP).maxStarting,
        wait: Math.max(LEAST_WAIT, (missing / perSecond(role)) * 1000),
      };
    },
    took(role, count, now) {
      take(starts, role, count.starts, now);
      take(stops, role, count.stops, now);
    },
  };
}
