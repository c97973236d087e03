import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aPod, type Workload } from '../placement/workloads.ts';
import {
  collectionOf,
  denialOf,
  eventually,
  expectStatus,
  type GuardedCluster,
  type KubeObject,
  pathOf,
  startGuardedCluster,
} from './cluster.ts';
import { aPlatform, NOON } from './objects.ts';

/** Pods of Follow and Singleton roles, as they come out of admission, whatever has become of the policy that puts them right. */

const PLATFORM = 'site';
const GATES = '/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings/generations-placement';
const PLACEMENT = 'generations.dev/placement';

let cluster: GuardedCluster;
let platform: KubeObject;

beforeAll(async () => {
  cluster = await startGuardedCluster();
  const roles = [{ name: 'web' }, { name: 'cron', handover: 'Follow' }, { name: 'always-on', handover: 'Singleton' }];
  const plain = aPlatform(PLATFORM);
  const live = { name: 'blue', uid: 'b00', time: NOON };
  platform = await cluster.create({
    ...plain,
    spec: { ...plain.spec, roles },
    status: { protected: ['blue', 'green'], live },
  });
  await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: PLATFORM } });
  await eventually('a pod to be taken', async () => (await created({ role: 'always-on' })).status === 201);
}, 180_000);
afterAll(() => cluster?.stop());

type Shape = Partial<Workload> & { role: string; spec?: object; finalizers?: string[] };

/** Tries to create one, as a dry run: of the answer, what admission has made of it. */
function created({ spec, finalizers, ...workload }: Shape) {
  const pod: KubeObject = aPod({ platform: PLATFORM, name: 'task', ...workload });
  const made = { ...pod, metadata: { ...pod.metadata, finalizers }, spec: { ...pod.spec, ...spec } };
  return cluster.call('person', 'POST', `${collectionOf('Pod', PLATFORM)}?dryRun=All`, made);
}

const refused = async (shape: Shape) => {
  const answer = await created(shape);
  return answer.status === 403 ? denialOf(answer) : { policy: `${answer.status}`, text: '' };
};

const gate = { schedulingGates: [{ name: PLACEMENT }] };
const on = (name: string) => ({ nodeSelector: { 'generations.dev/generation': name } });
const drawnTo = (key: string) => {
  const nodeSelectorTerms = [{ matchExpressions: [{ key, operator: 'In', values: ['green'] }] }];
  return { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } } };
};

/** Whichever way it pins a generation, or none at all. */
const SHAPES: [what: string, spec: object][] = [
  ['the generation that is not live in its selector', on('green')],
  ['the live generation in its selector', on('blue')],
  ['a required affinity to a generation', drawnTo('generations.dev/generation')],
  ['a required affinity to anything', drawnTo('topology.kubernetes.io/zone')],
];

