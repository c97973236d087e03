import { jest } from '@jest/globals';
import { Agent, request } from 'undici';
import type { Answer } from '../../../local/access.ts';
import { ensureBinaries } from '../../../local/binaries/build.ts';
import { installChart } from '../../../local/chart.ts';
import { type ControlPlane, startControlPlane } from '../../../local/control-plane.ts';
import { waitFor } from '../../../local/wait.ts';

/** A machine that runs everything at once answers late; what waits says what for, well before this. Real ms. */
jest.setTimeout(60_000);

/** Whose user name each of them has. */
export const users = {
  person: 'alice@example.com',
  second: 'bob@example.com',
  admin: 'admin',
  operator: 'system:serviceaccount:generations-system:generations-operator',
  /** Its user name without its token: `kubectl --as`. */
  impostor: 'system:serviceaccount:generations-system:generations-operator',
  cloud: 'system:cloud-controller-manager',
  nodeController: 'system:serviceaccount:kube-system:node-controller',
  kubelet: 'system:node:any',
} as const;

export type Actor = keyof typeof users;

// biome-ignore lint/suspicious/noExplicitAny: objects are compared, not computed with
export type KubeObject = any;

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT';

/**
 * A control plane with the chart, where RBAC stops nobody but `cloud`: all others are cluster-admin here as `admin` is, so that whatever
 * is refused is refused by a policy.
 */
export interface GuardedCluster {
  controlPlane: ControlPlane;
  /** One request; a PATCH is a merge patch unless `contentType` says otherwise. Ten seconds at most. */
  call(who: Actor, method: Method, path: string, body?: unknown, contentType?: string): Promise<Answer>;
  /** Creates an object as admin, with `status` written by the operator; returns it as stored. Pools are the operator's. */
  create(object: KubeObject): Promise<KubeObject>;
  /** Writes a status as the operator. */
  status(object: KubeObject, status: object): Promise<KubeObject>;
  get(object: KubeObject): Promise<KubeObject>;
  stop(): Promise<void>;
}

const plurals: Record<string, string> = {
  Platform: 'apis/generations.dev/v1alpha1/platforms',
  ClusterGeneration: 'apis/generations.dev/v1alpha1/clustergenerations',
  GenerationPool: 'apis/generations.dev/v1alpha1/generationpools',
  Cutover: 'apis/generations.dev/v1alpha1/cutovers',
  GenerationClass: 'apis/generations.dev/v1alpha1/generationclasses',
  Node: 'api/v1/nodes',
  Namespace: 'api/v1/namespaces',
  Service: 'api/v1/namespaces/{namespace}/services',
  Pod: 'api/v1/namespaces/{namespace}/pods',
  ConfigMap: 'api/v1/namespaces/{namespace}/configmaps',
  Job: 'apis/batch/v1/namespaces/{namespace}/jobs',
  Deployment: 'apis/apps/v1/namespaces/{namespace}/deployments',
  StatefulSet: 'apis/apps/v1/namespaces/{namespace}/statefulsets',
  DaemonSet: 'apis/apps/v1/namespaces/{namespace}/daemonsets',
  ReplicaSet: 'apis/apps/v1/namespaces/{namespace}/replicasets',
  HorizontalPodAutoscaler: 'apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers',
  Ingress: 'apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses',
  ClusterRole: 'apis/rbac.authorization.k8s.io/v1/clusterroles',
  CustomResourceDefinition: 'apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  ValidatingAdmissionPolicyBinding: 'apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings',
  ValidatingAdmissionPolicy: 'apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies',
};

export const collectionOf = (kind: string, namespace = '') => `/${plurals[kind]?.replace('{namespace}', namespace)}`;
export const pathOf = ({ kind, metadata }: KubeObject) => `${collectionOf(kind, metadata.namespace)}/${metadata.name}`;

