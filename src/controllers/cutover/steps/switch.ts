import type { Step } from '../input.ts';
import { hasArrived, journalled, moveAlong } from '../moves.ts';
import type { Way } from '../standing.ts';

/**
 * Switch moves every traffic target without a maintenance responder to the new generation: all old values are journalled
 * first, then all are switched at once, then each is believed only when it is seen to serve from the new machines.
 */

const FORTH: Way = { applies: ({ hold }) => hold === undefined, from: 'from', to: 'to' };
const BACK: Way = { ...FORTH, from: 'to', to: 'from' };

export const switchTraffic: Step = {
  name: 'Switch',
  skip: ({ cutover, platform }) => {
    if (cutover.spec.to === undefined) return 'no generation becomes live: traffic stays where it is';
    const { switches } = cutover.status;
    if (switches) return switches.some(FORTH.applies) ? undefined : 'every traffic target is held, for Release';
    return platform?.spec.traffic.length === 0 ? 'the Platform has no traffic targets' : undefined;
  },
  done: (input) => hasArrived(input, FORTH),
  act: (input) => {
    if (!input.cutover.status.switches) return journalled(input);
    return moveAlong(input, 'Switch', FORTH) ?? { waitFor: 'the end of Switch' };
  },
  undo: (input) => moveAlong(input, 'Switch', BACK),
};
