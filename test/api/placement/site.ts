import { join } from 'node:path';
import type { Answer } from '../../../local/access.ts';
import { ensureBinaries } from '../../../local/binaries/build.ts';
import { installChart, operatorNamespace } from '../../../local/chart.ts';
import { type ControlPlane, startControlPlane } from '../../../local/control-plane.ts';
import { writeKubeconfig } from '../../../local/kubeconfig.ts';
import { managedNodeAnnotation } from '../../../local/kwok-config.ts';
import { operatorServiceAccount } from '../../../local/operator.ts';
import { keepTokenFresh } from '../../../local/service-account-token.ts';
import { type TestControlPlane, testControlPlane } from '../../../local/testing.ts';
import { waitFor } from '../../../local/wait.ts';
import { startableCaches } from '../../../src/controllers/caches.ts';
import type { Context } from '../../../src/controllers/context.ts';
import { placementController } from '../../../src/controllers/placement/controller.ts';
import { platforms } from '../../../src/kinds.ts';
import { connect, type KubeClient } from '../../../src/kube/client.ts';
import { isConflict } from '../../../src/kube/errors.ts';
import type { EventInput } from '../../../src/kube/events.ts';
import { type Pod, pods } from '../../../src/kube/resources.ts';
import type { MachineState, Provider } from '../../../src/providers/provider.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { type Logger, silent } from '../../../src/runtime/logger.ts';

/**
 * A whole control plane with the chart, and in this process the placement controller with the operator's own token. In go workloads and
 * the live pointer, out come pods; what the cloud says of machines is the test's to say.
 */
export interface Site {
  controlPlane: ControlPlane;
  people: TestControlPlane;
  /** The operator's own client. */
  client: KubeClient;
  context: Context;
  /** What the cloud says of machines; those that are not here it does not know. */
  machines: Map<string, MachineState>;
  /** How often it was asked. */
  asked(): number;
  /** What the controller has failed at. */
  errors: string[];
  /** Notes of the events that the controller has recorded. */
  told: ReadonlySet<string>;
  /** A Node of a generation, played by KWOK; its machine runs. */
  addNode(name: string, platform: string, generation: string): Promise<void>;
  /** Its machine does not answer any more, and the cloud's controller says that it is not Ready. */
  silence(node: string): Promise<void>;
  /** The cloud's controller deletes a Node that is not Ready. */
  forget(node: string): Promise<void>;
  /** Creates a platform with these roles and, as the operator, makes a generation live. */
  addPlatform(name: string, roles: object[], live?: string): Promise<void>;
  /** Writes a Platform's status as the operator. */
  status(platform: string, status: object): Promise<void>;
  apply(...objects: object[]): Promise<void>;
  podsOf(namespace: string, app: string): Promise<Pod[]>;
  /** Waits until the pods of an app are as wished; the error shows how they were last. */
  until(namespace: string, app: string, what: string, wish: (pods: Pod[]) => boolean, limitMs?: number): Promise<Pod[]>;
  /** RBAC does not stop admin and alice; a PATCH is a merge patch unless told. */
  call(
    who: 'admin' | 'alice' | 'cloud',
    method: 'POST' | 'PATCH' | 'DELETE' | 'GET',
    path: string,
    body?: object,
    contentType?: string,
  ): Promise<Answer>;
  stop(): Promise<void>;
}

/** Declared seconds in a real one. */
export const TIME_SCALE = 10;

const GROUP = 'generations.dev';
const PLATFORMS = `/apis/${GROUP}/v1alpha1/platforms`;

export async function startSite(): Promise<Site> {
  const controlPlane = await startControlPlane({ binaries: await ensureBinaries({ log: () => {} }) });
  const ending = new AbortController();
  let token: { stop(): void } | undefined;
  try {
    await installChart(controlPlane);
    const kubeconfig = join(controlPlane.directory, 'kubeconfigs', 'operator.yaml');
    const tokenFile = join(controlPlane.directory, 'operator.token');
    token = await keepTokenFresh({
      access: controlPlane,
      namespace: operatorNamespace,
      serviceAccount: operatorServiceAccount,
      file: tokenFile,
      validForSeconds: 3600,
      log: () => {},
    });
    const { server, certificateAuthority } = controlPlane;
    const user = operatorServiceAccount;
    await writeKubeconfig(kubeconfig, { server, certificateAuthority, user, credential: { tokenFile } });
    const client = await connect({ name: operatorServiceAccount, kubeconfig });
    return await runningSite(controlPlane, client, ending, token);
  } catch (error) {
    ending.abort();
    token?.stop();
    await controlPlane.stop();
    throw error;
  }
}

