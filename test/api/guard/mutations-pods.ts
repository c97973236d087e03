import { aDeployment, aPod } from '../placement/workloads.ts';
import type { KubeObject } from './cluster.ts';
import type { Mutation } from './mutations.ts';

/** What keeps pods of Follow and Singleton roles where they belong. */

const spec = (change: object) => ({ spec: change });
const metadata = (change: object) => ({ metadata: change });
const generation = (name: string) => ({ 'generations.dev/generation': name });

const PLACEMENT = 'generations.dev/placement';
const gates = [{ name: PLACEMENT }];

/** A pod of the Singleton role beside `gated`, as it comes when the policy that puts pods right is not there. */
function made({ metadata: { namespace } }: KubeObject, spec: object, finalizers: string[] = []) {
  const pod = aPod({ platform: namespace, role: 'always-on', name: 'made' });
  return { ...pod, metadata: { ...pod.metadata, finalizers }, spec: { ...pod.spec, ...spec } };
}

export const ofPods: Mutation[] = [
  [
    'create a pod of a role that no Platform has',
    ({ gated: { metadata } }) => [
      'person',
      'POST',
      aPod({ platform: metadata.namespace, role: 'none', name: 'stray' }),
    ],
    ['placement', 'has not said to which generation'],
  ],
  [
    'lift the gate of a pod',
    ({ gated }) => ['person', 'PATCH', gated, spec({ schedulingGates: null })],
    ['placement', "'The gate "],
  ],
  [
    'say where a gated pod belongs',
    ({ gated }) => ['person', 'PATCH', gated, spec({ nodeSelector: generation('blue') })],
    ['placement', "'nodeSelector "],
  ],
  [
    "strip the finalizer of a singleton's pod",
    ({ gated }) => ['person', 'PATCH', gated, metadata({ finalizers: null })],
    ['placement', "'The finalizer "],
  ],
  [
    'give such a pod another role',
    ({ gated }) => ['person', 'PATCH', gated, metadata({ labels: { 'generations.dev/role': 'web' } })],
    ['placement', "'Label "],
  ],
  [
    'say on which machine a singleton may still run',
    ({ gated }) => ['person', 'PATCH', gated, metadata({ annotations: { 'generations.dev/machine': 'i-1' } })],
    ['placement', "'Annotation "],
  ],
  [
    'create such a pod on a Node',
    ({ gated: { metadata } }) => {
      const pod = aPod({ platform: metadata.namespace, role: 'always-on', name: 'bound' });
      return ['person', 'POST', { ...pod, spec: { ...pod.spec, nodeName: 'anywhere' } }];
    },
    ['start', 'cannot be created on Node'],
  ],
  [
    'create such a pod without its gate',
    ({ gated }) => ['person', 'POST', made(gated, { nodeSelector: generation('blue') })],
    ['start', 'cannot be created without the gate'],
  ],
  [
    "create a singleton's pod without its finalizer",
    ({ gated }) => ['person', 'POST', made(gated, { schedulingGates: gates })],
    ['start', 'cannot be created without the finalizer'],
  ],
  [
    'create such a pod at its gate, for one generation',
    ({ gated }) => [
      'person',
      'POST',
      made(gated, { schedulingGates: gates, nodeSelector: generation('green') }, [PLACEMENT]),
    ],
    ['start', 'cannot be created with nodeSelector'],
  ],
  [
    'create such a pod at its gate, with an affinity to one generation',
    ({ gated }) => {
      const matchExpressions = [{ key: 'generations.dev/generation', operator: 'In', values: ['green'] }];
      const required = {
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] },
      };
      const spec = { schedulingGates: gates, affinity: { nodeAffinity: required } };
      return ['person', 'POST', made(gated, spec, [PLACEMENT])];
    },
    ['start', 'cannot be created with a required node affinity'],
  ],
  [
    'start such a pod while a cutover holds them',
    ({ quiesced }) => [
      'operator',
      'PATCH',
      quiesced,
      spec({ schedulingGates: null, nodeSelector: generation('blue') }),
    ],
    ['start', 'cannot start now'],
  ],
  [
    'start such a pod on a generation that is not live',
    ({ gated }) => ['operator', 'PATCH', gated, spec({ schedulingGates: null, nodeSelector: generation('green') })],
    ['start', 'cannot start on generation'],
  ],
  [
    'roll singletons over',
    ({ gated: { metadata } }) => {
      const deployment = aDeployment({ platform: metadata.namespace, role: 'always-on', name: 'rolling' });
      return ['person', 'POST', { ...deployment, spec: { ...deployment.spec, strategy: { type: 'RollingUpdate' } } }];
    },
    ['singletons', 'must have strategy Recreate'],
  ],
  [
    'have two of a singleton',
    ({ gated: { metadata } }) => [
      'person',
      'POST',
      aDeployment({ platform: metadata.namespace, role: 'always-on', name: 'twice', replicas: 2 }),
    ],
    ['singletons', 'must have 0 or 1 replicas'],
  ],
  [
    // For good, since as a dry run it may; each time another one.
    'create a pod as the operator',
    ({ pod: { metadata } }) => {
      const containers = [{ name: 'main', image: 'unused' }];
      const made = {
        kind: 'Pod',
        metadata: { generateName: 'made-', namespace: metadata.namespace },
        spec: { containers },
      };
      return ['operator', 'POST', made, undefined, '', ''];
    },
    ['pods', 'which may only try it'],
  ],
  [
    'delete a pod of no platform as the operator',
    ({ pod }) => ['operator', 'DELETE', pod],
    ['pods', 'belongs to no platform'],
  ],
];
