import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer } from '../../../local/access.ts';
import { uniqueName } from '../../../local/testing.ts';
import {
  type Actor,
  denialOf,
  eventually,
  expectStatus,
  type GuardedCluster,
  type KubeObject,
  type Method,
  pathOf,
  startGuardedCluster,
} from './cluster.ts';
import { aPool, aSite, NOON, type Site } from './objects.ts';

/**
 * Each rule is taken out of the installed policies, and the act that it stops must then succeed: so the other tests can fail, and no
 * rule is there for show. Where two policies stop an act, each must do so alone.
 */
let cluster: GuardedCluster;
let live: Site;
let neverLive: Site;
let cutover: KubeObject;
let unclaimed: KubeObject;

beforeAll(async () => {
  cluster = await startGuardedCluster();
  live = await aSite(cluster, 'live');
  neverLive = await aSite(cluster, 'neverLive');
  for (const object of [live.generation, live.pool, neverLive.generation])
    await expectStatus(
      200,
      cluster.call('operator', 'PATCH', pathOf(object), { metadata: { finalizers: ['generations.dev/machines'] } }),
    );
  unclaimed = await cluster.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: uniqueName('node') } });
  cutover = await cluster.create({
    apiVersion: 'generations.dev/v1alpha1',
    kind: 'Cutover',
    metadata: { name: uniqueName('to') },
    spec: { platform: 'pa', from: '', to: 'ga-2' },
    status: { steps: [{ name: 'Reserve', state: 'Done' }] },
  });
}, 180_000);
afterAll(() => cluster?.stop());

const owner = { apiVersion: 'v1', kind: 'Node', name: 'gone', uid: '00000000-0000-0000-0000-000000000000' };

/** A rule: the policy that holds it and a part of its message that no other rule of the policy has. */
type Rule = [policy: string, message: string];
type Act = () => [who: Actor, method: Method, object: KubeObject, body?: object, subresource?: string];

const deletion: string = "' cannot be deleted: '";
const rules: [act: string, act: Act, ...rules: Rule[]][] = [
  [
    'delete a live generation',
    () => ['admin', 'DELETE', live.generation],
    ['generation', deletion],
    ['state', deletion],
  ],
  ['delete its pool', () => ['operator', 'DELETE', live.pool], ['pool', deletion], ['machines', deletion]],
  ['delete its Node', () => ['person', 'DELETE', live.node], ['node', deletion], ['machines', deletion]],
  ['delete its Platform', () => ['admin', 'DELETE', live.platform], ['platform', 'cannot be deleted']],
  ['delete a Cutover that holds a generation', () => ['admin', 'DELETE', cutover], ['state', "'Cutover '"]],
  [
    'delete a CRD',
    () => ['admin', 'DELETE', { kind: 'CustomResourceDefinition', metadata: { name: 'cutovers.generations.dev' } }],
    ['crd', 'cannot be deleted'],
  ],
  [
    'strip the finalizer of a live generation',
    () => ['operator', 'PATCH', live.generation, { metadata: { finalizers: null } }],
    ['generation', 'Finalizers'],
    ['state', 'Finalizers'],
  ],
  [
    'strip the finalizer of its pool',
    () => ['operator', 'PATCH', live.pool, { metadata: { finalizers: null } }],
    ['pool', 'Finalizers'],
  ],
  [
    'strip the finalizer of a never-live generation',
    () => ['admin', 'PATCH', neverLive.generation, { metadata: { finalizers: null } }],
    ['state', "'Finalizer generations.dev/machines"],
  ],
  [
    'give a live generation an owner',
    () => ['admin', 'PATCH', live.generation, { metadata: { ownerReferences: [owner] } }],
    ['generation', 'an owner'],
    ['state', 'an owner'],
  ],
  [
    'give its pool an owner',
    () => ['operator', 'PATCH', live.pool, { metadata: { ownerReferences: [owner] } }],
    ['pool', 'an owner'],
  ],
  [
    'give its Platform an owner',
    () => ['admin', 'PATCH', live.platform, { metadata: { ownerReferences: [owner] } }],
    ['platform', 'an owner'],
  ],
  [
    'forge a status',
    () => ['admin', 'PATCH', live.pool, { status: { launchCount: 7 } }, '/status'],
    ['state', "'The status of '"],
  ],
  [
    'go live unprotected',
    () => ['operator', 'PATCH', neverLive.generation, { status: { liveTime: NOON } }, '/status'],
    ['generation', 'cannot go live'],
  ],
  [
    'retire the live one',
    () => [
      'operator',
      'PATCH',
      live.generation,
      { status: { retiredTime: NOON, retiredBy: { name: 'x', uid: 'y' } } },
      '/status',
    ],
    ['generation', 'cannot be retired'],
  ],
  [
    'scale a pool by hand',
    () => ['person', 'PATCH', neverLive.pool, { spec: { machines: 0 } }],
    ['state', 'is written by the operator only'],
  ],
  [
    'create a pool by hand',
    () => ['person', 'POST', { ...aPool(neverLive.generation, 'pa'), metadata: { name: 'by-hand' } }],
    ['state', 'is written by the operator only'],
  ],
  [
    'relabel a pool',
    () => ['operator', 'PATCH', neverLive.pool, { metadata: { labels: { 'generations.dev/pool': 'x' } } }],
    ['state', 'of GenerationPool'],
  ],
  [
    'relabel a Node',
    () => ['operator', 'PATCH', live.node, { metadata: { labels: { 'generations.dev/pool': 'x' } } }],
    ['labels', 'cannot be changed'],
  ],
  [
    'claim a Node by hand',
    () => ['person', 'PATCH', unclaimed, { metadata: { labels: live.node.metadata.labels } }],
    ['labels', 'is set by the operator'],
  ],
];

