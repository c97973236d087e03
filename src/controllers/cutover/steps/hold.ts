import type { CutoverInput, Step } from '../input.ts';
import { hasArrived, journalled, moveAlong } from '../moves.ts';
import type { Way } from '../standing.ts';

/**
 * Hold points every target that has a maintenance responder at it, so that nothing is served while data is migrated. It
 * comes before Switch, and so writes down where all targets are, also those that it does not move.
 */

const FORTH: Way = { applies: ({ hold }) => hold !== undefined, from: 'from', to: 'hold' };
const BACK: Way = { ...FORTH, from: 'hold', to: 'from' };

export const hold: Step = {
  name: 'Hold',
  skip: ({ cutover, platform }) => {
    if (cutover.spec.to === undefined) return 'no generation becomes live: traffic stays where it is';
    return isHeldAny({ cutover, platform }) ? undefined : 'no traffic target has a maintenance responder';
  },
  done: (input) => hasArrived(input, FORTH),
  act: (input) => {
    if (!input.cutover.status.switches) return journalled(input);
    return moveAlong(input, 'Hold', FORTH) ?? { waitFor: 'the end of Hold' };
  },
  undo: (input) => moveAlong(input, 'Hold', BACK),
};

/** By the journal once it is written: what is taken out of the Platform later is still behind its responder. */
const isHeldAny = ({ cutover, platform }: Pick<CutoverInput, 'cutover' | 'platform'>): boolean =>
  cutover.status.switches?.some(FORTH.applies) ??
  platform?.spec.traffic.some(({ maintenance }) => maintenance !== undefined) === true;
