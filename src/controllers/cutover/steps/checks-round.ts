import { isDeepStrictEqual } from 'node:util';
import type { Cutover } from '../../../api/v1alpha1/index.ts';
import type { Problem } from '../../../traffic/target.ts';
import type { CutoverInput, Effect } from '../input.ts';
import { lookAtHttp, lookAtJob } from './check.ts';

/**
 * One look at all checks, for Verify and Soak alike. In go what the http checks were answered, what the Jobs of the others
 * show, and for each check the round that is due; out come the journal, what to do next, and what has failed.
 */

export type Check = NonNullable<Cutover['spec']['verify']>[number];
export type Entry = NonNullable<Cutover['status']['checks']>[number];

/** One check after a look at it. */
export interface Look {
  /** Absent while the check was not begun. */
  entry: Entry | undefined;
  effects?: Effect[];
  /** The target whose preview has to be pointed at the new generation. */
  preview?: string;
  waiting?: string;
  failed?: Problem;
}

/** All checks after a look at them. */
export interface Round {
  journal: { checks: Entry[] };
  /** The journal has to be written. */
  changed: boolean;
  effects: Effect[];
  /** What is still to come, for people. */
  waiting: string[];
  /** The first check that has failed. */
  failed: Problem | undefined;
}

export const checksOf = ({ cutover }: CutoverInput): Check[] => cutover.spec.verify ?? [];

export const entryOf = ({ cutover }: CutoverInput, { name }: Check): Entry | undefined =>
  cutover.status.checks?.find((entry) => entry.name === name);

/** @param due the number of the round that a check has to begin now; undefined when there is none to begin */
export function lookAtChecks(input: CutoverInput, due: (entry: Entry | undefined) => number | undefined): Round {
  const looks = checksOf(input).map((check) => {
    const before = entryOf(input, check);
    const look = (check.jobTemplate ? lookAtJob : lookAtHttp)(input, check, before, due(before));
    return { ...look, before };
  });
  const failed = looks.find((look) => look.failed)?.failed;
  // What goes back starts nothing more, and does not claim to have started it.
  const entries = looks.map((look) => (failed && startsSomething(look) ? look.before : look.entry));
  const checks = entries.filter((entry) => entry !== undefined);
  return {
    journal: { checks },
    changed: !isDeepStrictEqual(checks, input.cutover.status.checks ?? []),
    effects: failed ? [] : [...previews(input, looks), ...looks.flatMap(({ effects = [] }) => effects)],
    waiting: looks.map(({ waiting }) => waiting).filter((text) => text !== undefined),
    failed,
  };
}

const startsSomething = ({ effects, preview }: Look): boolean => effects !== undefined || preview !== undefined;

function previews({ cutover }: CutoverInput, looks: Look[]): Effect[] {
  const targets = [...new Set(looks.map(({ preview }) => preview).filter((target) => target !== undefined))];
  const generation = cutover.spec.to ?? '';
  if (targets.length === 0) return [];
  return [{ do: 'preview', targets, generation, what: `point the preview of ${targets.join(', ')} at ${generation}` }];
}
