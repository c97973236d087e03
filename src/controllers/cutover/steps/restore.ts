import type { CutoverInput, Step } from '../input.ts';
import { hasBegun } from '../journal.ts';
import { letStart, overdue, quiesce, quiesceNow, running, stopping } from './quiesce.ts';

/**
 * Restore lets the pods that follow the live pointer go to the new generation, at their roles' pace. Undone, they are
 * stopped again: what was migrated is taken back with nothing running on it.
 */
export const restore: Step = {
  name: 'Restore',
  skip: (input) => (input.cutover.spec.to === undefined ? 'no generation is live' : quiesce.skip?.(input)),
  done: (input) => letStart(input) === undefined && hasBegun(input.cutover, 'Restore') && pending(input).length === 0,
  act: (input) => letStart(input) ?? { waitFor: pending(input).join('; ') || 'tasks to be counted' },
  undo: (input) => {
    const written = quiesceNow(input);
    if (written) return written;
    if (running(input).length === 0) return undefined;
    const problem = overdue(input);
    return problem ? { blocked: problem } : { waitFor: stopping(input) };
  },
};

/** What is not yet where it belongs, by role: of pods that last. Where runs of scheduled tasks begin all the time, one always waits. */
function pending({ cutover, tasks }: CutoverInput): string[] {
  return tasks.flatMap(({ role, total, waiting, starting, arriving, on, trouble }) => {
    const elsewhere = Object.entries(on).filter(([generation]) => generation !== cutover.spec.to);
    const left = elsewhere.reduce((sum, [, pods]) => sum + pods, 0);
    if (arriving + left === 0) return [];
    const where = elsewhere.map(([generation, pods]) => `, ${pods} on ${generation}`).join('');
    return [
      `${role}: of ${total} tasks ${waiting} wait and ${starting} start${where}${trouble ? ` (${trouble})` : ''}`,
    ];
  });
}