async function runningSite(
  controlPlane: ControlPlane,
  client: KubeClient,
  ending: AbortController,
  token: { stop(): void },
): Promise<Site> {
  const people = testControlPlane(controlPlane);
  const machines = new Map<string, MachineState>();
  const errors: string[] = [];
  const log: Logger = {
    ...silent,
    error: (message, fields) => void errors.push(`${message}: ${fields?.error}`),
    child: () => log,
  };
  const clock = systemClock(TIME_SCALE);
  const { caches, reflectors } = startableCaches({ client, clock, log });
  const told = new Set<string>();
  let asked = 0;
  const provider = {
    find: async (ids: string[]) => {
      asked++;
      return ids.flatMap((id) => (machines.has(id) ? [{ id, state: machines.get(id) }] : []));
    },
  } as unknown as Provider;
  const events = { record: ({ note }: EventInput) => void told.add(note) };
  const context = {
    ...{ client, clock, log, events, observer: {}, caches },
    ...{ providerOf: async () => provider, leaseAge: () => 0 },
  };
  const placement = placementController(context as unknown as Context);
  for (const reflector of reflectors) void reflector.start(ending.signal);
  const running = placement.start(ending.signal);

  const call: Site['call'] = (who, method, path, body, contentType = 'application/merge-patch+json') =>
    people.call(who, method, path, { ...(body && { body }), ...(method === 'PATCH' && { contentType }) });
  const must = async (answer: Promise<Answer>) => {
    const { status, body } = await answer;
    if (status >= 300) throw new Error(`the API server answered ${status}: ${JSON.stringify(body)}`);
  };
  const podsOf = async (namespace: string, app: string) =>
    (await client.list(pods, { namespace, labelSelector: `app=${app}` })).items;
  const site: Site = {
    controlPlane,
    people,
    client,
    context: context as unknown as Context,
    machines,
    asked: () => asked,
    errors,
    told,
    call,
    podsOf,
    async addNode(name, platform, generation) {
      machines.set(`i-${name}`, 'running');
      const allocatable = { cpu: '64', memory: '256Gi', pods: '500' };
      const labels = { [`${GROUP}/platform`]: platform, [`${GROUP}/generation`]: generation };
      const annotations = { [managedNodeAnnotation.key]: managedNodeAnnotation.value };
      const metadata = { name, labels, annotations };
      const spec = { providerID: `aws:///us-east-1a/i-${name}` };
      const status = { allocatable, capacity: allocatable };
      await must(call('admin', 'POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata, spec, status }));
    },
    async silence(node) {
      const path = `/api/v1/nodes/${node}`;
      await must(call('cloud', 'PATCH', path, { metadata: { annotations: { [managedNodeAnnotation.key]: null } } }));
      const conditions = [{ type: 'Ready', status: 'False', reason: 'Stopped', message: '' }];
      // KWOK lets go of the Node a little later, and until then says that it is Ready.
      await waitFor(`Node ${node} to stay not Ready`, { limitMs: 10_000, everyMs: 200 }, async () => {
        if (context.caches.nodes.get(node)?.ready === false) return true;
        await must(call('cloud', 'PATCH', `${path}/status`, { status: { conditions } }));
        return undefined;
      });
    },
    forget: (node) => must(call('cloud', 'DELETE', `/api/v1/nodes/${node}`)),
    async addPlatform(name, roles, live) {
      const spec = { className: 'aws', roles };
      await must(
        call('admin', 'POST', PLATFORMS, {
          apiVersion: `${GROUP}/v1alpha1`,
          kind: 'Platform',
          metadata: { name },
          spec,
        }),
      );
      if (live === undefined) return;
      await site.status(name, {
        protected: [live],
        live: { name: live, uid: `uid-${live}`, time: '2026-01-01T00:00:00Z' },
      });
    },
    async status(platform, status) {
      await waitFor(`the status of ${platform} to be written`, { limitMs: 60_000, everyMs: 100 }, async () => {
        const now = await client.get(platforms, platform);
        const next = { ...now.status, ...status } as typeof now.status;
        try {
          await client.update(platforms, { ...now, status: next }, { subresource: 'status' });
          return true;
        } catch (error) {
          // Policies refuse everything until the API server has found their parameters' kind.
          if (isConflict(error) || /failed to configure/.test(String(error))) return undefined;
          throw error;
        }
      });
    },
    async apply(...objects) {
      const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
      const { status, stderr } = await people.kubectl('admin', ['apply', '-f', '-'], list);
      if (status !== 0) throw new Error(`kubectl apply: ${stderr}`);
    },
    async until(namespace, app, what, wish, limitMs = 20_000) {
      let last: Pod[] = [];
      return waitFor(`pods of ${namespace}/${app}: ${what}`, { limitMs, everyMs: 30 }, async () => {
        last = await podsOf(namespace, app);
        return wish(last) ? last : undefined;
      }).catch((error: Error) => {
        const shown = last.map(({ metadata: { managedFields: _, ...metadata }, spec, status }) => ({
          metadata,
          spec,
          status,
        }));
        throw new Error(
          `${error.message}; they were last ${JSON.stringify(shown)?.slice(0, 6000)}; ${errors.slice(-3)}`,
        );
      });
    },
    async stop() {
      ending.abort();
      token.stop();
      await running;
      await controlPlane.stop();
    },
  };
  await Promise.all(reflectors.map(({ synced }) => synced));
  const rbac = 'rbac.authorization.k8s.io';
  await must(
    call('admin', 'POST', `/apis/${rbac}/v1/clusterrolebindings`, {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: 'test-rbac-does-not-stop-alice' },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ apiGroup: rbac, kind: 'User', name: 'alice@example.com' }],
    }),
  );
  const subnets = [{ id: 'subnet-a', zone: 'us-east-1a' }];
  await site.apply({
    apiVersion: `${GROUP}/v1alpha1`,
    kind: 'GenerationClass',
    metadata: { name: 'aws' },
    spec: { provider: 'ec2', ec2: { region: 'us-east-1' }, subnets },
  });
  return site;
}
