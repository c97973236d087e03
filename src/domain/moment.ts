/** A point in time, and how to turn declared ms into real ms: all that a rule needs of a clock. */
export interface Moment {
  now: number;
  scaled(ms: number): number;
}

/** This moment by a clock. */
export const momentOf = (clock: { now(): number; scaled(ms: number): number }): Moment => ({
  now: clock.now(),
  scaled: (ms) => clock.scaled(ms),
});

/**
 * Real ms of a declared limit on what takes real time: requests, registrations, pods and endpoints are no faster in a drill than
 * elsewhere. So a drill shortens it to `least` real ms and not below. One that is declared shorter stays as it is, and at time scale 1
 * every limit is what it says.
 */
export const realLimit = ({ scaled }: Pick<Moment, 'scaled'>, declared: number, least: number): number =>
  Math.max(scaled(declared), Math.min(declared, least));
