import type { Action, CutoverInput, Step } from '../input.ts';
import { workOf } from '../job-manifest.ts';
import { jobKey, located, progressOf, startOf } from './job-progress.ts';
import { takeBack } from './migrate-undo.ts';
import {
  begun,
  DEADLINE,
  type Entry,
  ended,
  entryOf,
  journalled,
  type Migration,
  migrationsOf,
  nowhere,
  problem,
} from './migration-journal.ts';

/**
 * Migrate runs the Jobs of spec.migrations in their order, one at a time, each once and only once. What is about to run is
 * journalled before its Job is created, so that a Job without an entry cannot be, and its UID once it was seen, so that a Job which is
 * gone since then is not created again: whether it ran is what the Job and its pods show, or what people say.
 * One that fails has changed nothing: that is what is asked of those who write migrations.
 */

export const migrate: Step = {
  name: 'Migrate',
  skip: ({ cutover }) => ((cutover.spec.migrations ?? []).length === 0 ? 'no migrations' : undefined),
  done: (input) => migrationsOf(input).every((migration) => entryOf(input, migration)?.state === 'Committed'),
  act: (input) => {
    const other = leftRunning(input);
    if (other) return other;
    for (const migration of migrationsOf(input)) {
      const entry = entryOf(input, migration);
      if (entry?.state !== 'Committed') return run(input, migration, entry);
    }
    return { waitFor: 'the end of Migrate' };
  },
  undo: (input) => {
    for (const migration of migrationsOf(input).toReversed()) {
      const entry = entryOf(input, migration);
      const action = entry && takeBack(input, migration, entry);
      if (action) return action;
    }
    return undefined;
  },
};

/** A migration of the superseded cutover that this one does not have, or has otherwise: never two at a time. */
function leftRunning(input: CutoverInput): Action | undefined {
  const ours = new Set(migrationsOf(input).map((migration) => entryOf(input, migration)));
  for (const entry of input.cutover.status.migrations ?? []) {
    if (ours.has(entry) || entry.state !== 'Running' || entry.job === undefined) continue;
    const { name, job } = entry;
    const progress = progressOf(input, entry, DEADLINE);
    switch (progress.state) {
      case 'Absent':
        continue;
      case 'Running':
        return {
          waitFor: `Job ${job} of migration ${name} was begun by the superseded cutover and still runs`,
          ...sighting(input, entry),
        };
      case 'Succeeded':
        return { journal: ended(input, entry, 'Committed'), effects: [], message: `migration ${name} is committed` };
      case 'Failed':
        return {
          journal: ended(input, entry, 'Failed', progress),
          effects: [],
          message: `migration ${name}, which the superseded cutover had begun, failed`,
        };
      default:
        return { failed: problem(UNENDED[progress.state], name, progress.message) };
    }
  }
  return undefined;
}

const UNENDED = { Overdue: 'MigrationHangs', Lost: 'MigrationEndUnknown' } as const;

/** Written down when its Job is first seen. */
function sighting(input: CutoverInput, entry: Entry): { journal?: ReturnType<typeof journalled> } {
  const seen = located(input, entry);
  return seen === entry ? {} : { journal: journalled(input, seen) };
}

function run(input: CutoverInput, migration: Migration, entry: Entry | undefined): Action {
  // One that was undone before is run anew, under this cutover's own name.
  if (!entry || entry.state === 'Undone' || entry.state === 'Undoing') return begin(input, migration);
  const { name, deadline = DEADLINE } = migration;
  const { job } = entry;
  const isOver = entry.state === 'Failed';
  const progress = progressOf(input, entry, deadline, isOver);
  switch (progress.state) {
    case 'Absent':
      return begin(input, migration, entry);
    case 'Running': {
      const waitFor = `migration ${name}: Job ${job} runs${progress.message && `; ${progress.message}`}`;
      const { endTime: _, message: __, interrupted: ___, ...rest } = entry;
      return { waitFor, ...sighting(input, isOver ? { ...rest, state: 'Running', uid: undefined } : entry) };
    }
    case 'Succeeded':
      return {
        journal: ended(input, located(input, entry), 'Committed'),
        effects: [],
        message: `migration ${name} is committed`,
      };
    case 'Failed': {
      const failed = problem('MigrationFailed', name, `Job ${job} failed: ${progress.message}`);
      return { failed, ...(!isOver && { journal: ended(input, located(input, entry), 'Failed', progress) }) };
    }
    default:
      return { failed: problem(UNENDED[progress.state], name, progress.message) };
  }
}

/** @param before what is journalled already: whoever comes second to create its Job finds it there, and its time has begun */
function begin(input: CutoverInput, migration: Migration, before?: Entry): Action {
  const { name, deadline = DEADLINE } = migration;
  const job = before?.job ?? jobKey(input, 'migrate', name);
  if (job === undefined) return { blocked: nowhere(input) };
  const what = `run migration ${name} as Job ${job}`;
  const isJournalled = before?.state === 'Running';
  return {
    ...(!isJournalled && { journal: begun(input, migration, job) }),
    effects: [startOf(job, workOf(migration), deadline, what)],
    message: what,
  };
}
