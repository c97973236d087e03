import { expect, it } from '@jest/globals';
import { selectorFor } from '../../../test/builders/index.ts';
import { deployments, type Pod, pods, type Workload } from '../../kube/resources.ts';
import { causeOf, type Shortage } from './cause.ts';

const metadata = (name: string) => ({
  name,
  namespace: 'edge',
  uid: name,
  resourceVersion: '1',
  creationTimestamp: '',
});
const aPod = (name: string, status: Pod['status'] = {}, changes: object = {}): Pod => ({
  ...pods,
  metadata: { ...metadata(name), ...changes },
  spec: { containers: [{ name: 'web' }] },
  status,
});
const ready = { phase: 'Running' as const, conditions: [{ type: 'Ready', status: 'True' as const }] };
const aDeployment = (replicas: number, status: Workload['status'] = {}): Workload => ({
  ...deployments,
  metadata: metadata('web'),
  spec: { replicas },
  status,
});
const cause = (changes: Partial<Shortage>) =>
  causeOf({
    what: 'Service edge/www of traffic target www',
    namespace: 'edge',
    wanted: selectorFor('green'),
    ready: 0,
    minReady: 1,
    pods: [],
    workloads: [],
    room: { machines: 3, podLimit: 110 },
    ...changes,
  });
const crashing = {
  phase: 'Running' as const,
  containerStatuses: [
    {
      name: 'web',
      ready: false,
      restartCount: 3,
      state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s' } },
    },
  ],
};
const unready = {
  phase: 'Running' as const,
  conditions: [{ type: 'Ready', status: 'False' as const, message: 'containers with unready status: [web]' }],
};
const unschedulable = {
  phase: 'Pending' as const,
  conditions: [{ type: 'PodScheduled', status: 'False' as const, reason: 'Unschedulable', message: '0/3 nodes' }],
};
const refused = { conditions: [{ type: 'ReplicaFailure', status: 'True' as const, message: 'exceeded quota: pods' }] };

it.each<[string, Partial<Shortage>, string, string]>([
  ['nothing makes its pods', {}, 'WorkloadGone', 'Apply it again'],
  [
    'nothing makes its pods any more, and the last are ending',
    { pods: [aPod('a', ready, { deletionTimestamp: 'now' })] },
    'WorkloadGone',
    'generations.dev/generation=green',
  ],
  ['it is scaled to 0', { workloads: [aDeployment(0)] }, 'ScaledToZero', 'scale deployment/web --replicas=1'],
  ['it is scaled below minReady', { minReady: 3, workloads: [aDeployment(2)] }, 'TooFewReplicas', 'can be 2 at most'],
  ['its pods are refused', { workloads: [aDeployment(2, refused)] }, 'PodsMissing', 'exceeded quota: pods'],
  [
    'a pod crashes',
    { workloads: [aDeployment(1)], pods: [aPod('a', crashing)] },
    'PodsNotReady',
    'a waits: container web, CrashLoopBackOff: back-off 40s',
  ],
  [
    'a pod says no',
    { workloads: [aDeployment(1)], pods: [aPod('a', unready)] },
    'PodsNotReady',
    'containers with unready status: [web]',
  ],
  [
    'a pod finds no machine',
    { workloads: [aDeployment(1)], pods: [aPod('a', unschedulable)] },
    'PodsNotReady',
    'a finds no machine: 0/3 nodes',
  ],
  [
    'endpoints do not follow',
    { workloads: [aDeployment(1)], pods: [aPod('a', ready)] },
    'EndpointsNotFollowing',
    'kube-controller-manager',
  ],
  [
    'no machines can hold so many',
    { minReady: 331, workloads: [aDeployment(400)] },
    'MinReadyUnattainable',
    'never hold more than 330 pods',
  ],
  [
    'the role has no machines',
    { room: { machines: 0, podLimit: undefined } },
    'MinReadyUnattainable',
    'the 0 machines',
  ],
])('a Service with too few endpoints, because %s', (_, changes, reason, words) => {
  const { message, ...problem } = cause(changes);
  expect(problem).toEqual({ reason });
  expect(message).toContain('Service edge/www of traffic target www has 0 ready endpoints');
  expect(message).toContain(words);
});

it('is not called unattainable while no Node has said how many pods it takes', () => {
  expect(cause({ minReady: 331, room: { machines: 3, podLimit: undefined } }).reason).toBe('WorkloadGone');
});
