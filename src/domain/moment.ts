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
