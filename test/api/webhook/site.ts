import { join } from 'node:path';
import { installChart, webhookUrl } from '../../../local/chart.ts';
import { type CommandResult, runCommand } from '../../../local/command.ts';
import { writeKubeconfig } from '../../../local/kubeconfig.ts';
import { freePorts } from '../../../local/ports.ts';
import { uniqueName } from '../../../local/testing.ts';
import { startableCaches } from '../../../src/controllers/caches.ts';
import type { Context } from '../../../src/controllers/context.ts';
import { maintenanceController } from '../../../src/controllers/maintenance/controller.ts';
import { webhook } from '../../../src/guard/webhook/webhook.ts';
import { connect } from '../../../src/kube/client.ts';
import { recorder } from '../../../src/kube/events.ts';
import { type Clock, systemClock } from '../../../src/runtime/clock.ts';
import { silent } from '../../../src/runtime/logger.ts';
import { manager } from '../../../src/runtime/manager.ts';
import {
  eventually,
  expectStatus,
  type GuardedCluster,
  type KubeObject,
  startGuardedCluster,
} from '../guard/cluster.ts';
import { aNode, type Site } from '../guard/objects.ts';

/**
 * The guarded cluster with the webhook and the maintenance controller in this process, on the chart's own rights of the
 * operator. What is refused is refused by the policies or by the real server behind the real API server.
 */
export interface WebhookCluster extends GuardedCluster {
  port: number;
  /** Starts webhook and controller. `daysOff`: how many days their clock is off; it can be changed while they run. */
  start(daysOff?: number): Promise<Running>;
  kubectl(who: 'admin' | 'alice', ...args: string[]): Promise<CommandResult>;
}

export interface Running {
  clock: { daysOff: number };
  stop(): Promise<void>;
}

const DAY = 86_400_000;

export async function startWebhookCluster(): Promise<WebhookCluster> {
  const cluster = await startGuardedCluster();
  const { controlPlane } = cluster;
  const [port = 0] = await freePorts(1);
  await installChart(controlPlane, { values: { 'guard.webhook.url': webhookUrl(port) } });
  return {
    ...cluster,
    port,
    kubectl: (who, ...args) =>
      runCommand(controlPlane.programs.kubectl, [`--kubeconfig=${controlPlane.kubeconfigs[who]}`, ...args]),
    async start(daysOff = 0) {
      const off = { daysOff };
      const real = systemClock();
      const clock: Clock = { ...real, now: () => real.now() + off.daysOff * DAY };
      const client = await connect({ name: 'generations-operator', kubeconfig: await kubeconfigOf(cluster) });
      const { caches, reflectors } = startableCaches({ client, clock, log: silent });
      const events = recorder({
        client,
        clock: real,
        log: silent,
        controller: 'generations.dev/test',
        instance: 'test',
      });
      const parts = { client, clock, log: silent, caches, events };
      const all = manager({
        clock,
        log: silent,
        servers: webhook({
          ...parts,
          namespace: 'generations-system',
          address: { host: '127.0.0.1', port },
          unready: () => (all.ready() ? undefined : 'the caches are not complete'),
          checkEvery: 200,
        }),
        caches: reflectors,
        controllers: [maintenanceController(parts as unknown as Context)],
      });
      const stop = new AbortController();
      const over = all.run(stop.signal);
      over.catch(() => {});
      return {
        clock: off,
        async stop() {
          stop.abort();
          await over;
          await events.flush();
          await client.transport.close();
        },
      };
    },
  };
}

/** A token of the operator's own, with a credential id. */
async function kubeconfigOf({ call, controlPlane }: GuardedCluster): Promise<string> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const path = '/api/v1/namespaces/generations-system/serviceaccounts/generations-operator/token';
  const { status } = await expectStatus(201, call('admin', 'POST', path, body));
  const file = join(controlPlane.directory, 'kubeconfigs', 'webhook-test.yaml');
  const { server, certificateAuthority } = controlPlane;
  await writeKubeconfig(file, { server, certificateAuthority, user: 'operator', credential: { token: status.token } });
  return file;
}

/** A namespace of its own. */
export async function aNamespace({ call }: GuardedCluster, isProtected: boolean): Promise<string> {
  const name = uniqueName('ns');
  const labels = isProtected ? { 'generations.dev/protected': 'true' } : {};
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
  await expectStatus(201, call('admin', 'POST', '/api/v1/namespaces', namespace));
  await eventually(`the service account of ${name}`, async () => {
    const { status } = await call('admin', 'GET', `/api/v1/namespaces/${name}/serviceaccounts/default`);
    return status === 200;
  });
  return name;
}

/** A pod on a Node; no kubelet runs it. Returns its path. */
export async function aPod({ call }: GuardedCluster, namespace: string, node: string): Promise<string> {
  const name = uniqueName('pod');
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const spec = { nodeName: node, containers: [{ name: 'web', image: 'example.com/web:1' }] };
  await expectStatus(201, call('admin', 'POST', pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec }));
  return `${pods}/${name}`;
}

/** Evicts a pod as a dry run: all of admission, and the pod stays. Undefined when it is allowed, else what was said. */
export async function evict(
  { call }: GuardedCluster,
  pod: string,
  who: 'admin' | 'person' | 'operator' = 'admin',
): Promise<string | undefined> {
  const name = pod.split('/').at(-1);
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } };
  const answer = await call(who, 'POST', `${pod}/eviction?dryRun=All`, body);
  return answer.status === 201 ? undefined : (answer.body as { message: string }).message;
}

/** More Nodes for a site's generation. */
export async function moreNodes(cluster: GuardedCluster, { generation, platform }: Site, count: number) {
  const nodes: KubeObject[] = [];
  for (let i = 0; i < count; i++) nodes.push(await cluster.create(aNode(generation, platform.metadata.name)));
  return nodes;
}

export const nodePath = (node: KubeObject) => `/api/v1/nodes/${node.metadata.name}`;

/** A merge patch of a Node by a person. Undefined when it is allowed, else what was said. */
export async function patchNode(
  { call }: GuardedCluster,
  node: KubeObject,
  body: object,
  who: 'admin' | 'person' = 'person',
): Promise<string | undefined> {
  const answer = await call(who, 'PATCH', nodePath(node), body);
  return answer.status === 200 ? undefined : (answer.body as { message: string }).message;
}

export const maintenance = (value: string | null) => ({
  metadata: { annotations: { 'generations.dev/maintenance': value } },
});
