import type { Step } from '../input.ts';
import { checksOf, entryOf, lookAtChecks } from './checks-round.ts';

/** Verify asks every check once, all at the same time, through the previews: no user has seen the new generation yet. */
export const verify: Step = {
  name: 'Verify',
  skip: (input) => {
    if (checksOf(input).length === 0) return 'no checks';
    return input.cutover.spec.to === undefined ? 'no generation becomes live that could be asked' : undefined;
  },
  done: (input) => checksOf(input).every((check) => entryOf(input, check)?.state === 'Passed'),
  act: (input) => {
    const { journal, changed, effects, waiting, failed } = lookAtChecks(input, (entry) => (entry ? undefined : 0));
    if (failed) return { failed, journal };
    const message = waiting.join('; ') || 'all checks have passed';
    return changed || effects.length > 0 ? { journal, effects, message } : { waitFor: message };
  },
  // Where the previews are left harms nobody: they carry no traffic.
  undo: () => undefined,
};
