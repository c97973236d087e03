import { type Actor, type KubeObject, type Method, users } from './cluster.ts';
import { bogusOwner } from './matrix/attempts.ts';
import type { Cast } from './mutation-cast.ts';
import { ofCutovers } from './mutations-cutovers.ts';
import { ofPods } from './mutations-pods.ts';
import { ofWorkloads } from './mutations-workloads.ts';
import { aPool, NOON, retention } from './objects.ts';

/** Each rule of the policies with an act that it stops. */

/** A rule: the policy that holds it and a part of its message that no other rule of the policy has. */
export type Rule = [policy: string, message: string];
export type Act = (
  cast: Cast,
) => [who: Actor, method: Method, object: KubeObject, body?: object | undefined, subresource?: string, query?: string];

const deletion: string = "' cannot be deleted: '";
const metadata = (change: object) => ({ metadata: change });
const status = (change: object) => ({ status: change });
const notReady = status({ conditions: [{ type: 'Ready', status: 'False', reason: 'Tested', message: '' }] });
const evicting = { spec: { taints: [{ key: 'example.com/out', effect: 'NoExecute' }] } };

/** A CRD with its only version changed. */
function changed({ crd }: Cast, change: (version: KubeObject, object: KubeObject) => void): KubeObject {
  const object = structuredClone({ ...crd, kind: 'CustomResourceDefinition' });
  change(object.spec.versions[0], object);
  return object;
}

const onNodes: [act: string, change: object, subresource: string, message: string][] = [
  ['cordon a Node', { spec: { unschedulable: true } }, '', 'cannot be cordoned'],
  ['taint a Node NoExecute', evicting, '', 'NoExecute taint'],
  ['mark a Node not Ready', notReady, '/status', 'is marked not Ready'],
];

export type Mutation = [act: string, act: Act, ...rules: Rule[]];