describe.each([
  ['it is there', false],
  ['it is not', true],
])('a pod of a placed role, when the policy that puts it at its gate is %s', (_, isMissing) => {
  beforeAll(async () => {
    if (!isMissing) return;
    await expectStatus(200, cluster.call('admin', 'DELETE', GATES));
    await eventually('pods to be left as they come', async () => (await created({ role: 'cron' })).status === 403);
  });

  it.each(['always-on', 'cron'].flatMap((role) => SHAPES.map(([what, spec]) => [role, what, spec] as const)))(
    'never starts by itself: of role %s, with %s',
    async (role, _what, spec) => {
      const { status, body } = await created({ role, spec });
      const made = body as KubeObject;
      if (status === 403) return expect(denialOf({ status, body }).policy).toBe('start');
      expect(isMissing).toBe(false);
      expect(made.spec.schedulingGates).toEqual(gate.schedulingGates);
      expect(made.spec.nodeSelector ?? {}).toEqual({});
      return expect(made.metadata.finalizers ?? []).toEqual(role === 'always-on' ? [PLACEMENT] : []);
    },
  );

  it.each([
    ['on a Node', 'always-on', { nodeName: 'anywhere' }, 'cannot be created on Node anywhere'],
    [
      'drawn to a generation, with all else',
      'always-on',
      { ...gate, ...drawnTo('generations.dev/generation') },
      'affinity',
    ],
    [
      'drawn to a generation, of a Follow role',
      'cron',
      { ...gate, ...drawnTo('generations.dev/generation') },
      'affinity',
    ],
  ])('is refused %s', async (_what, role, spec, words) => {
    const { policy, text } = await refused({ role, spec, finalizers: [PLACEMENT] });
    expect(policy).toBe('start');
    expect(text).toContain(words);
  });

  it('is taken with gate and finalizer of its own', async () => {
    expect((await created({ role: 'always-on', spec: gate, finalizers: [PLACEMENT] })).status).toBe(201);
    expect((await created({ role: 'cron', spec: gate })).status).toBe(201);
  });

  it('stays what a generation has of its own when its role is Beside', async () => {
    for (const spec of [on('green'), on('blue'), drawnTo('generations.dev/generation'), { nodeName: 'anywhere' }])
      expect((await created({ role: 'web', spec })).status).toBe(201);
  });
});

describe('without that policy', () => {
  it('is refused with what to do', async () => {
    expect((await refused({ role: 'always-on', spec: on('green') })).text).toBe(
      `Pod ${PLATFORM}/task cannot be created without the gate generations.dev/placement: role always-on of Platform ${PLATFORM} is Singleton, and MutatingAdmissionPolicy generations-placement, which adds it, is missing or changed. Install the chart again, or write spec.schedulingGates: [{name: generations.dev/placement}] and metadata.finalizers: [generations.dev/placement] into the template of its workload; without an operator, set spec.singletonAdmission: Open there and nodeSelector generations.dev/generation: blue in the template`,
    );
    expect((await refused({ role: 'always-on', spec: gate })).text).toContain('without the finalizer');
    expect((await refused({ role: 'cron', spec: { ...gate, ...on('blue') } })).text).toContain('with nodeSelector');
  });
});

describe('break-glass (singletonAdmission: Open)', () => {
  const opened = async (singletonAdmission: 'Open' | 'Gated') => {
    await expectStatus(200, cluster.call('admin', 'PATCH', pathOf(platform), { spec: { singletonAdmission } }));
    const status = singletonAdmission === 'Open' ? 201 : 403;
    await eventually(
      `${singletonAdmission} to be taken up`,
      async () => (await created({ role: 'always-on', spec: on('blue') })).status === status,
    );
  };

  it('takes pods on the live generation alone when nothing puts them there', async () => {
    await opened('Open');
    expect((await created({ role: 'cron', spec: on('blue') })).status).toBe(201);
    for (const spec of [{}, on('green'), drawnTo('topology.kubernetes.io/zone')])
      expect((await refused({ role: 'always-on', spec })).policy).toMatch(/^(start|placement)$/);
    await opened('Gated');
  });

  it('takes them as the policy puts them', async () => {
    const binding = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingAdmissionPolicyBinding',
      metadata: { name: 'generations-placement' },
      spec: {
        policyName: 'generations-placement',
        paramRef: { selector: {}, parameterNotFoundAction: 'Allow' },
      },
    };
    await expectStatus(201, cluster.call('admin', 'POST', GATES.replace(/\/[^/]+$/, ''), binding));
    await opened('Open');
    await eventually('pods to be put right again', async () => (await created({ role: 'cron' })).status === 201);
    for (const role of ['always-on', 'cron'])
      for (const spec of [{}, on('green'), gate]) {
        const { status, body } = await created({ role, spec });
        expect({ status, selector: (body as KubeObject).spec?.nodeSelector }).toEqual({
          status: 201,
          selector: { 'generations.dev/generation': 'blue' },
        });
      }
  });
});
