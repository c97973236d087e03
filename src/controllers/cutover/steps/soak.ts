import type { Step } from '../input.ts';
import { nothing } from './nothing.ts';

// Stands in until its owner replaces this file.
export const soak: Step = {
  name: 'Soak',
  skip: () => 'not yet',
  done: () => true,
  act: () => ({ waitFor: '' }),
  undo: nothing,
};
