import { describe, expect, it } from '@jest/globals';
import { aPlatform } from '../../../test/builders/index.ts';
import { LABEL, PLACEMENT } from '../../api/v1alpha1/index.ts';
import type { Pod } from '../../kube/resources.ts';
import type { Context } from '../context.ts';
import { viewOfPod } from '../pods.ts';
import { taskCensusOf } from './census.ts';

const platform = aPlatform({ live: 'green', spec: { roles: [{ name: 'tasks', handover: 'Singleton' }] } });

/** A pod of Deployment `a` on a Ready Node of green, running, unless told. */
const aTask = ({ spec, status, owner = 'ReplicaSet' }: Partial<Pod> & { owner?: string } = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    ...{ name: 'a-1', namespace: 'tasks', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
    labels: { [LABEL.platform]: 'us', [LABEL.role]: 'tasks' },
    ...(owner && { ownerReferences: [{ apiVersion: 'v1', kind: owner, name: 'a', uid: 'o', controller: true }] }),
  },
  spec: { containers: [{ name: 'main' }], nodeName: 'n1', nodeSelector: { [LABEL.generation]: 'green' }, ...spec },
  status: { phase: 'Running', ...status },
});
const onBlue = { containers: [{ name: 'main' }], nodeName: 'n1', nodeSelector: { [LABEL.generation]: 'blue' } };

async function troubleWith(
  pod: Pod,
  node: object | undefined = { labels: {}, ready: true },
): Promise<string | undefined> {
  const caches = { nodes: { get: () => node }, pods: { byIndex: () => [viewOfPod(pod)] } };
  const context = { client: { list: async () => ({ items: [pod] }) }, caches };
  const [role] = await taskCensusOf(context as unknown as Context, platform);
  return role?.trouble;
}

describe('what is in the way of a task', () => {
  it('is nothing while it starts, waits at its gate, or runs', async () => {
    const waiting = (reason: string) => [
      { name: 'main', ready: false, restartCount: 0, state: { waiting: { reason } } },
    ];
    const gated = { containers: [{ name: 'main' }], schedulingGates: [{ name: PLACEMENT }] };
    expect(await troubleWith(aTask())).toBeUndefined();
    expect(await troubleWith(aTask({ spec: gated, status: { phase: 'Pending' } }))).toBeUndefined();
    for (const reason of ['ContainerCreating', 'PodInitializing'])
      expect(
        await troubleWith(aTask({ status: { phase: 'Pending', containerStatuses: waiting(reason) } })),
      ).toBeUndefined();
    expect(
      await troubleWith(aTask({ status: { phase: 'Running', containerStatuses: waiting('CrashLoopBackOff') } })),
    ).toBeUndefined();
  });

  it('is a container that cannot begin: the pod is on its way for as long', async () => {
    const state = { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "app:1"' } };
    const containerStatuses = [{ name: 'main', ready: false, restartCount: 0, state }];
    expect(await troubleWith(aTask({ status: { phase: 'Pending', containerStatuses } }))).toBe(
      'Pod tasks/a-1 does not start: container main, ImagePullBackOff: Back-off pulling image "app:1"',
    );
    const initContainerStatuses = [
      { name: 'init', ready: false, restartCount: 3, state: { waiting: { reason: 'CrashLoopBackOff' } } },
    ];
    expect(await troubleWith(aTask({ status: { phase: 'Pending', initContainerStatuses } }))).toBe(
      'Pod tasks/a-1 does not start: container init, CrashLoopBackOff',
    );
  });

  it('is a pod left behind that nobody would make again, which is not ended', async () => {
    expect(await troubleWith(aTask({ spec: onBlue, owner: '' }))).toBe(
      'Pod tasks/a-1 is on blue, and no controller would make it again on green: delete it when it may end',
    );
    for (const owner of ['ReplicaSet', 'Job'])
      expect(await troubleWith(aTask({ spec: onBlue, owner }))).toBeUndefined();
    expect(await troubleWith(aTask({ owner: '' }))).toBeUndefined();
  });

  it('is first of all a machine that does not answer', async () => {
    expect(await troubleWith(aTask({ spec: onBlue, owner: '' }), { labels: {}, ready: false })).toMatch(
      /^Pod tasks\/a-1 may still run: its Node n1 does not answer/,
    );
  });
});

it('counts what the watch shows and a list lacks: no list says that a task has ended', async () => {
  const pod = aTask({});
  const caches = { nodes: { get: () => ({ labels: {}, ready: true }) }, pods: { byIndex: () => [viewOfPod(pod)] } };
  for (const items of [[], [pod]]) {
    const [role] = await taskCensusOf(
      { client: { list: async () => ({ items }) }, caches } as unknown as Context,
      platform,
    );
    expect(role).toMatchObject({ running: 1 });
  }
});
