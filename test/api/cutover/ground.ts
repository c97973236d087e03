import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { ensureBinaries } from '../../../local/binaries/build.ts';
import { type ControlPlane, startControlPlane } from '../../../local/control-plane.ts';
import { testControlPlane, uniqueName } from '../../../local/testing.ts';
import { waitFor } from '../../../local/wait.ts';
import type { Cutover, Platform } from '../../../src/api/v1alpha1/index.ts';
import type { Context } from '../../../src/controllers/context.ts';
import { makeAuthority } from '../../../src/guard/webhook/certificates/make.ts';
import { cutovers, platforms } from '../../../src/kinds.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import type { KubeObject, New, Resource } from '../../../src/kube/resource.ts';
import {
  type Job,
  jobs,
  type Node,
  namespaces,
  nodes,
  type Pod,
  pods,
  serviceAccounts,
} from '../../../src/kube/resources.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silent } from '../../../src/runtime/logger.ts';
import { adminClient, clientFor } from '../kit/kit.ts';

/**
 * A real API server with the Job and EndpointSlice controllers, where the operator has no more rights than its ClusterRole
 * gives it. No kubelet runs the pods: tests say how they end, and a server on loopback has their logs.
 */
export interface Ground {
  admin: KubeClient;
  /** What a part of the operator is given, in a process of its own: with a client of its own. */
  operator(): Context;
  /** A Platform whose Jobs run in a namespace of its own, and a Cutover of it. */
  aCutover(spec: Partial<Cutover['spec']>, platform?: Partial<Platform['spec']>): Promise<Site>;
  /** Generations that the cache has Nodes labelled with; by Node. */
  generations: Record<string, string>;
  /** The one Node, whose kubelet has the logs. */
  node: string;
  /** Lines of the log of each container, by the name of its pod. */
  logs: Record<string, string>;
  stop(): Promise<void>;
}

export interface Site {
  /** Where its Jobs run; also the name of Cutover and Platform. */
  name: string;
  platform: Platform;
  /** As it is now. */
  cutover(): Promise<Cutover>;
  /** All of its Jobs that there are. */
  jobs(): Promise<Job[]>;
  /** Waits for the pod of a Job. */
  podOf(job: string): Promise<Pod>;
  /** Has a Job's pod end as its kubelet would report it. */
  end(job: string, exitCode: number): Promise<void>;
}

const operator = 'system:serviceaccount:generations-system:generations-operator';