function perform(act: Act): Promise<Answer> {
  const [who, method, object, body, subresource = ''] = act();
  const path = method === 'POST' ? pathOf(object).replace(/\/[^/]+$/, '') : pathOf(object);
  return cluster.call(who, method, `${path}${subresource}?dryRun=All`, method === 'POST' ? object : body);
}

const isDeniedBy = (policy: string, answer: Answer) => answer.status >= 300 && denialOf(answer).policy === policy;

const succeeds = async (act: Act) => (await perform(act)).status < 300;

/** Makes one rule say yes to everything, in the installed policy; returns what restores it. */
async function disable([policy, message]: Rule): Promise<() => Promise<void>> {
  const path = pathOf({ kind: 'ValidatingAdmissionPolicy', metadata: { name: `generations-guard-${policy}` } });
  const set = async (expressionOf: (rule: { expression: string }) => string) => {
    let before = '';
    // The API server's own type checker writes to the policy meanwhile.
    await eventually(`${policy} to be changed`, async () => {
      const object = await expectStatus(200, cluster.call('admin', 'GET', path));
      const found = object.spec.validations.filter((rule: KubeObject) => rule.messageExpression.includes(message));
      if (found.length !== 1) throw new Error(`${policy} has ${found.length} rules whose message has ${message}`);
      before = found[0].expression;
      found[0].expression = expressionOf(found[0]);
      return (await cluster.call('admin', 'PUT', path, object)).status === 200;
    });
    return before;
  };
  const before = await set(() => 'true');
  return async () => void (await set(() => before));
}

describe('without the rule against it, anybody can', () => {
  it.each(rules)(
    '%s',
    async (_what, act, ...against) => {
      denialOf(await perform(act));
      const restore = new Map<Rule, () => Promise<void>>();
      for (const rule of against) restore.set(rule, await disable(rule));
      try {
        await eventually('the act to succeed', () => succeeds(act));
        for (const rule of against) {
          const others = against.filter((other) => other !== rule && !restore.has(other));
          for (const other of others) restore.set(other, await disable(other));
          await restore.get(rule)?.();
          restore.delete(rule);
          await eventually(`${rule[0]} alone to refuse it`, async () => isDeniedBy(rule[0], await perform(act)));
        }
      } finally {
        for (const undo of restore.values()) await undo();
      }
      await eventually('the act to be refused as before', async () => !(await succeeds(act)));
    },
    120_000,
  );
});

it('no policy has a type error', async () => {
  const path = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies';
  await eventually(
    'the type checks',
    async () => {
      const { items } = await expectStatus(200, cluster.call('admin', 'GET', path));
      return items.every((policy: KubeObject) => policy.status?.observedGeneration === policy.metadata.generation);
    },
    120_000,
  );
  const { items } = await expectStatus(200, cluster.call('admin', 'GET', path));
  const warnings = items.map(({ metadata, status }: KubeObject) => [
    metadata.name,
    status.typeChecking.expressionWarnings ?? [],
  ]);
  expect(warnings).toEqual(
    ['crd', 'generation', 'labels', 'machines', 'node', 'platform', 'pool', 'state'].map((name) => [
      `generations-guard-${name}`,
      [],
    ]),
  );
});
