import type { Step } from '../input.ts';
import { hasArrived, moveAlong } from '../moves.ts';
import type { Way } from '../standing.ts';

/** Release moves the targets that were held on to the new generation: users are let in when nothing can go wrong before them. */

const FORTH: Way = { applies: ({ hold }) => hold !== undefined, from: 'hold', to: 'to' };
const BACK: Way = { ...FORTH, from: 'to', to: 'hold' };

export const release: Step = {
  name: 'Release',
  skip: ({ cutover }) => (cutover.status.switches?.some(FORTH.applies) ? undefined : 'no traffic target is held'),
  done: (input) => hasArrived(input, FORTH),
  act: (input) => moveAlong(input, 'Release', FORTH) ?? { waitFor: 'the end of Release' },
  undo: (input) => moveAlong(input, 'Release', BACK),
};
