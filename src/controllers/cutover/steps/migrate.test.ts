import { describe, expect, it } from '@jest/globals';
import { aCutover, aCutoverInput, aJobView, aPlatform, EPOCH } from '../../../../test/builders/index.ts';
import type { Cutover } from '../../../api/v1alpha1/index.ts';
import type { Action, CutoverInput, JobView } from '../input.ts';
import { hashOf, jobName, workOf } from '../job-manifest.ts';
import { migrate } from './migrate.ts';

const MINUTE = 60_000;
const template = (image: string) => ({ spec: { template: { spec: { containers: [{ name: 'migrate', image }] } } } });
const undo = { jobTemplate: template('back') };
const jobs = { namespace: 'jobs', serviceAccountName: 'cutover' };

type Migration = NonNullable<Cutover['spec']['migrations']>[number];
type Entry = NonNullable<Cutover['status']['migrations']>[number];

const schema: Migration = { name: 'schema', reversible: true, jobTemplate: template('schema:1'), undo };
const index: Migration = { name: 'index', reversible: true, jobTemplate: template('index:1') };
const drop: Migration = { name: 'drop', reversible: false, jobTemplate: template('drop:1'), deadline: '5m' };

const nameFor = (purpose: 'migrate' | 'undo', item: string) =>
  `jobs/${jobName(aCutover({ from: 'blue' }), purpose, item)}`;
const anEntry = (migration: Migration, changes: Partial<Entry> = {}): Entry => ({
  name: migration.name,
  hash: hashOf(migration.jobTemplate),
  reversible: migration.reversible,
  state: 'Running',
  job: nameFor('migrate', migration.name),
  startTime: new Date(EPOCH).toISOString(),
  ...changes,
});
/** Of one whose Job was there to be seen. */
const aSeen = (migration: Migration, changes: Partial<Entry> = {}): Entry => {
  const entry = anEntry(migration, changes);
  return { ...entry, uid: `uid-${entry.job}` };
};
const aJob = (name: string, state: JobView['state'], message = ''): JobView => aJobView(name, { state, message });

/** What is journalled, which Jobs are there, how late it is. */
function inputWith(
  migrations: Migration[],
  entries: Entry[],
  views: JobView[] = [],
  changes: Partial<CutoverInput> = {},
): CutoverInput {
  const cutover = aCutover({ from: 'blue', spec: { migrations }, status: { migrations: entries } });
  return aCutoverInput({ cutover, platform: aPlatform({ live: 'blue', spec: { jobs } }), jobs: views, ...changes });
}

/** People have found out what a Job has done. */
function settled(input: CutoverInput, job: string, as: 'Ran' | 'DidNotRun'): CutoverInput {
  const { cutover } = input;
  return { ...input, cutover: { ...cutover, spec: { ...cutover.spec, settled: [{ uid: `uid-${job}`, as }] } } };
}

const journalOf = (action: Action | undefined) =>
  ((action && 'journal' in action && action.journal?.migrations) || []).map(({ name, state }) => `${name} ${state}`);
const entriesOf = (action: Action | undefined): Entry[] =>
  action && 'journal' in action && action.journal?.migrations ? action.journal.migrations : [];
const startedBy = (action: Action | undefined) =>
  action && 'effects' in action ? action.effects.map((effect) => effect.do === 'startJob' && effect.name) : [];

