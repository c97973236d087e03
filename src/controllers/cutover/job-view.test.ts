import { describe, expect, it } from '@jest/globals';
import { at, EPOCH } from '../../../test/builders/index.ts';
import { hasEnded } from '../../domain/tasks.ts';
import type { Job, Pod } from '../../kube/resources.ts';
import { viewOf } from './job-view.ts';

const NAME = 'jobs/schema';

function aJob(changes: { type?: string; deleted?: number; spec?: object } = {}): Job {
  const { type, deleted, spec = {} } = changes;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: 'schema',
      namespace: 'jobs',
      uid: 'uid-1',
      creationTimestamp: at(0),
      finalizers: ['generations.dev/job'],
      ...(deleted !== undefined && { deletionTimestamp: at(deleted) }),
    },
    spec: { completions: 1, parallelism: 1, ...spec },
    status: type ? { conditions: [{ type, status: 'True', reason: 'Because' }] } : {},
  } as unknown as Job;
}

/** `told`: when it was told to end, in the 30 s that it is given; `ends`: when its container ended. Seconds. */
function aPod(changes: { told?: number; ends?: number; exitCode?: number; free?: boolean; gc?: boolean } = {}): Pod {
  const { told, ends, exitCode = 0, free = false, gc = false } = changes;
  const terminated = { exitCode, finishedAt: at(ends ?? 0) };
  const over = exitCode === 0 ? 'Succeeded' : 'Failed';
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'schema-x',
      namespace: 'jobs',
      uid: 'uid-pod',
      creationTimestamp: at(0),
      labels: { 'batch.kubernetes.io/controller-uid': 'uid-1' },
      finalizers: free ? [] : ['generations.dev/job'],
      ...(told !== undefined && { deletionTimestamp: at(told + 30), deletionGracePeriodSeconds: 30 }),
    },
    spec: { nodeName: 'node-1', containers: [{ name: 'main' }] },
    status: {
      phase: gc ? 'Failed' : ends === undefined ? 'Running' : over,
      ...(gc && { conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC' }] }),
      containerStatuses: [
        {
          name: 'main',
          ready: true,
          restartCount: 0,
          state: ends === undefined ? { running: {} } : { terminated },
        },
      ],
    },
  } as unknown as Pod;
}

const look = (job: Job | undefined, pods: Pod[], seconds = 60, spec?: Record<string, unknown>) =>
  viewOf({
    name: NAME,
    job,
    pods: pods.map((pod) => ({ pod, ended: hasEnded(pod, false) })),
    spec,
    now: EPOCH + seconds * 1000,
  });

describe('a Job', () => {
  it('has ended when it says so and none of its pods runs', () => {
    expect(look(aJob({ type: 'Complete' }), [aPod({ ends: 5 })])).toMatchObject({ state: 'Succeeded' });
    expect(look(aJob({ type: 'Failed' }), [aPod({ ends: 5, exitCode: 1 })])).toMatchObject({
      state: 'Failed',
      message: 'Because',
    });
    // No pod is made any more, and the one there was never had a machine.
    expect(look(aJob({ type: 'FailureTarget' }), [])).toMatchObject({ state: 'Failed' });
    expect(look(aJob(), [aPod({ ends: 5 })])).toMatchObject({ state: 'Running' });
  });

  it('runs as long as a pod may run that only its Node has lost', () => {
    expect(look(aJob({ type: 'Failed' }), [aPod({ gc: true })])).toMatchObject({
      state: 'Running',
      message: 'it is Failed, and pod schema-x on Node node-1 is not known to have ended',
    });
  });

  it('that only occupies its name has failed', () => {
    const job = aJob();
    job.metadata.annotations = { 'generations.dev/void': 'true' };
    expect(look(job, [])).toMatchObject({ state: 'Failed', message: expect.stringContaining('never ran') });
  });
});

describe('a Job that is deleted', () => {
  it('runs until its pod has ended, which alone shows how', () => {
    expect(look(aJob({ deleted: 10 }), [aPod()])).toMatchObject({ state: 'Running', followed: true });
    const told = look(undefined, [aPod({ told: 10 })]);
    expect(told).toMatchObject({ state: 'Running', uid: 'uid-1', kept: { job: false, pods: [{ name: 'schema-x' }] } });
    expect(told?.message).toBe('its Job is gone, and pod schema-x on Node node-1 is not known to have ended');
    const ended = look(undefined, [aPod({ told: 10, ends: 12, exitCode: 143 })]);
    expect(ended).toMatchObject({ state: 'Failed', interrupted: true });
  });

  it('has succeeded when its one pod had before it was told to end', () => {
    expect(look(aJob({ deleted: 10 }), [aPod({ ends: 5 })])).toMatchObject({ state: 'Succeeded' });
    expect(look(undefined, [aPod({ ends: 5, told: 10 })], 60, {})).toMatchObject({ state: 'Succeeded' });
    expect(look(undefined, [aPod({ ends: 5, told: 10 })], 60, { completions: 2 })).toMatchObject({ state: 'Lost' });
    expect(look(undefined, [aPod({ ends: 5, told: 10 })])).toMatchObject({ state: 'Lost' });
  });

  it('has an end that nobody knows when its pod said nothing on being told to end', () => {
    expect(look(aJob({ deleted: 10 }), [aPod({ told: 10, ends: 12 })])).toMatchObject({
      state: 'Lost',
      message: expect.stringContaining('ended with exit code 0 when it was told to end'),
    });
  });

  it('has failed without a pod only when none can come any more', () => {
    expect(look(aJob({ deleted: 50 }), [], 60)).toMatchObject({ state: 'Running' });
    expect(look(aJob({ deleted: 50 }), [], 61)).toMatchObject({ state: 'Failed', interrupted: true });
    expect(look(aJob({ deleted: 50 }), [], 61)).not.toHaveProperty('followed');
  });

  it('is not there any more once its pods were let go', () => {
    expect(look(undefined, [aPod({ ends: 5, exitCode: 1, free: true })])).toBeUndefined();
    expect(look(undefined, [aPod({ free: true })])).toMatchObject({ state: 'Running' });
    expect(look(undefined, [])).toBeUndefined();
  });
});
