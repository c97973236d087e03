import { parseDuration } from '../../../domain/duration.ts';
import type { CutoverInput, Step } from '../input.ts';
import { entryOf as entryOfStep } from '../journal.ts';
import { checksOf, type Entry, entryOf, lookAtChecks } from './checks-round.ts';

/**
 * Soak goes on asking the checks of Verify while users are served by the new generation, for as long as spec.soak says
 * since they were let in, and at least once. Each check has rounds of its own: a slow one does not hold up the others.
 */

/** From the beginning of a check's round to that of its next. Declared ms. */
const EVERY = 30_000;

export const soak: Step = {
  name: 'Soak',
  skip: (input) => {
    if (checksOf(input).length > 0 && input.cutover.spec.to !== undefined) return undefined;
    return input.cutover.spec.soak === undefined ? 'no soak, and no checks to ask again' : undefined;
  },
  done: (input) =>
    input.now >= endOf(input) &&
    asked(input).every((check) => {
      const entry = entryOf(input, check);
      return entry !== undefined && entry.round > 0 && entry.state === 'Passed';
    }),
  act: (input) => {
    const end = endOf(input);
    const until =
      input.now < end
        ? `soaking until ${new Date(end).toISOString()}`
        : 'users are let in: each check is asked once more';
    if (asked(input).length === 0) return { waitFor: until, until: end, patiently: true };
    const { journal, changed, effects, waiting, failed } = lookAtChecks(input, (entry) => dueIn(input, entry, end));
    if (failed) return { failed, journal };
    if (effects.length > 0) return { journal, effects, message: effects.map(({ what }) => what).join('; ') };
    const next =
      waiting.length > 0 ? undefined : Math.min(end, ...journal.checks.map((entry) => nextRound(input, entry)));
    return {
      waitFor: [until, ...waiting].join('; '),
      patiently: true,
      ...(next !== undefined && { until: next }),
      ...(changed && { journal }),
    };
  },
  undo: () => undefined,
};

/** Without a new generation there is nothing to ask. */
const asked = (input: CutoverInput) => (input.cutover.spec.to === undefined ? [] : checksOf(input));

/** ms since the epoch: of declared time since users were let in, which Release has seen; its end is written before the next look. */
function endOf({ cutover, now, scaled }: CutoverInput): number {
  const { soak = '0s' } = cutover.spec;
  const since = entryOfStep(cutover, 'Release')?.endTime;
  return (since === undefined ? now : Date.parse(since)) + scaled(parseDuration(soak));
}

const nextRound = ({ scaled }: CutoverInput, { startTime }: Entry): number => Date.parse(startTime) + scaled(EVERY);

/** The first round follows the switch at once; no other begins once the time is over. */
function dueIn(input: CutoverInput, entry: Entry | undefined, end: number): number | undefined {
  if (!entry || entry.round === 0) return 1;
  if (entry.state !== 'Passed' || input.now >= end || input.now < nextRound(input, entry)) return undefined;
  return entry.round + 1;
}