export async function startGuardedCluster(): Promise<GuardedCluster> {
  const binaries = await ensureBinaries({ log: () => {} });
  const controlPlane = await startControlPlane({
    binaries,
    run: { scheduler: false, kwok: false },
    // So that what is refused to a HorizontalPodAutoscaler is refused by a policy.
    apiServerArgs: ['--feature-gates=HPAScaleToZero=true'],
  });
  try {
    await installChart(controlPlane);
    const cluster = await guarded(controlPlane);
    await policiesTakenIn(cluster);
    await policiesInForce(cluster);
    return cluster;
  } catch (error) {
    await controlPlane.stop();
    throw error;
  }
}

async function guarded(controlPlane: ControlPlane): Promise<GuardedCluster> {
  const connections = new Agent({
    connect: { ca: controlPlane.certificateAuthority },
    allowH2: false,
    connections: 16,
  });
  const { admin, alice, bob, cloud } = controlPlane.tokens;
  const credentials: Record<Actor, Record<string, string>> = {
    person: bearer(alice),
    second: bearer(bob),
    admin: bearer(admin),
    cloud: bearer(cloud),
    // A kubelet has a client certificate, which this API server does not take; all that admission sees of it is its name and groups.
    kubelet: {
      ...bearer(admin),
      'impersonate-user': users.kubelet,
      'impersonate-group': 'system:nodes',
    },
    impostor: { ...bearer(admin), 'impersonate-user': users.impostor },
    operator: {},
    nodeController: {},
  };
  const call: GuardedCluster['call'] = async (who, method, path, body, contentType) => {
    const response = await request(controlPlane.server + path, {
      method,
      dispatcher: connections,
      headers: {
        ...credentials[who],
        accept: 'application/json',
        'content-type': contentType ?? (method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
    return { status: response.statusCode, body: await response.body.json() };
  };
  await expectStatus(201, call('admin', 'POST', bindings, everything));
  for (const who of ['operator', 'nodeController'] as const) credentials[who] = bearer(await tokenOf(call, users[who]));
  const status: GuardedCluster['status'] = (object, value) =>
    expectStatus(200, call('operator', 'PATCH', `${pathOf(object)}/status`, { status: value }));
  return {
    controlPlane,
    call,
    status,
    async create({ status: value, ...object }) {
      const who = object.kind === 'GenerationPool' ? 'operator' : 'admin';
      const created = await expectStatus(
        201,
        call(who, 'POST', collectionOf(object.kind, object.metadata.namespace), object),
      );
      return value === undefined ? created : status(created, value);
    },
    get: async (object) => (await call('admin', 'GET', pathOf(object))).body,
    async stop() {
      await connections.destroy();
      await controlPlane.stop();
    },
  };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** A real token of a service account: only such a one has a credential id. */
async function tokenOf(call: GuardedCluster['call'], user: string): Promise<string> {
  const [, , namespace, name] = user.split(':');
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}`;
  await eventually(`${user} to exist`, async () => (await call('admin', 'GET', path)).status === 200);
  return (await expectStatus(201, call('admin', 'POST', `${path}/token`, body))).status.token;
}

/**
 * Waits until the API server goes by every policy and binding that the chart has installed: it takes them in in the order in which they were
 * written, once a second, and until then lets through what they refuse. One that is written last, and refuses, shows that.
 */
async function policiesTakenIn({ call }: GuardedCluster): Promise<void> {
  const name = 'written-last';
  const apiVersion = 'admissionregistration.k8s.io/v1';
  const resourceRules = [
    { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'], resourceNames: [name] },
  ];
  const policy = {
    apiVersion,
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name },
    spec: { matchConstraints: { resourceRules }, validations: [{ expression: 'false', message: name }] },
  };
  const binding = {
    apiVersion,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny'] },
  };
  for (const object of [policy, binding])
    await expectStatus(201, call('admin', 'POST', collectionOf(object.kind), object));
  const witness = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } };
  await eventually('the policies to be taken in', async () => {
    const { status } = await call('admin', 'POST', '/api/v1/namespaces/default/configmaps?dryRun=All', witness);
    return status === 422;
  });
  for (const object of [binding, policy]) await expectStatus(200, call('admin', 'DELETE', pathOf(object)));
}

/**
 * Waits until no policy refuses everything for want of its parameters. The API server looks for new kinds every 30 s; a policy that was
 * installed a moment before its kind was served refuses until then.
 */
async function policiesInForce({ call }: GuardedCluster): Promise<void> {
  const apiVersion = 'generations.dev/v1alpha1';
  const name = 'probe';
  const platform = {
    apiVersion,
    kind: 'Platform',
    metadata: { name },
    spec: { className: 'aws', roles: [{ name: 'web' }] },
  };
  const template = { ec2: { launchTemplate: { id: 'lt-0abc', version: '7' }, instanceType: 'm6i.xlarge' } };
  const pools = [{ name: 'web', role: 'web', machines: 1, template }];
  const generation = {
    apiVersion,
    kind: 'ClusterGeneration',
    metadata: { name },
    spec: { platform: name, release: '1', pools },
  };
  const labels = { 'generations.dev/platform': name, 'generations.dev/generation': name };
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name, labels } };
  for (const object of [platform, generation, node])
    await expectStatus(201, call('admin', 'POST', collectionOf(object.kind), object));
  await eventually(
    'the policies to let the status of Platform probe be written',
    async () =>
      (await call('operator', 'PATCH', `${pathOf(platform)}/status`, { status: { protected: [] } })).status === 200,
    90_000,
  );
  // The mutating policies want a kind's schema, which the API server asks for every few seconds; until then it answers 503.
  const cutover = { apiVersion, kind: 'Cutover', metadata: { name }, spec: { platform: name, from: '', to: name } };
  await eventually('Cutovers to be taken', async () => {
    const { status } = await call('admin', 'POST', `${collectionOf('Cutover')}?dryRun=All`, cutover);
    return status === 201;
  });
  // In this order: the Node's policies need both other kinds.
  for (const object of [node, generation, platform])
    await eventually(
      `the policies to let ${object.kind} probe go`,
      async () => {
        const { status } = await call('admin', 'DELETE', pathOf(object));
        return status === 200;
      },
      90_000,
    );
}

const bindings = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';

const everything = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'test-rbac-stops-nobody' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
  subjects: [
    ...[users.person, users.second, users.operator, users.nodeController].map((name) => ({
      kind: 'User',
      apiGroup: 'rbac.authorization.k8s.io',
      name,
    })),
    { kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'system:nodes' },
  ],
};

export async function expectStatus(status: number, answer: Promise<Answer>): Promise<KubeObject> {
  const { status: got, body } = await answer;
  if (got !== status) throw new Error(`expected ${status}, got ${got}: ${JSON.stringify(body)}`);
  return body;
}

/** What a policy said: its name without the prefix, and its message. */
export type Denial = { policy: string; text: string };

/** The denial in an answer; throws when the answer is anything else, an RBAC refusal included. */
export function denialOf({ status, body }: Answer): Denial {
  const { message, reason } = body as { message: string; reason: string };
  const match =
    /ValidatingAdmissionPolicy 'generations-guard-(\S+)' with binding 'generations-guard-\1' denied request: (.*)$/.exec(
      message,
    );
  if (status !== 403 || reason !== 'Forbidden' || match === null) throw new Error(`not a denial: ${status} ${message}`);
  return { policy: match[1] ?? '', text: match[2] ?? '' };
}

/** Repeats an act until the policies have seen what it depends on: their copy of a Platform is milliseconds behind. */
export function eventually(what: string, act: () => Promise<boolean>, limitMs = 30_000): Promise<true> {
  return waitFor(what, { limitMs, everyMs: 20 }, async () => ((await act()) ? true : undefined));
}
