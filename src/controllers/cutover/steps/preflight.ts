import type { Step } from '../input.ts';
import { objectionsTo } from '../objections.ts';
import { nothing } from './nothing.ts';

/** Preflight proves, before anything moves, that the new generation is complete and every target can be switched. */
export const preflight: Step = {
  name: 'Preflight',
  done: (input) => objectionsTo(input).length === 0,
  act: (input) => {
    const [blocked] = objectionsTo(input);
    return blocked ? { blocked } : { waitFor: 'the end of Preflight' };
  },
  undo: nothing,
};
