import { describe, expect, it } from '@jest/globals';
import { LABEL, PLACEMENT } from '../api/v1alpha1/index.ts';
import { census, hasEnded, kindOf, type PodFacts, type TaskPod, taskOf } from './tasks.ts';

type Owner = { kind: string; name: string };
const aPod = (name: string, owner?: Owner, more: Partial<PodFacts['metadata']> = {}, gated = false): PodFacts => ({
  metadata: {
    namespace: 'tasks',
    name,
    ...(owner && { ownerReferences: [{ ...owner, controller: true }] }),
    ...more,
  },
  spec: { containers: [{}], ...(gated && { schedulingGates: [{ name: PLACEMENT }] }) },
});
const ofDeployment = (deployment: string, hash: string, more: Partial<PodFacts['metadata']> = {}) =>
  aPod(
    `${deployment}-${hash}-abcde`,
    { kind: 'ReplicaSet', name: `${deployment}-${hash}` },
    { labels: { 'pod-template-hash': hash }, ...more },
  );

describe('the task of a pod', () => {
  it('stays the same when a Deployment’s template changes, and differs between Deployments and namespaces', () => {
    const task = taskOf(ofDeployment('worker', '5d9f'));
    expect(task).toMatch(/^worker-[0-9a-f]{16}$/);
    expect(taskOf(ofDeployment('worker', '77aa'))).toBe(task);
    expect(taskOf(ofDeployment('other', '5d9f'))).not.toBe(task);
    expect(taskOf(ofDeployment('worker', '5d9f', { namespace: 'elsewhere' }))).not.toBe(task);
  });

  it('is one for all runs of a CronJob, and one for each pod of a StatefulSet', () => {
    const run = (job: string) => taskOf(aPod(`${job}-x1x2x`, { kind: 'Job', name: job }));
    expect(run('report-29000001')).toBe(run('report-29000002'));
    expect(run('report')).toBe(run('report-29000002'));
    const set = { kind: 'StatefulSet', name: 'db' };
    expect(taskOf(aPod('db-0', set))).not.toBe(taskOf(aPod('db-1', set)));
  });

  it('tells kinds of the same name apart, and takes what it does not know by its name', () => {
    const owners: (Owner | undefined)[] = [
      undefined,
      { kind: 'Job', name: 'a' },
      { kind: 'StatefulSet', name: 'x' },
      { kind: 'Clone', name: 'a' },
    ];
    expect(new Set(owners.map((owner) => taskOf(aPod('a', owner)))).size).toBe(owners.length);
    expect(taskOf(aPod('a', { kind: 'Clone', name: 'c' }))).toBe(taskOf(aPod('b', { kind: 'Clone', name: 'c' })));
  });

  it('is what it was placed as, even taken from its controller; before that a label says nothing', () => {
    const labels = { [LABEL.task]: 'recorded' };
    expect(taskOf(aPod('a', undefined, { labels }))).toBe('recorded');
    expect(taskOf(aPod('a', undefined, { labels }, true))).toBe(taskOf(aPod('a')));
  });

  it('fits into a label', () => {
    for (const length of [2, 45, 46, 47, 200, 253])
      expect(taskOf(aPod(`${'a'.repeat(length - 1)}.`))).toMatch(/^(?=.{1,63}$)[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/);
  });
});

it('kinds of pods are those that a controller replaces, those of Jobs, and those that nobody made', () => {
  expect(
    [undefined, 'Job', 'ReplicaSet', 'StatefulSet'].map((kind) =>
      kindOf(aPod('a', kind ? { kind, name: 'a' } : undefined)),
    ),
  ).toEqual(['bare', 'job', 'lasting', 'lasting']);
});

describe('a pod has ended', () => {
  const running = { state: { running: {} } };
  const terminated = { state: { terminated: {} } };
  const bound = (status: PodFacts['status'], leaving = false): PodFacts => ({
    metadata: { name: 'a', ...(leaving && { deletionTimestamp: '2026-01-01T00:00:00Z' }) },
    spec: { nodeName: 'n1', containers: [{}] },
    ...(status && { status }),
  });
  const failed = { phase: 'Failed', containerStatuses: [terminated] };
  const waiting = { state: {} };
  /** A pod whose phase was last written by somebody, as the API server records it. */
  const by = (manager: string, status: PodFacts['status'], field = 'f:phase'): PodFacts => {
    const pod = bound(status, true);
    const managedFields = [
      { manager: 'kube-scheduler', subresource: 'status', fieldsV1: { 'f:status': { 'f:conditions': {} } } },
      { manager, subresource: 'status', fieldsV1: { 'f:status': { [field]: {} } } },
    ];
    return { ...pod, metadata: { ...pod.metadata, managedFields } };
  };
  const initializing = { phase: 'Failed', containerStatuses: [waiting], initContainerStatuses: [terminated] };

  it.each<[what: string, pod: PodFacts, machineIsOff: boolean, ended: boolean]>([
    ['when its kubelet has said so', bound(failed), false, true],
    ['when it has succeeded', bound({ ...failed, phase: 'Succeeded' }), false, true],
    ['not while it runs', bound({ phase: 'Running', containerStatuses: [running] }), false, false],
    ['not because it is being deleted', bound({ phase: 'Running', containerStatuses: [running] }, true), false, false],
    [
      'not between two runs of its container',
      bound({ phase: 'Running', containerStatuses: [terminated] }),
      false,
      false,
    ],
    [
      'not between two runs of its container, being deleted',
      bound({ phase: 'Running', containerStatuses: [terminated] }, true),
      false,
      false,
    ],
    ['not by phase alone', bound({ phase: 'Failed', containerStatuses: [running] }, true), false, false],
    ['not by phase alone, of a container never reported', bound({ phase: 'Failed' }, true), false, false],
    [
      'not by the word of the garbage collector',
      bound(
        { ...failed, conditions: [{ type: 'Ready' }, { type: 'DisruptionTarget', reason: 'DeletionByPodGC' }] },
        true,
      ),
      false,
      false,
    ],
    ['when its kubelet has refused to run it', by('kubelet', { phase: 'Failed' }), false, true],
    ['when its kubelet has ended it before its containers began', by('kubelet', initializing), false, true],
    ['not by phase alone, whoever else wrote it', by('kube-controller-manager', initializing), false, false],
    ['not by what else its kubelet wrote', by('kubelet', initializing, 'f:podIP'), false, false],
    [
      'not by its kubelet’s phase while a container runs',
      by('kubelet', { phase: 'Failed', containerStatuses: [waiting, running] }),
      false,
      false,
    ],
    ['not while a sidecar runs', bound({ ...failed, initContainerStatuses: [running] }), false, false],
    ['not while somebody debugs it', bound({ ...failed, ephemeralContainerStatuses: [running] }), false, false],
    [
      'when it is being deleted and its machine is off',
      bound({ phase: 'Running', containerStatuses: [running] }, true),
      true,
      true,
    ],
    [
      'not when its machine is off and could come back with it',
      bound({ phase: 'Running', containerStatuses: [running] }),
      true,
      false,
    ],
    [
      'when it was never bound and cannot be any more',
      { metadata: { name: 'a', deletionTimestamp: 'x' }, spec: { containers: [] } },
      false,
      true,
    ],
    ['not before it is bound', { metadata: { name: 'a' }, spec: { containers: [] } }, false, false],
  ])('%s', (_, pod, machineIsOff, ended) => {
    expect(hasEnded(pod, machineIsOff)).toBe(ended);
  });
});

it('the census counts copies by where they are, and tasks', () => {
  const pod = (changes: Partial<TaskPod>): TaskPod => ({
    ...{ role: 'always-on', task: 'a', gated: false, generation: 'blue', started: true, ended: false, kind: 'lasting' },
    ...changes,
  });
  expect(
    census([
      pod({}),
      pod({ gated: true, generation: undefined, started: false }),
      pod({ task: 'b', generation: 'green', started: false }),
      pod({ task: 'c', kind: 'job' }),
      pod({ task: 'c', kind: 'job', started: false }),
      pod({ task: 'c', kind: 'job', gated: true, generation: undefined, started: false }),
      pod({ task: 'd', ended: true }),
      pod({ task: 'e', generation: undefined }),
    ]),
  ).toEqual({ total: 4, waiting: 2, starting: 2, running: 3, arriving: 2, on: { blue: 1, green: 1 } });
});
