import { describe, expect, it } from '@jest/globals';
import { aCondition, aCutover, aCutoverInput, aGeneration, aJobView, at, EPOCH } from '../../../test/builders/index.ts';
import type { Cutover } from '../../api/v1alpha1/index.ts';
import type { Action, JobView } from './input.ts';
import { VOID_TEMPLATE } from './job-manifest.ts';
import { isBarredForGood, podsRefused, refusedInVain, withWords } from './refused.ts';

const MINUTE = 60_000;
const start = (what: string, template: Record<string, unknown> = {}): Action => ({
  effects: [{ do: 'startJob', name: 'jobs/second', template, deadline: 3 * MINUTE, what }],
  message: what,
});
const run = start('run migration second');
const occupy = start('occupy the name', VOID_TEMPLATE);
const refusedSince = (seconds: number, what: string) =>
  aCondition({
    type: 'Blocked',
    reason: 'QuotaExceeded',
    message: `the API server refuses ${what}: exceeded quota`,
    lastTransitionTime: at(seconds),
  });
type Migrations = NonNullable<Cutover['status']['migrations']>;
const entry = (changes: Partial<Migrations[number]> = {}): Migrations[number] => ({
  name: 'second',
  hash: 'h',
  reversible: true,
  state: 'Running',
  job: 'jobs/second',
  startTime: at(0),
  ...changes,
});
const input = (status: Partial<Cutover['status']>, seconds: number, spec: Partial<Cutover['spec']> = {}) =>
  aCutoverInput({ cutover: aCutover({ from: 'blue', spec, status }), now: EPOCH + seconds * 1000 });

describe('a Job that is refused', () => {
  const conditions = [refusedSince(100, 'run migration second')];

  it('is waited for as long as it might have run, since it was first asked for', () => {
    expect(refusedInVain(input({ conditions, migrations: [entry()] }, 180), run)).toBeUndefined();
    expect(refusedInVain(input({ conditions, migrations: [entry()] }, 181), run)).toEqual({
      reason: 'QuotaExceeded',
      message: 'for 3m in vain: the API server refuses run migration second: exceeded quota',
    });
    // A check has no entry with its Job: since it was refused.
    expect(refusedInVain(input({ conditions }, 280), run)).toBeUndefined();
    expect(refusedInVain(input({ conditions }, 281), run)).toBeDefined();
  });

  it('is waited for without end where there is no way back', () => {
    const migrations = [entry({ reversible: false })];
    expect(refusedInVain(input({ conditions, migrations }, 9_999), run)).toBeUndefined();
  });

  it('is not what something else is Blocked by', () => {
    const other = [refusedSince(0, 'switch www')];
    expect(refusedInVain(input({ conditions: other, migrations: [entry()] }, 999), run)).toBeUndefined();
    expect(refusedInVain(input({ migrations: [entry()] }, 999), run)).toBeUndefined();
    expect(refusedInVain(input({ conditions }, 999), { waitFor: 'it' })).toBeUndefined();
  });
});

describe('what keeps a migration from being started late', () => {
  const undo = { reason: 'Abort', message: 'spec.abort is set', time: at(0) };
  const conditions = [refusedSince(1, 'occupy the name')];

  it('holds nobody up once no request for it can be under way', () => {
    expect(isBarredForGood(input({ undo, conditions }, 90), occupy)).toBe(false);
    expect(isBarredForGood(input({ undo, conditions }, 91), occupy)).toBe(true);
  });

  it('is not the Job of a migration, nor one that nobody refuses', () => {
    expect(isBarredForGood(input({ undo, conditions }, 999), run)).toBe(false);
    expect(isBarredForGood(input({ undo }, 999), occupy)).toBe(false);
    expect(isBarredForGood(input({ conditions }, 999), occupy)).toBe(false);
  });

  it('holds users up while something is to be undone that the old generation may not live with', () => {
    const jobTemplate = { spec: {} };
    const migrations = [entry({ name: 'first', state: 'Committed' }), entry()];
    const first = { name: 'first', reversible: true, jobTemplate };
    const status = { undo, conditions, migrations };
    expect(isBarredForGood(input(status, 999, { migrations: [first] }), occupy)).toBe(true);
    const undoable = { ...first, undo: { jobTemplate } };
    expect(isBarredForGood(input(status, 999, { migrations: [undoable] }), occupy)).toBe(false);
  });
});

describe('pods that are refused', () => {
  const job = ({ name = 'jobs/a', ...changes }: Partial<JobView>) => aJobView(name, changes);

  it('are a problem of a Job that runs, with the words of whoever refuses them', () => {
    const refused = 'failed quota: must specify limits.cpu for: main';
    expect(podsRefused(aCutoverInput({ jobs: [job({}), job({ name: 'jobs/b', refused })] }))).toMatchObject({
      reason: 'PodsRefused',
      message: expect.stringContaining(`the pods of Job jobs/b are refused: ${refused}. Remove the cause`),
    });
    expect(podsRefused(aCutoverInput({ jobs: [job({ state: 'Failed', refused })] }))).toBeUndefined();
  });
});

describe('a step that has failed', () => {
  const failure = { reason: 'NotServing', message: 'for 5m in vain: www' };

  it('has the words of what was refused meanwhile', () => {
    const green = aGeneration();
    const blockedBy = (message: string) =>
      aCutoverInput({
        to: green,
        cutover: aCutover({ status: { conditions: [aCondition({ type: 'Blocked', message })] } }),
      });
    expect(withWords(blockedBy('the API server refuses switch www: no'), failure).message).toBe(
      'for 5m in vain: www. Meanwhile the API server refuses switch www: no',
    );
    expect(withWords(blockedBy('something else'), failure)).toEqual(failure);
  });
});