describe('Migrate', () => {
  it('is skipped when there is nothing to migrate', () => {
    expect(migrate.skip?.(inputWith([], []))).toBe('no migrations');
    expect(migrate.skip?.(inputWith([schema], []))).toBeUndefined();
  });

  it('journals a migration together with the order to create its Job', () => {
    const job = nameFor('migrate', 'schema');
    expect(migrate.act(inputWith([schema, drop], []))).toEqual({
      journal: {
        migrations: [anEntry(schema, { startTime: new Date(EPOCH + MINUTE).toISOString() })],
      },
      effects: [
        {
          do: 'startJob',
          name: job,
          template: workOf(schema),
          deadline: 30 * MINUTE,
          what: `run migration schema as Job ${job}`,
        },
      ],
      message: `run migration schema as Job ${job}`,
    });
  });

  it('creates the Job that a crash has kept from being created, under the name that was journalled', () => {
    const inherited = anEntry(schema, { job: 'jobs/of-the-superseded' });
    const action = migrate.act(inputWith([schema], [inherited]));
    expect(startedBy(action)).toEqual(['jobs/of-the-superseded']);
    // It is journalled already: what cannot be created writes nothing, however often it is tried.
    expect(action).not.toHaveProperty('journal');
  });

  it('runs one at a time, in the order of the spec, and is done when all are committed', () => {
    const running = inputWith([schema, drop], [aSeen(schema)], [aJob(nameFor('migrate', 'schema'), 'Running')]);
    expect(migrate.act(running)).toEqual({ waitFor: `migration schema: Job ${nameFor('migrate', 'schema')} runs` });
    const ended = inputWith([schema, drop], [anEntry(schema)], [aJob(nameFor('migrate', 'schema'), 'Succeeded')]);
    expect(journalOf(migrate.act(ended))).toEqual(['schema Committed']);
    expect(startedBy(migrate.act(ended))).toEqual([]);
    const next = inputWith([schema, drop], [anEntry(schema, { state: 'Committed' })]);
    expect(migrate.done(next)).toBe(false);
    expect(journalOf(migrate.act(next))).toEqual(['schema Committed', 'drop Running']);
    const both = [schema, drop].map((migration) => anEntry(migration, { state: 'Committed' }));
    expect(migrate.done(inputWith([schema, drop], both))).toBe(true);
  });

  it('says what the pod of a running Job waits for', () => {
    const view = aJob(nameFor('migrate', 'schema'), 'Running', 'pod schema-x waits: ImagePullBackOff');
    expect(migrate.act(inputWith([schema], [aSeen(schema)], [view]))).toEqual({
      waitFor: `migration schema: Job ${view.name} runs; pod schema-x waits: ImagePullBackOff`,
    });
  });

  it('does not run again what the superseded cutover has committed, but another thing of that name', () => {
    const committed = anEntry(drop, { state: 'Committed', job: 'jobs/of-the-superseded' });
    expect(migrate.done(inputWith([drop], [committed]))).toBe(true);
    const other = { ...drop, jobTemplate: template('drop:2') };
    expect(startedBy(migrate.act(inputWith([other], [committed])))).toEqual([nameFor('migrate', 'drop')]);
    expect(migrate.done(inputWith([{ ...drop, deadline: '1h' }], [committed]))).toBe(true);
  });

  it('waits for what the superseded cutover still runs', () => {
    const running = aSeen(drop, { job: 'jobs/of-the-superseded' });
    const other = { ...drop, jobTemplate: template('drop:2') };
    const view = aJob('jobs/of-the-superseded', 'Running');
    expect(migrate.act(inputWith([other], [running], [view]))).toEqual({
      waitFor: 'Job jobs/of-the-superseded of migration drop was begun by the superseded cutover and still runs',
    });
    const failed = migrate.act(inputWith([other], [running], [{ ...view, state: 'Failed' }]));
    expect(journalOf(failed)).toEqual(['drop Failed']);
    const entries = 'journal' in failed && failed.journal?.migrations;
    expect(startedBy(migrate.act(inputWith([other], entries || [])))).toEqual([nameFor('migrate', 'drop')]);
    const late = inputWith([other], [running], [view], { now: EPOCH + 32 * MINUTE });
    expect(migrate.act(late)).toMatchObject({ failed: { reason: 'MigrationHangs' } });
  });

  describe('of which a Job fails', () => {
    const job = nameFor('migrate', 'schema');
    const failed = aJob(job, 'Failed', 'BackoffLimitExceeded. Last lines of pod x:\nrelation "users" is locked');

    it('fails with the reason and the last lines, and says that nothing was changed', () => {
      const action = migrate.act(inputWith([schema], [anEntry(schema)], [failed]));
      expect(action).toMatchObject({
        failed: { reason: 'MigrationFailed' },
        journal: { migrations: [{ state: 'Failed', message: failed.message }] },
      });
      expect('failed' in action && action.failed.message).toContain(`migration schema: Job ${job} failed`);
      expect('failed' in action && action.failed.message).toContain('relation "users" is locked');
    });

    it('goes on failing without another write, and runs it again once its Job is deleted', () => {
      const entry = anEntry(schema, { state: 'Failed', message: failed.message, endTime: 'then' });
      const again = migrate.act(inputWith([schema], [entry], [failed]));
      expect(again).not.toHaveProperty('journal');
      expect(again).toMatchObject({
        failed: { message: expect.stringContaining('relation "users" is locked') },
      });
      const action = migrate.act(inputWith([schema], [entry]));
      expect(startedBy(action)).toEqual([job]);
      expect(action).toMatchObject({ journal: { migrations: [{ name: 'schema', state: 'Running' }] } });
      expect('journal' in action && action.journal?.migrations?.[0]).not.toHaveProperty('message');
    });

    it('takes one that somebody has made run under the same name for what it is', () => {
      const entry = anEntry(schema, { state: 'Failed' });
      expect(journalOf(migrate.act(inputWith([schema], [entry], [aJob(job, 'Running')])))).toEqual(['schema Running']);
      expect(journalOf(migrate.act(inputWith([schema], [entry], [aJob(job, 'Succeeded')])))).toEqual([
        'schema Committed',
      ]);
    });
  });

  describe('whose Job is gone, though it was seen', () => {
    const job = nameFor('migrate', 'drop');
    const gone = inputWith([drop], [aSeen(drop)]);

    it('is not run again, and people are asked what it has done', () => {
      const action = migrate.act(gone);
      expect(action).toMatchObject({ failed: { reason: 'MigrationEndUnknown' } });
      // It may be committed: it stays Running, from which an irreversible one has no way back.
      expect(action).not.toHaveProperty('journal');
      expect(action).not.toHaveProperty('effects');
      expect(migrate.act(inputWith([schema], [aSeen(schema)]))).not.toHaveProperty('effects');
    });

    it('is committed, or has failed and may be run again, as people say', () => {
      expect(journalOf(migrate.act(settled(gone, job, 'Ran')))).toEqual(['drop Committed']);
      const not = migrate.act(settled(gone, job, 'DidNotRun'));
      expect(not).toMatchObject({ failed: { reason: 'MigrationFailed' } });
      expect(startedBy(migrate.act(settled(inputWith([drop], entriesOf(not)), job, 'DidNotRun')))).toEqual([job]);
      // What was said of another Job is not about this one.
      expect(migrate.act(settled(gone, 'jobs/another', 'Ran'))).toHaveProperty('failed');
    });

    it('is written down when it is first seen, from when its time counts', () => {
      const seen = migrate.act(inputWith([drop], [anEntry(drop)], [aJob(job, 'Running')]));
      expect(seen).toHaveProperty('waitFor');
      expect(entriesOf(seen)).toEqual([aSeen(drop, { startTime: new Date(EPOCH + MINUTE).toISOString() })]);
    });
  });

  it('is not run again when its Job was deleted before it had ended, until people say that it did not run', () => {
    const job = nameFor('migrate', 'drop');
    const ends = { ...aJob(job, 'Failed', `Job ${job} was deleted before it had ended`), interrupted: true as const };
    const failed = migrate.act(inputWith([drop], [aSeen(drop)], [ends]));
    expect(failed).toMatchObject({ failed: { reason: 'MigrationFailed' } });
    expect(entriesOf(failed)).toMatchObject([{ state: 'Failed', interrupted: true }]);
    const later = inputWith([drop], entriesOf(failed));
    expect(migrate.act(later)).toMatchObject({ failed: { message: expect.stringContaining('spec') } });
    expect(startedBy(migrate.act(settled(later, job, 'DidNotRun')))).toEqual([job]);
    expect(journalOf(migrate.act(settled(later, job, 'Ran')))).toEqual(['drop Committed']);
  });

  it.each([
    ['a minute after its deadline', 6 * MINUTE, false, 1],
    ['later than that', 6 * MINUTE + 1, true, 1],
    // Pods take real time: it gets a minute, and Kubernetes half of one to end it.
    ['in a drill, soon after its deadline', 60_000 + 30_000, false, 60],
    ['in a drill, much later', 60_000 + 30_001, true, 60],
  ])('takes a Job that still runs %s (%d ms) for hanging: %s', (_, elapsed, hangs, scale) => {
    const view = aJob(nameFor('migrate', 'drop'), 'Running', 'it has no pod yet');
    const input = inputWith([drop], [aSeen(drop)], [view], { now: EPOCH + elapsed, scaled: (ms) => ms / scale });
    const action = migrate.act(input);
    if (!hangs) return expect(action).toHaveProperty('waitFor');
    expect(action).toMatchObject({ failed: { reason: 'MigrationHangs' } });
    // It may still change something: it stays Running, from which an irreversible one has no way back.
    expect(action).not.toHaveProperty('journal');
    expect('failed' in action && action.failed.message).toContain('after its deadline of 5m');
    expect('failed' in action && action.failed.message).toContain('it has no pod yet');
  });

  it('is blocked while the Platform does not say where Jobs run', () => {
    const input = inputWith([schema], [], [], { platform: aPlatform({ live: 'blue' }) });
    expect(migrate.act(input)).toMatchObject({ blocked: { reason: 'JobsNotConfigured' } });
  });
});

