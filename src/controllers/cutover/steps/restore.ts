import { realLimit } from '../../../domain/moment.ts';
import type { Action, CutoverInput, Step } from '../input.ts';
import { entryOf, hasBegun } from '../journal.ts';
import { letStart, overdue, quiesce, quiesceNow, running, stopping } from './quiesce.ts';

/** How long a task may take to start, beside what its role's pace takes for all of them. Declared ms. */
const PATIENCE = 600_000;
/** Pods start in real time, however fast a drill runs. Real ms. */
const LEAST_PATIENCE = 180_000;

/**
 * Restore lets the pods that follow the live pointer go to the new generation, at their roles' pace. Undone, they are
 * stopped again: what was migrated is taken back with nothing running on it.
 */
export const restore: Step = {
  name: 'Restore',
  skip: (input) => (input.cutover.spec.to === undefined ? 'no generation is live' : quiesce.skip?.(input)),
  done: (input) => letStart(input) === undefined && hasBegun(input.cutover, 'Restore') && pending(input).length === 0,
  act: (input) => letStart(input) ?? waitOrSay(input),
  undo: (input) => {
    const written = quiesceNow(input);
    if (written) return written;
    if (running(input).length === 0) return undefined;
    const problem = overdue(input);
    return problem ? { blocked: problem } : { waitFor: stopping(input) };
  },
};

/**
 * Since the step began, as a census does not tell when the last one started; of a role with fewer starts at once than its pace
 * allows this may be early. It is Blocked and no more: tasks go on starting meanwhile, and users are served.
 */
function waitOrSay(input: CutoverInput): Action {
  const waiting = pending(input).join('; ');
  const since = Date.parse(entryOf(input.cutover, 'Restore')?.startTime ?? '') || input.now;
  if (waiting === '' || input.now - since <= patience(input)) return { waitFor: waiting || 'tasks to be counted' };
  return {
    blocked: {
      reason: 'TasksDoNotStart',
      message: `not all run 10 minutes after they could have at their pace: ${waiting}. Remove the cause, and it goes on by itself`,
    },
  };
}

function patience(input: CutoverInput): number {
  const { tasks } = input;
  const paced = tasks.map(({ total, startsPerSecond }) => (startsPerSecond > 0 ? (total / startsPerSecond) * 1000 : 0));
  return realLimit(input, PATIENCE + Math.max(0, ...paced), LEAST_PATIENCE);
}

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
