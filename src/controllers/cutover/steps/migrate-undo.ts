import { timestamp } from '../../../domain/conditions.ts';
import type { Action, CutoverInput } from '../input.ts';
import { kept, VOID_TEMPLATE } from '../job-manifest.ts';
import { jobKey, located, progressOf, startOf } from './job-progress.ts';
import { DEADLINE, type Entry, ended, journalled, type Migration, nowhere, problem } from './migration-journal.ts';

/** How a migration is taken back: by the Job that its author has written for that, once its own has ended. */

/** What is left to take back of one migration; undefined when nothing is. */
export function takeBack(input: CutoverInput, migration: Migration, entry: Entry): Action | undefined {
  const { name } = migration;
  switch (entry.state) {
    case 'Undone':
    case 'Failed':
      return undefined;
    case 'Running':
      return stop(input, migration, entry);
    case 'Committed':
      if (!entry.reversible)
        return {
          blocked: problem(
            'Irreversible',
            name,
            'it is committed and not reversible: the cutover cannot go back past it',
          ),
        };
      if (migration.undo) return beginUndo(input, migration, entry, undefined);
      return { journal: ended(input, entry, 'Undone'), effects: [], message: `migration ${name} has nothing to undo` };
    case 'Undoing':
      return finishUndo(input, migration, entry);
  }
}

/** One that runs is left to end: nobody knows what an interrupted migration has done. */
function stop(input: CutoverInput, { name, undo, deadline = DEADLINE }: Migration, before: Entry): Action {
  const entry = located(input, before);
  const { job = '' } = entry;
  const progress = progressOf(input, before, deadline);
  switch (progress.state) {
    case 'Absent': {
      // Not created yet, as far as can be seen now; a former leader may be about to. It must find the name taken.
      const what = `keep migration ${name} from being started late: occupy the name of Job ${job}`;
      return { effects: [startOf(job, VOID_TEMPLATE, deadline, what)], message: what };
    }
    case 'Running': {
      const waits = progress.message && `; ${progress.message}`;
      const waitFor = `waiting for the end of migration ${name}, Job ${job}, before it can be undone: at its deadline of ${deadline} at the latest${waits}. Who knows that it survives being killed can delete the Job: its pods are told to end, and it counts as failed when they have`;
      return { waitFor, ...(entry !== before && { journal: journalled(input, entry) }) };
    }
    case 'Succeeded':
      return { journal: ended(input, entry, 'Committed'), effects: [], message: `migration ${name} is committed` };
    case 'Failed': {
      const message = `migration ${name} failed and has changed nothing`;
      return { journal: ended(input, entry, 'Failed', progress), effects: [], message };
    }
    case 'Lost':
      if (entry.reversible && !undo) {
        const message = `how migration ${name} ended is not known; it is reversible and has nothing to undo`;
        return { journal: ended(input, entry, 'Undone', { message: progress.message }), effects: [], message };
      }
      return { blocked: problem('MigrationEndUnknown', name, progress.message) };
    case 'Overdue':
      return { blocked: problem('MigrationHangs', name, progress.message) };
  }
}

/** @param job its name, when it has one already */
function beginUndo(
  input: CutoverInput,
  { name, undo, deadline = DEADLINE }: Migration,
  entry: Entry,
  job = jobKey(input, 'undo', name),
): Action {
  if (job === undefined) return { blocked: nowhere(input) };
  const what = `undo migration ${name} as Job ${job}`;
  const { endTime: _, message: __, uid: ___, interrupted: ____, ...rest } = entry;
  return {
    journal: journalled(input, { ...rest, state: 'Undoing', job, startTime: timestamp(input.now) }),
    effects: [startOf(job, kept(undo?.jobTemplate ?? {}), deadline, what)],
    message: what,
  };
}

function finishUndo(input: CutoverInput, migration: Migration, before: Entry): Action {
  const { name, deadline = DEADLINE } = migration;
  // That it has failed is written down with the time.
  const isOver = before.endTime !== undefined;
  const entry = located(input, before);
  const { job = '' } = entry;
  const progress = progressOf(input, before, deadline, isOver);
  switch (progress.state) {
    case 'Absent':
      return beginUndo(input, migration, before, job);
    case 'Running': {
      const waitFor = `undoing migration ${name}: Job ${job} runs${progress.message && `; ${progress.message}`}`;
      const { endTime: _, message: __, interrupted: ___, ...running } = entry;
      return { waitFor, ...((isOver || entry !== before) && { journal: journalled(input, running) }) };
    }
    case 'Succeeded':
      return { journal: ended(input, entry, 'Undone'), effects: [], message: `migration ${name} is undone` };
    case 'Failed': {
      const message = `its undo, Job ${job}, failed`;
      if (!isOver) return { journal: ended(input, entry, 'Undoing', progress), effects: [], message };
      const again = before.interrupted
        ? ''
        : ` Repair by hand what kept it from being undone, then delete Job ${job}: it is run again, and the cutover goes on going back when it succeeds.`;
      return { blocked: problem('UndoFailed', name, `${message}.${again} ${progress.message}`) };
    }
    case 'Lost':
      return { blocked: problem('UndoEndUnknown', name, progress.message) };
    case 'Overdue':
      return { blocked: problem('UndoHangs', name, progress.message) };
  }
}
