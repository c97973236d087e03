import { users } from './cluster.ts';
import type { Mutation } from './mutations.ts';
import { aCutover, NOON, retention } from './objects.ts';

/** What Cutovers are protected by, and what only a Cutover may write. */

const approval = (user: string, planHash = 'p1') => ({ spec: { approvals: [{ user, planHash }] } });
const metadata = (change: object) => ({ metadata: change });
const status = (change: object) => ({ status: change });
/** The same each time that it is tried. */
const unmade = (spec: object) => ({ ...aCutover(spec), metadata: { name: 'unmade' } });

export const ofCutovers: Mutation[] = [
  [
    'delete a Cutover that is under way',
    ({ cutover }) => ['admin', 'DELETE', cutover],
    ['state', "' cannot be deleted: ' + variables.underWayWhy"],
  ],
  [
    'strip the finalizer of a Cutover that is under way',
    ({ cutover }) => ['admin', 'PATCH', cutover, metadata({ finalizers: null })],
    ['state', "'Finalizer generations.dev/cutover"],
  ],
  [
    'abort a Cutover that has ended',
    ({ ended }) => ['person', 'PATCH', ended, { spec: { abort: true } }],
    ['state', 'comes too late'],
  ],
  [
    'write the spec of a Cutover as the operator',
    ({ cutover }) => ['operator', 'PATCH', cutover, { spec: { abort: true } }],
    ['state', "'spec of '"],
  ],
  [
    'approve a Cutover for another',
    ({ cutover }) => ['person', 'PATCH', cutover, approval(users.second)],
    ['platform', "'spec.approvals of '"],
  ],
  [
    'change what another has approved',
    ({ approved }) => ['person', 'PATCH', approved, approval(users.second, 'p2')],
    ['platform', "'spec.approvals of '"],
  ],
  [
    'approve a Cutover as a service account',
    ({ cutover }) => ['nodeController', 'PATCH', cutover, approval(users.nodeController)],
    ['platform', "'spec.approvals of '"],
  ],
  [
    'create a Cutover that another has approved',
    ({ cutover: { spec } }) => ['person', 'POST', unmade({ ...spec, ...approval(users.second).spec })],
    ['platform', "'spec.approvals of '"],
  ],
  [
    'roll back to what is not kept',
    ({ live: { platform, generation } }) => {
      const [name, from] = [platform.metadata.name, generation.metadata.name];
      return ['person', 'POST', unmade({ platform: name, from, to: 'ga-retired', mode: 'Rollback' })];
    },
    ['generation', 'cannot roll back to'],
  ],
  [
    'roll back past what cannot be undone',
    ({ kept: { platform, generation } }) => {
      const [name, to] = [platform.metadata.name, generation.metadata.name];
      return ['person', 'POST', unmade({ platform: name, from: 'ga-of-long-ago', to, mode: 'Rollback' })];
    },
    ['pool', 'cannot roll back to'],
  ],
  [
    // For good, since as a dry run it may; the finalizer keeps it there to be deleted again.
    'delete a Cutover as the operator',
    ({ ended }) => ['operator', 'DELETE', ended, undefined, '', ''],
    ['state', 'which may only try it'],
  ],
  [
    'retire one for a Cutover that has not left it',
    ({ kept }) => [
      'operator',
      'PATCH',
      kept.generation,
      status({ retiredTime: NOON, retiredBy: { name: 'x', uid: 'y' } }),
      '/status',
    ],
    ['state', 'cannot be retired by Cutover'],
  ],
  [
    'leave the live one for a rollback, stopped',
    ({ live }) => [
      'operator',
      'PATCH',
      live.generation,
      status({ retention: { ...retention, standby: 'Stopped' } }),
      '/status',
    ],
    ['generation', 'cannot be left for a rollback'],
  ],
  [
    'take back that the live one is live',
    ({ returned }) => [
      'operator',
      'PATCH',
      returned.generation,
      status({ liveTime: null, retention: null }),
      '/status',
    ],
    ['generation', 'cannot be taken back'],
  ],
  [
    'take back that one has been live that no Cutover holds',
    ({ kept }) => ['operator', 'PATCH', kept.generation, status({ liveTime: null, retention: null }), '/status'],
    ['state', 'cannot be taken back'],
  ],
  [
    'point a Platform at nothing',
    ({ live }) => ['operator', 'PATCH', live.platform, status({ live: null }), '/status'],
    ['platform', "'status.live of '"],
  ],
];
