import { uniqueName } from '../../../local/testing.ts';
import type { Mutation } from './mutations.ts';

/** What keeps workloads, and with them what users reach. */

const unprotect = { metadata: { labels: { 'generations.dev/protected': null } } };
const empty = { spec: { replicas: 0 } };
const elsewhere = { spec: { template: { spec: { nodeSelector: { 'generations.dev/generation': 'other' } } } } };
const controller = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'gone', uid: 'd00', controller: true };
const adopted = { metadata: { ownerReferences: [controller] } };
const stripped = { metadata: { finalizers: null } };

/** What can be done neither to one of a live generation, nor to one that is listed, nor to one that people have labelled. */
const each = (policy: string, whose: string, of: 'ofLive' | 'ofList' | 'ofPeople'): Mutation[] => [
  [`delete a workload ${whose}`, (cast) => ['admin', 'DELETE', cast[of].deployment], [policy, 'cannot be deleted']],
  [
    `bring a workload ${whose} to zero`,
    (cast) => ['admin', 'PATCH', cast[of].deployment, empty],
    [policy, 'cannot be scaled to zero'],
  ],
  [
    `move a workload ${whose}`,
    (cast) => ['admin', 'PATCH', cast[of].deployment, elsewhere],
    [policy, 'cannot be moved to'],
  ],
  [
    `strip a workload ${whose} that is being deleted`,
    (cast) => ['admin', 'PATCH', cast[of].leaving, stripped],
    [policy, 'while it is being deleted'],
  ],
  [
    `give a ReplicaSet ${whose} a controller`,
    (cast) => ['admin', 'PATCH', cast[of].replicaSet, adopted],
    [policy, 'cannot be given a controller'],
  ],
];

export const ofWorkloads: Mutation[] = [
  ...each('workload', 'of a live generation', 'ofLive'),
  ...each('listed', 'that is listed', 'ofList'),
  ...each('marked', 'that people have labelled', 'ofPeople'),
  [
    'hide a workload of a live generation',
    ({ ofLive }) => [
      'admin',
      'PATCH',
      ofLive.statefulSet,
      { metadata: { labels: { 'generations.dev/generation': null } } },
      '/status',
    ],
    ['workload', 'Label generations.dev/generation'],
  ],
  [
    'scale a listed workload to zero when nobody calls',
    ({ ofList }) => ['admin', 'POST', ofList.autoscaler],
    ['listed', 'cannot have minReplicas 0'],
  ],
  [
    'unlabel a workload that people have labelled',
    ({ ofPeople }) => ['admin', 'PATCH', ofPeople.deployment, unprotect],
    ['marked', 'cannot be removed: it guards the workload'],
  ],
  [
    'label what is no workload protected',
    ({ ofPeople }) => ['admin', 'POST', ofPeople.configMap],
    ['marked', 'cannot be protected by the label'],
  ],
  [
    'delete a namespace with guarded workloads',
    ({ ofList }) => ['admin', 'DELETE', ofList.namespace],
    ['namespace', 'cannot be deleted: workloads'],
  ],
  [
    'take a workload off the list',
    ({ ofList }) => [
      'admin',
      'PATCH',
      ofList.namespace,
      { metadata: { annotations: { 'generations.dev/workloads': null } } },
    ],
    ['namespace', 'Annotation generations.dev/workloads'],
  ],
  [
    'delete a workload as the operator',
    ({ ofNobody }) => ['operator', 'DELETE', ofNobody, undefined, '', ''],
    ['labelling', 'is deleted by people'],
  ],
  [
    'change a workload as the operator',
    // For good, since as a dry run it may; each time another change.
    ({ ofNobody }) => ['operator', 'PATCH', ofNobody, { metadata: { annotations: { at: uniqueName('t') } } }, '', ''],
    ['labelling', 'is changed by people'],
  ],
];
