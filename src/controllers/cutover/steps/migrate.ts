import type { Action, CutoverInput, Step } from '../input.ts';
import { kept } from '../job-manifest.ts';
import { jobKey, progressOf, startOf } from './job-progress.ts';
import { takeBack } from './migrate-undo.ts';
import {
  begun,
  DEADLINE,
  type Entry,
  ended,
  entryOf,
  type Migration,
  migrationsOf,
  nowhere,
  problem,
} from './migration-journal.ts';

/**
 * Migrate runs the Jobs of spec.migrations in their order, one at a time, each once and only once. What is about to run is
 * journalled before its Job is created, so that a Job without an entry cannot be; whether it ran is what the Job shows.
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
    const progress = progressOf(input, { job: entry.job, startTime: entry.startTime }, DEADLINE);
    if (progress.state === 'Running')
      return {
        waitFor: `Job ${entry.job} of migration ${entry.name} was begun by the superseded cutover and still runs`,
      };
    if (progress.state === 'Overdue') return { failed: problem('MigrationHangs', entry.name, progress.message) };
  }
  return undefined;
}

function run(input: CutoverInput, migration: Migration, entry: Entry | undefined): Action {
  // One that was undone before is run anew, under this cutover's own name.
  if (!entry || entry.state === 'Undone' || entry.state === 'Undoing') return begin(input, migration, undefined);
  const { name } = migration;
  const job = entry.job ?? '';
  const progress = progressOf(input, { job, startTime: entry.startTime }, migration.deadline ?? DEADLINE);
  switch (progress.state) {
    case 'Absent':
      return begin(input, migration, entry.job);
    case 'Running': {
      const waitFor = `migration ${name}: Job ${job} runs${progress.message && `; ${progress.message}`}`;
      return entry.state === 'Running' ? { waitFor } : { waitFor, journal: begun(input, migration, job) };
    }
    case 'Succeeded':
      return { journal: ended(input, entry, 'Committed'), effects: [], message: `migration ${name} is committed` };
    case 'Failed': {
      const failed = problem('MigrationFailed', name, `Job ${job} failed: ${progress.message}`);
      const written = entry.state === 'Failed' ? {} : { journal: ended(input, entry, 'Failed', progress.message) };
      return { failed, ...written };
    }
    case 'Overdue':
      return { failed: problem('MigrationHangs', name, progress.message) };
  }
}

/** @param job its name, when it has one already: whoever comes second to create it finds it there */
function begin(input: CutoverInput, migration: Migration, job = jobKey(input, 'migrate', migration.name)): Action {
  if (job === undefined) return { blocked: nowhere(input) };
  const { name, jobTemplate, deadline = DEADLINE } = migration;
  const what = `run migration ${name} as Job ${job}`;
  return {
    journal: begun(input, migration, job),
    effects: [startOf(job, kept(jobTemplate), deadline, what)],
    message: what,
  };
}