describe('Migrate, going back', () => {
  const undone = nameFor('undo', 'schema');
  const committed = [schema, index].map((migration) => anEntry(migration, { state: 'Committed' }));

  it('takes back what is committed, the last first, and then has nothing left', () => {
    const last = migrate.undo(inputWith([schema, index], committed));
    expect(journalOf(last)).toEqual(['schema Committed', 'index Undone']);
    expect(startedBy(last)).toEqual([]);
    const entries = [committed[0]!, anEntry(index, { state: 'Undone' })];
    const first = migrate.undo(inputWith([schema, index], entries));
    expect(journalOf(first)).toEqual(['schema Undoing', 'index Undone']);
    expect(startedBy(first)).toEqual([undone]);
    expect(first).toMatchObject({ effects: [{ template: { spec: undo.jobTemplate.spec } }] });
    const undoing = [anEntry(schema, { state: 'Undoing', job: undone }), entries[1]!];
    expect(migrate.undo(inputWith([schema, index], undoing, [aJob(undone, 'Running')]))).toHaveProperty('waitFor');
    const gone = migrate.undo(inputWith([schema, index], undoing, [aJob(undone, 'Succeeded')]));
    expect(journalOf(gone)).toEqual(['schema Undone', 'index Undone']);
    const all = [schema, index].map((migration) => anEntry(migration, { state: 'Undone' }));
    expect(migrate.undo(inputWith([schema, index], all))).toBeUndefined();
  });

  it('creates the Job of an undo that a crash has kept from being created', () => {
    const undoing = anEntry(schema, { state: 'Undoing', job: undone });
    expect(startedBy(migrate.undo(inputWith([schema], [undoing])))).toEqual([undone]);
  });

  it('is blocked while the Platform does not say where its undo runs', () => {
    const input = inputWith([schema], committed.slice(0, 1), [], { platform: aPlatform({ live: 'blue' }) });
    expect(migrate.undo(input)).toMatchObject({ blocked: { reason: 'JobsNotConfigured' } });
  });

  it('is blocked by an undo that fails, until its Job is deleted', () => {
    const undoing = aSeen(schema, { state: 'Undoing', job: undone });
    const view = aJob(undone, 'Failed', 'Reason. last line');
    const written = entriesOf(migrate.undo(inputWith([schema], [undoing], [view])));
    expect(written).toMatchObject([{ state: 'Undoing', endTime: new Date(EPOCH + MINUTE).toISOString() }]);
    const action = migrate.undo(inputWith([schema], written, [view]));
    expect(action).toMatchObject({ blocked: { reason: 'UndoFailed' } });
    const again = migrate.undo(inputWith([schema], written));
    expect(startedBy(again)).toEqual([undone]);
    expect(entriesOf(again)[0]).not.toHaveProperty('endTime');
    expect(action && 'blocked' in action && action.blocked.message).toContain(`delete Job ${undone}: it is run again`);
    const late = inputWith([schema], [undoing], [aJob(undone, 'Running')], { now: EPOCH + 40 * MINUTE });
    expect(migrate.undo(late)).toMatchObject({ blocked: { reason: 'UndoHangs' } });
  });

  it('waits for one that runs, whichever way it ends', () => {
    const job = nameFor('migrate', 'schema');
    const running = [anEntry(schema)];
    expect(migrate.undo(inputWith([schema], running, [aJob(job, 'Running')]))).toHaveProperty('waitFor');
    expect(journalOf(migrate.undo(inputWith([schema], running, [aJob(job, 'Succeeded')])))).toEqual([
      'schema Committed',
    ]);
    expect(journalOf(migrate.undo(inputWith([schema], running, [aJob(job, 'Failed')])))).toEqual(['schema Failed']);
    const late = inputWith([schema], [aSeen(schema)], [aJob(job, 'Running')], { now: EPOCH + 40 * MINUTE });
    expect(migrate.undo(late)).toMatchObject({ blocked: { reason: 'MigrationHangs' } });
  });

  it('says what it waits for, until when, and how to end it', () => {
    const view = aJob(nameFor('migrate', 'drop'), 'Running', 'pod drop-x waits: ImagePullBackOff');
    const action = migrate.undo(inputWith([drop], [anEntry(drop)], [view]));
    const waitFor = action && 'waitFor' in action ? action.waitFor : '';
    expect(waitFor).toMatch(/^waiting for the end of migration drop, Job /);
    expect(waitFor).toContain('at its deadline of 5m');
    expect(waitFor).toContain('delete the Job');
    expect(waitFor).toContain('ImagePullBackOff');
  });

  it('waits until the pods of one that was deleted have ended, and goes on', () => {
    const job = nameFor('migrate', 'schema');
    const seen = entriesOf(migrate.undo(inputWith([schema], [anEntry(schema)], [aJob(job, 'Running')])));
    expect(seen).toMatchObject([{ state: 'Running', uid: `uid-${job}` }]);
    // Written once, however often it is looked at.
    const left = aJob(job, 'Running', 'it was deleted, and pod x on Node y is not known to have ended');
    const waits = migrate.undo(inputWith([schema], seen, [left]));
    expect(waits).toEqual({ waitFor: expect.stringContaining(left.message) });
    const ends = { ...aJob(job, 'Failed', `Job ${job} was deleted before it had ended`), interrupted: true as const };
    const failed = entriesOf(migrate.undo(inputWith([schema], seen, [ends])));
    expect(failed).toMatchObject([{ state: 'Failed', message: ends.message, interrupted: true }]);
    expect(migrate.undo(inputWith([schema], failed))).toBeUndefined();
  });

  it('asks people what one has done that is gone, unless that makes no difference', () => {
    const job = nameFor('migrate', 'schema');
    const lost = [aSeen(schema)];
    const asked = migrate.undo(inputWith([schema], lost));
    expect(asked).toMatchObject({ blocked: { reason: 'MigrationEndUnknown' } });
    expect(asked && 'blocked' in asked && asked.blocked.message).toContain(
      `"settled":[{"uid":"uid-${job}","as":"Ran"}]`,
    );
    expect(journalOf(migrate.undo(settled(inputWith([schema], lost), job, 'Ran')))).toEqual(['schema Committed']);
    expect(journalOf(migrate.undo(settled(inputWith([schema], lost), job, 'DidNotRun')))).toEqual(['schema Failed']);
    expect(journalOf(migrate.undo(inputWith([index], [aSeen(index)])))).toEqual(['index Undone']);
  });

  it('does not undo twice by itself', () => {
    const undoing = aSeen(schema, { state: 'Undoing', job: undone });
    expect(migrate.undo(inputWith([schema], [undoing]))).toMatchObject({ blocked: { reason: 'UndoEndUnknown' } });
    const ends = { ...aJob(undone, 'Failed', 'deleted'), interrupted: true as const };
    const failed = entriesOf(migrate.undo(inputWith([schema], [undoing], [ends])));
    expect(migrate.undo(inputWith([schema], failed))).toMatchObject({ blocked: { reason: 'UndoFailed' } });
    const input = inputWith([schema], failed);
    expect(startedBy(migrate.undo(settled(input, undone, 'DidNotRun')))).toEqual([undone]);
    expect(journalOf(migrate.undo(settled(input, undone, 'Ran')))).toEqual(['schema Undone']);
  });

  it('occupies the name of one that was never created, before it counts as not begun', () => {
    const job = nameFor('migrate', 'drop');
    const action = migrate.undo(inputWith([drop], [anEntry(drop)]));
    expect(startedBy(action)).toEqual([job]);
    expect(action).toMatchObject({ effects: [{ template: { spec: { suspend: true } } }] });
    expect(action).not.toHaveProperty('journal');
    expect(journalOf(migrate.undo(inputWith([drop], [anEntry(drop)], [aJob(job, 'Failed', 'it never ran')])))).toEqual([
      'drop Failed',
    ]);
  });

  it('has nothing to take back of one that failed or was not begun, and never passes an irreversible one', () => {
    expect(migrate.undo(inputWith([schema, drop], [anEntry(schema, { state: 'Failed' })]))).toBeUndefined();
    expect(migrate.undo(inputWith([drop], [anEntry(drop, { state: 'Committed' })]))).toMatchObject({
      blocked: { reason: 'Irreversible' },
    });
  });
});
