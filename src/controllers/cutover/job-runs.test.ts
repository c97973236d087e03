import { describe, expect, it } from '@jest/globals';
import { aCutover, aCutoverInput, aJobView } from '../../../test/builders/index.ts';
import type { Cutover } from '../../api/v1alpha1/index.ts';
import type { JobView } from './input.ts';
import { releases } from './job-runs.ts';

const JOB = 'jobs/schema';
const pods = [{ name: 'schema-x', uid: 'uid-pod' }];
type State = NonNullable<Cutover['status']['migrations']>[number]['state'];

function released(
  state: State,
  changes: Partial<JobView> = {},
  status: Partial<Cutover['status']> = {},
  endTime?: string,
) {
  const entry = {
    name: 'schema',
    hash: 'h',
    reversible: true,
    state,
    job: JOB,
    uid: `uid-${JOB}`,
    ...(endTime && { endTime }),
  };
  const cutover = aCutover({ from: 'blue' });
  const jobs = [aJobView(JOB, { kept: { job: true, pods }, ...changes })];
  const effects = releases(aCutoverInput({ cutover, jobs }), { ...cutover.status, migrations: [entry], ...status });
  return effects.map((effect) => effect.do === 'releaseJob' && { job: effect.job, pods: effect.pods.length });
}

describe('a Job', () => {
  it('is kept, with its pods, until its end is written down', () => {
    expect(released('Running')).toEqual([]);
    expect(released('Running', { state: 'Succeeded' })).toEqual([]);
    expect(released('Undoing')).toEqual([]);
    for (const state of ['Committed', 'Failed', 'Undone'] as const)
      expect(released(state)).toEqual([{ job: true, pods: 1 }]);
    expect(released('Undoing', {}, {}, 'then')).toEqual([{ job: true, pods: 1 }]);
  });

  it('goes when its cutover is over, or knows nothing of it', () => {
    expect(released('Running', {}, { outcome: 'Superseded' })).toEqual([{ job: true, pods: 1 }]);
    expect(released('Running', {}, { migrations: [] })).toEqual([{ job: true, pods: 1 }]);
    expect(released('Committed', { kept: { job: false, pods: [] } })).toEqual([]);
  });

  it('that is deleted goes before its pods, which show how it ends, once the journal knows it', () => {
    expect(released('Running', { followed: true })).toEqual([{ job: true, pods: 0 }]);
    expect(released('Running', { followed: true, uid: 'another' })).toEqual([]);
  });
});
