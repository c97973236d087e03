import { jest } from '@jest/globals';
import { type Answer, callApi } from '../../../local/access.ts';
import { ensureBinaries } from '../../../local/binaries/build.ts';
import { installChart } from '../../../local/chart.ts';
import { type ControlPlane, startControlPlane } from '../../../local/control-plane.ts';
import { waitFor } from '../../../local/wait.ts';

/**
 * A control plane with the chart, where RBAC stops nobody: `person` and `operator` are cluster-admin here as `admin` is, so that whatever
 * is refused is refused by a policy.
 */
/** A machine that runs everything at once answers late; what waits says what for, well before this. Real ms. */
jest.setTimeout(60_000);

export type Actor = 'person' | 'admin' | 'operator' | 'cloud';

// biome-ignore lint/suspicious/noExplicitAny: objects are compared, not computed with
export type KubeObject = any;

export type Method = Parameters<typeof callApi>[2];

export interface GuardedCluster {
  controlPlane: ControlPlane;
  call(who: Actor, method: Method, path: string, body?: unknown): Promise<Answer>;
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
  Node: 'api/v1/nodes',
  ClusterRole: 'apis/rbac.authorization.k8s.io/v1/clusterroles',
  CustomResourceDefinition: 'apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  ValidatingAdmissionPolicy: 'apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies',
};

export const collectionOf = (kind: string) => `/${plurals[kind]}`;
export const pathOf = ({ kind, metadata }: KubeObject) => `${collectionOf(kind)}/${metadata.name}`;

export async function startGuardedCluster(): Promise<GuardedCluster> {
  const binaries = await ensureBinaries({ log: () => {} });
  const controlPlane = await startControlPlane({ binaries, run: { scheduler: false, kwok: false } });
  try {
    await installChart(controlPlane);
    const cluster = await guarded(controlPlane);
    await policiesInForce(cluster);
    return cluster;
  } catch (error) {
    await controlPlane.stop();
    throw error;
  }
}

async function guarded(controlPlane: ControlPlane): Promise<GuardedCluster> {
  await expectStatus(201, callApi(controlPlane, 'admin', 'POST', bindings, { body: everything }));
  const token = await operatorToken(controlPlane);
  // The cloud keeps its own token; the operator takes the place of an identity that is not used here.
  const access = { ...controlPlane, tokens: { ...controlPlane.tokens, gitops: token } };
  const identity = { person: 'alice', admin: 'admin', operator: 'gitops', cloud: 'cloud' } as const;
  const call: GuardedCluster['call'] = (who, method, path, body) =>
    callApi(access, identity[who], method, path, {
      ...(body === undefined ? {} : { body }),
      ...(method === 'PATCH' ? { contentType: 'application/merge-patch+json' } : {}),
    });
  const status: GuardedCluster['status'] = (object, value) =>
    expectStatus(200, call('operator', 'PATCH', `${pathOf(object)}/status`, { status: value }));
  return {
    controlPlane,
    call,
    status,
    async create({ status: value, ...object }) {
      const who = object.kind === 'GenerationPool' ? 'operator' : 'admin';
      const created = await expectStatus(201, call(who, 'POST', collectionOf(object.kind), object));
      return value === undefined ? created : status(created, value);
    },
    get: async (object) => (await call('admin', 'GET', pathOf(object))).body,
    stop: () => controlPlane.stop(),
  };
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
  await expectStatus(200, call('operator', 'PATCH', `${pathOf(platform)}/status`, { status: { protected: [] } }));
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
    { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'alice@example.com' },
    { kind: 'ServiceAccount', namespace: 'generations-system', name: 'generations-operator' },
  ],
};

async function operatorToken(controlPlane: ControlPlane): Promise<string> {
  const path = '/api/v1/namespaces/generations-system/serviceaccounts/generations-operator/token';
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const { status } = await expectStatus(201, callApi(controlPlane, 'admin', 'POST', path, { body: request }));
  return status.token;
}

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