export const mutations: Mutation[] = [
  // Deletion.
  [
    'delete a live generation',
    ({ live }) => ['admin', 'DELETE', live.generation],
    ['generation', deletion],
    ['state', `${deletion} + variables.why`],
  ],
  ['delete its pool', ({ live }) => ['operator', 'DELETE', live.pool], ['generation', deletion], ['pool', deletion]],
  ['delete its Node', ({ live }) => ['person', 'DELETE', live.node], ['node', deletion], ['machines', deletion]],
  ['delete its Platform', ({ live }) => ['admin', 'DELETE', live.platform], ['platform', 'cannot be deleted']],
  [
    'delete a class that a Platform uses',
    ({ classOfPlatform }) => ['admin', 'DELETE', classOfPlatform],
    ['generation', 'makes its machines from it'],
  ],
  [
    'delete a class that a generation uses',
    ({ classOfGeneration }) => ['admin', 'DELETE', classOfGeneration],
    ['pool', 'come from it'],
  ],
  [
    'delete a CRD',
    ({ crd }) => ['admin', 'DELETE', { ...crd, kind: 'CustomResourceDefinition' }],
    ['crd', 'cannot be deleted'],
  ],
  [
    'delete a protected namespace',
    ({ protectedNamespace }) => ['admin', 'DELETE', protectedNamespace],
    ['namespace', 'cannot be deleted: it is protected'],
  ],
  [
    'evict a pod in it',
    ({ pod }) => [
      'person',
      'POST',
      pod,
      { apiVersion: 'policy/v1', kind: 'Eviction', metadata: pod.metadata },
      '/eviction',
    ],
    ['namespace', 'cannot be evicted'],
  ],
  [
    'unlabel it',
    ({ protectedNamespace }) => [
      'admin',
      'PATCH',
      protectedNamespace,
      metadata({ labels: { 'generations.dev/protected': null } }),
      '/status',
    ],
    ['namespace', 'Label generations.dev/protected'],
  ],
  ['delete a traffic Service', ({ service }) => ['admin', 'DELETE', service], ['traffic', 'cannot be deleted']],
  [
    'send its traffic elsewhere',
    ({ service }) => ['admin', 'PATCH', service, { spec: { selector: { app: 'green' } } }],
    ['traffic', 'cannot be changed'],
  ],
  [
    'unlabel a traffic Service',
    ({ service }) => ['admin', 'PATCH', service, metadata({ labels: { 'generations.dev/traffic': null } })],
    ['traffic', 'cannot be removed'],
  ],

  // Hollowing out.
  [
    'strip the finalizer of a live generation',
    ({ live }) => ['operator', 'PATCH', live.generation, metadata({ finalizers: null })],
    ['generation', 'Finalizers'],
    ['state', 'Finalizers'],
  ],
  [
    'strip the finalizer of its pool',
    ({ live }) => ['operator', 'PATCH', live.pool, metadata({ finalizers: null })],
    ['generation', 'Finalizers'],
    ['pool', 'Finalizers'],
  ],
  [
    'strip the finalizer of a never-live generation',
    ({ neverLive }) => ['admin', 'PATCH', neverLive.generation, metadata({ finalizers: null })],
    ['state', "'Finalizer generations.dev/machines"],
  ],
  [
    'give a live generation an owner',
    ({ live }) => ['admin', 'PATCH', live.generation, metadata({ ownerReferences: [bogusOwner] })],
    ['generation', 'an owner'],
    ['state', 'an owner'],
  ],
  [
    'give its pool an owner',
    ({ live }) => ['operator', 'PATCH', live.pool, metadata({ ownerReferences: [bogusOwner] })],
    ['generation', 'an owner'],
    ['pool', 'an owner'],
  ],
  [
    'give its Platform an owner',
    ({ live }) => ['admin', 'PATCH', live.platform, metadata({ ownerReferences: [bogusOwner] })],
    ['platform', 'an owner'],
  ],
  [
    'give its Platform another class',
    ({ live }) => ['admin', 'PATCH', live.platform, { spec: { className: 'other' } }],
    ['platform', "'spec.className of '"],
  ],
  [
    'relabel a live generation',
    ({ live }) => ['admin', 'PATCH', live.generation, metadata({ labels: { 'generations.dev/platform': 'y' } })],
    ['generation', "'Labels generations.dev/ of '"],
    ['state', "'Labels generations.dev/ of ' + variables"],
  ],
  [
    'shrink a generation that only its Platform protects',
    ({ listed }) => [
      'admin',
      'PATCH',
      listed.generation,
      { spec: { pools: [{ ...listed.generation.spec.pools[0], machines: 0 }] } },
    ],
    ['generation', "'Pools of '"],
  ],
  [
    'shrink an adopted generation',
    ({ adopted }) => ['admin', 'PATCH', adopted, { spec: { pools: [{ ...adopted.spec.pools[0], machines: 0 }] } }],
    ['state', "'Pools of '"],
  ],
  [
    'scale a pool by hand',
    ({ neverLive }) => ['person', 'PATCH', neverLive.pool, { spec: { machines: 0 } }],
    ['state', 'is written by the operator only'],
  ],
  [
    'create a pool by hand',
    ({ neverLive }) => ['person', 'POST', { ...aPool(neverLive.generation, 'pa'), metadata: { name: 'by-hand' } }],
    ['state', 'is written by the operator only'],
  ],
  [
    'relabel a pool',
    ({ neverLive }) => ['operator', 'PATCH', neverLive.pool, metadata({ labels: { 'generations.dev/pool': 'x' } })],
    ['state', 'of GenerationPool'],
  ],
  [
    'relabel a Node',
    ({ live }) => ['operator', 'PATCH', live.node, metadata({ labels: { 'generations.dev/pool': 'x' } })],
    ['labels', 'cannot be changed'],
  ],
  [
    'claim a Node by hand',
    ({ live, unclaimed }) => ['person', 'PATCH', unclaimed, metadata({ labels: live.node.metadata.labels })],
    ['labels', 'is set by the operator'],
  ],
  [
    'call a Node stale by hand',
    ({ live }) => ['admin', 'PATCH', live.node, metadata({ annotations: { 'generations.dev/stale': 'x' } })],
    ['labels', 'is written by the operator, while'],
  ],

  // Disabling machines.
  ...onNodes.map(([act, change, subresource, message]): [string, Act, ...Rule[]] => [
    act,
    ({ live }) => ['person', 'PATCH', live.node, change, subresource],
    ['node', message],
    ['machines', message],
  ]),

  // Forging state.
  [
    'forge a status',
    ({ live }) => ['admin', 'PATCH', live.pool, status({ launchCount: 7 }), '/status'],
    ['state', "'The status of '"],
  ],
  [
    'go live unprotected',
    ({ neverLive }) => ['operator', 'PATCH', neverLive.generation, status({ liveTime: NOON }), '/status'],
    ['generation', 'cannot go live'],
  ],
  [
    'retire the live one',
    ({ returned }) => [
      'operator',
      'PATCH',
      returned.generation,
      status({ retiredTime: NOON, retiredBy: retention.cutover, reservedBy: null }),
      '/status',
    ],
    ['generation', 'cannot be retired'],
  ],
  [
    'point at a namesake',
    ({ live }) => ['operator', 'PATCH', live.platform, status({ live: { uid: 'another' } }), '/status'],
    ['pool', 'cannot point at'],
  ],
  [
    'request an override in another name',
    ({ live }) => [
      'person',
      'PATCH',
      live.platform,
      { spec: { override: { generation: 'ga', reason: 'x', requestedBy: users.second } } },
    ],
    ['platform', 'cannot be requested'],
  ],
  [
    'approve another override than the one requested',
    ({ requested }) => [
      'second',
      'PATCH',
      requested,
      { spec: { override: { generation: 'other', approvedBy: users.second } } },
    ],
    ['platform', 'cannot be changed like this'],
  ],
  [
    'put an override in force that nobody approved',
    ({ live }) => [
      'operator',
      'PATCH',
      live.platform,
      status({ override: { generation: 'ga', uid: 'u', until: NOON } }),
      '/status',
    ],
    ['platform', 'cannot come into force'],
  ],
  [
    'take a field out of the schema',
    (cast) => [
      'admin',
      'PUT',
      changed(cast, ({ schema: { openAPIV3Schema: schema } }) => {
        delete schema.properties.status.properties.machines;
        delete schema['x-kubernetes-validations'];
      }),
    ],
    ['crd', 'must keep'],
  ],
  [
    'stop serving a version',
    (cast) => [
      'admin',
      'PUT',
      changed(cast, (version) => {
        version.served = false;
      }),
    ],
    ['crd', 'cannot stop serving'],
  ],
  [
    'have a kind converted by a webhook',
    (cast) => [
      'admin',
      'PUT',
      changed(cast, (_, { spec }) => {
        const clientConfig = { url: 'https://example.com/convert' };
        spec.conversion = { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1'] } };
      }),
    ],
    ['crd', 'conversion webhook'],
  ],
  ...ofCutovers,
  ...ofPods,
  ...ofWorkloads,
];