export async function startGround(): Promise<Ground> {
  const binaries = await ensureBinaries({ log: () => {} });
  const controlPlane = await startControlPlane({ binaries, run: { scheduler: false, kwok: false } });
  const logs: Record<string, string> = {};
  const kubelet = await startKubelet(logs);
  const clients: KubeClient[] = [];
  const stop = async () => {
    kubelet.close();
    await Promise.all(clients.map(({ transport }) => transport.close()));
    await controlPlane.stop();
  };
  try {
    const admin = adminClient(controlPlane);
    clients.push(admin);
    await install(controlPlane, admin);
    const token = await tokenOf(controlPlane);
    const node = await aNode(admin, kubelet.port);
    const generations: Ground['generations'] = {};
    return {
      admin,
      node,
      generations,
      logs,
      operator() {
        const client = clientFor(controlPlane.server, { token, ca: controlPlane.certificateAuthority });
        clients.push(client);
        const get = (name: string) => ({ labels: { 'generations.dev/generation': generations[name] } });
        return {
          client,
          leaseAge: () => 0,
          clock: systemClock(),
          log: silent,
          caches: { nodes: { get } },
        } as unknown as Context;
      },
      aCutover: (spec, platform = {}) => aSite(admin, spec, platform),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The kinds, and the operator's rights as they are shipped; no policies, which other tests are about. */
async function install(controlPlane: ControlPlane, admin: KubeClient): Promise<void> {
  for (const name of ['generations-system']) await admin.create(namespaces, { metadata: { name } });
  const { kubectl } = testControlPlane(controlPlane);
  const files = ['crds/cutovers.yaml', 'crds/platforms.yaml', 'manifests/rbac/operator.yaml'];
  const { status, stderr } = await kubectl('admin', ['apply', ...files.flatMap((file) => ['-f', file])]);
  if (status !== 0) throw new Error(`kubectl apply: ${stderr}`);
  const metadata = { name: 'generations-operator', namespace: 'generations-system' };
  await admin.create(serviceAccounts, { metadata });
  await waitFor('the kinds to be served', { limitMs: 30_000 }, async () =>
    (await Promise.all([admin.list(cutovers), admin.list(platforms)]).catch(() => undefined)) ? true : undefined,
  );
}

async function tokenOf(controlPlane: ControlPlane): Promise<string> {
  const [, , namespace, name] = operator.split(':');
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const answer = await testControlPlane(controlPlane).call('admin', 'POST', path, { body });
  return (answer.body as { status: { token: string } }).status.token;
}

/** A Node whose kubelet is a server of this process. */
async function aNode(admin: KubeClient, port: number): Promise<string> {
  const created = await admin.create<Node>(nodes, { metadata: { name: uniqueName('node') } });
  const status = {
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
    conditions: [{ type: 'Ready', status: 'True', reason: 'Tested', message: '' }],
  };
  await admin.patch(nodes, created.metadata.name, { status }, { type: 'merge', subresource: 'status' });
  return created.metadata.name;
}

/** Answers as a kubelet does for the logs of its containers: GET /containerLogs/<namespace>/<pod>/<container>. */
async function startKubelet(logs: Record<string, string>): Promise<{ port: number; close(): void }> {
  const { cert, key } = await makeAuthority(Date.now());
  const server = createHttpsServer({ cert, key }, (request, response) => {
    const [, , , pod = ''] = (request.url ?? '').split(/[/?]/);
    const text = logs[pod];
    const tail = Number(new URL(request.url ?? '', 'https://kubelet').searchParams.get('tailLines'));
    response.writeHead(text === undefined ? 404 : 200, { 'content-type': 'text/plain' });
    response.end(
      (text ?? 'no such pod')
        .split('\n')
        .slice(-tail - 1)
        .join('\n'),
    );
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function aSite(
  admin: KubeClient,
  spec: Partial<Cutover['spec']>,
  changes: Partial<Platform['spec']>,
): Promise<Site> {
  const name = uniqueName('site');
  await admin.create(namespaces, { metadata: { name } });
  await admin.create(serviceAccounts, { metadata: { name: 'cutover', namespace: name } });
  const jobsIn = { namespace: name, serviceAccountName: 'cutover' };
  const platform = await create(admin, platforms, {
    metadata: { name },
    spec: { className: 'aws', roles: [{ name: 'web' }], jobs: jobsIn, ...changes },
  });
  const cutover = { platform: name, from: 'blue', to: 'green', mode: 'Planned', ...spec };
  await create(admin, cutovers, { metadata: { name }, spec: cutover });
  const podOf = (job: string) =>
    waitFor(`a pod of Job ${job}`, { limitMs: 15_000, everyMs: 20 }, async () => {
      const labelSelector = `batch.kubernetes.io/job-name=${job}`;
      return (await admin.list(pods, { namespace: name, labelSelector })).items[0];
    });
  return {
    name,
    platform,
    cutover: () => admin.get(cutovers, name),
    jobs: async () => (await admin.list(jobs, { namespace: name })).items,
    podOf,
    async end(job, exitCode) {
      const pod = await podOf(job);
      const state = { terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error' } };
      const [container] = pod.spec?.containers ?? [];
      const status = {
        phase: exitCode === 0 ? 'Succeeded' : 'Failed',
        containerStatuses: [{ name: container?.name, ready: false, restartCount: 0, image: 'x', imageID: '', state }],
      };
      const about = { type: 'merge' as const, namespace: name, subresource: 'status' };
      await admin.patch(pods, pod.metadata.name, { status }, about);
    },
  };
}

/** Defaults are the API server's to fill in. */
const create = <T extends KubeObject>(admin: KubeClient, resource: Resource<T>, object: object): Promise<T> =>
  admin.create(resource, object as New<T>);

/** A forward proxy that answers in the place of whatever it is asked for. */
export async function startProxy(answer: () => number) {
  const asked: string[] = [];
  const server = createHttpServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(answer()).end('an answer');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    /** What it was asked for, oldest first: `GET http://...`. */
    asked,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
