import type { Evidence } from './evidence.ts';

/** One line of the table: what happened in 2023, what happened here, and whether it is as it should be. */
export interface Line {
  what: string;
  in2023: string;
  here: string;
  holds: boolean;
}

/** Makes one line. Pure: every figure but those of 2023 comes from the evidence. */
export type Judge = (evidence: Evidence) => Line;

/** Real ms as declared minutes, for people. */
export const minutes = (ms: number, { scale }: Evidence): string => {
  const value = (ms * scale) / 60_000;
  return `${value === 0 || value >= 9.95 ? Math.round(value) : value.toFixed(1)} min`;
};
