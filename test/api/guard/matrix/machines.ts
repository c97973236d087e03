import { bogusOwner, deleting, patch } from './attempts.ts';
import type { Act } from './cells.ts';
import {
  anybody,
  both,
  either,
  kubeletsAndNodeControllers,
  nobody,
  notLive,
  theNodeController,
  theOperator,
  unprotected,
} from './rules.ts';

/** What is done to the pools and Nodes of a generation. */

export const poolActs: Act[] = [
  ...deleting(
    ['delete', 'delete by force', 'delete in the background', 'delete the collection of'],
    'its pool',
    unprotected,
    'pool',
  ),
  {
    what: "strip its pool's finalizer",
    to: 'pool',
    attempt: patch({ metadata: { finalizers: null } }),
    legal: both(unprotected, theOperator),
  },
  {
    what: 'give its pool an owner that is gone',
    to: 'pool',
    attempt: patch({ metadata: { ownerReferences: [bogusOwner] } }),
    legal: unprotected,
  },
  {
    what: 'have its pool adopted by another generation',
    to: 'pool',
    attempt: patch({
      metadata: {
        ownerReferences: [
          { ...bogusOwner, apiVersion: 'generations.dev/v1alpha1', kind: 'ClusterGeneration', name: 'other' },
        ],
      },
    }),
    legal: unprotected,
  },
  {
    what: 'relabel its pool',
    to: 'pool',
    attempt: patch({ metadata: { labels: { 'generations.dev/generation': 'other' } } }),
    legal: nobody,
  },
  {
    what: 'write the spec of its pool',
    to: 'pool',
    attempt: patch({ spec: { machines: 0 } }),
    legal: theOperator,
    undo: { who: 'operator', attempt: patch({ spec: { machines: 1 } }) },
  },
  {
    what: 'write the status of its pool',
    to: 'pool',
    attempt: patch({ status: { launchCount: 7 } }, '/status'),
    legal: theOperator,
    undo: { who: 'operator', attempt: patch({ status: { launchCount: null } }, '/status') },
  },
];

const taint = (key: string) => ({ key, effect: 'NoExecute' });
const untainted = { who: 'admin' as const, attempt: patch({ spec: { taints: null } }) };
const conditions = (status: string) =>
  patch({ status: { conditions: [{ type: 'Ready', status, reason: 'Tested', message: '' }] } }, '/status');
const disables = either(unprotected, both(theOperator, notLive));

export const nodeActs: Act[] = [
  ...deleting(['delete', 'delete by force', 'delete the collection of'], 'its Node', unprotected, 'node'),
  {
    what: 'delete its sick Node',
    to: 'sick',
    attempt: () => ({ method: 'DELETE' }),
    legal: either(unprotected, theOperator, theNodeController),
  },
  { what: 'delete its stale Node', to: 'stale', attempt: () => ({ method: 'DELETE' }), legal: anybody },
  {
    what: 'delete its stale Node that is Ready',
    to: 'staleReady',
    attempt: () => ({ method: 'DELETE' }),
    legal: unprotected,
  },
  ...['', '/status'].map((subresource) => ({
    what: `call its sick Node stale${subresource && ' through its status'}`,
    to: 'sick',
    attempt: patch({ metadata: { annotations: { 'generations.dev/stale': 'other' } } }, subresource),
    legal: theOperator,
    undo: {
      who: 'operator' as const,
      attempt: patch({ metadata: { annotations: { 'generations.dev/stale': null } } }),
    },
  })),
  {
    what: 'cordon its Node',
    to: 'node',
    attempt: patch({ spec: { unschedulable: true } }),
    legal: disables,
    undo: { who: 'admin', attempt: patch({ spec: { unschedulable: null } }) },
  },
  {
    what: 'cordon its Node under maintenance',
    to: 'maintained',
    attempt: patch({ spec: { unschedulable: true } }),
    legal: anybody,
    undo: { who: 'admin', attempt: patch({ spec: { unschedulable: null } }) },
  },
  {
    what: 'taint its Node NoExecute',
    to: 'node',
    attempt: patch({ spec: { taints: [taint('example.com/out')] } }),
    legal: disables,
    undo: untainted,
  },
  {
    what: 'taint its Node NoExecute as unreachable',
    to: 'node',
    attempt: patch({ spec: { taints: [taint('node.kubernetes.io/unreachable')] } }),
    legal: either(disables, theNodeController),
    undo: untainted,
  },
  ...['node', 'maintained'].map((to) => ({
    what: `mark its ${to === 'node' ? 'Node' : 'Node under maintenance'} not Ready`,
    to,
    attempt: conditions('False'),
    legal: either(unprotected, kubeletsAndNodeControllers),
    undo: { who: 'kubelet' as const, attempt: conditions('True') },
  })),
  ...['', '/status'].map((subresource) => ({
    what: `move its Node to another generation${subresource && ' through its status'}`,
    to: 'node',
    attempt: patch({ metadata: { labels: { 'generations.dev/generation': 'other' } } }, subresource),
    legal: nobody,
  })),
];
