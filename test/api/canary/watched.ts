import { join } from 'node:path';
import { callApi } from '../../../local/access.ts';
import { operatorNamespace } from '../../../local/chart.ts';
import { writeKubeconfig } from '../../../local/kubeconfig.ts';
import { operatorServiceAccount } from '../../../local/operator.ts';
import { type Canary, canary } from '../../../src/guard/canary/canary.ts';
import type { Round } from '../../../src/guard/canary/round.ts';
import type { Known } from '../../../src/guard/canary/subject.ts';
import { connect, type KubeClient } from '../../../src/kube/client.ts';
import { type Connection, loadConnection } from '../../../src/kube/config.ts';
import { type ApiServer, apiServers, clientAt } from '../../../src/kube/endpoints.ts';
import { deployments } from '../../../src/kube/resources.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silent } from '../../../src/runtime/logger.ts';
import {
  collectionOf,
  eventually,
  expectStatus,
  type GuardedCluster,
  type KubeObject,
  pathOf,
} from '../guard/cluster.ts';
import { aSite, begun, type Site } from '../guard/objects.ts';
import { aWorkload, list } from '../guard/workloads.ts';
import { aPod } from '../placement/workloads.ts';

/** A platform with something to try every act on, and a canary with the operator's own token that watches it. */
export interface Watched extends Site {
  generationClass: KubeObject;
  cutover: KubeObject;
  namespace: KubeObject;
  service: KubeObject;
  /** A pod of a Singleton role that waits at its gate. */
  gated: KubeObject;
  /** A Deployment of the live generation, listed on its namespace; and one that people have labelled. */
  workload: KubeObject;
  marked: KubeObject;
}

/** What the operator's namespace asks of a container. */
const CONTAINED = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };

const ROLES = [{ name: 'web' }, { name: 'always-on', handover: 'Singleton' }];

/** With a namespace, a Service, a Cutover and a pod of its own, and a pod of no platform in the operator's namespace. */
export async function aWatchedSite(cluster: GuardedCluster): Promise<Watched> {
  const site = await aSite(cluster, 'live');
  const { name } = site.platform.metadata;
  const labels = { 'generations.dev/protected': 'true' };
  const generationClass = await cluster.create({
    apiVersion: 'generations.dev/v1alpha1',
    kind: 'GenerationClass',
    metadata: { name: 'aws' },
    spec: { provider: 'ec2', ec2: { region: 'us-east-1' }, subnets: [{ id: 'subnet-a', zone: 'us-east-1a' }] },
  });
  const namespace = await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  const service = await cluster.create({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'www', namespace: name, labels: { 'generations.dev/traffic': 'true' } },
    spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
  });
  const cutover = await cluster.create({
    apiVersion: 'generations.dev/v1alpha1',
    kind: 'Cutover',
    metadata: { name: `to-${name}` },
    spec: { platform: name, from: site.generation.metadata.name, to: 'next' },
    status: begun,
  });
  const traffic = [{ name: 'www', role: 'web', service: { namespace: name, name: 'www' } }];
  await expectStatus(200, cluster.call('admin', 'PATCH', pathOf(site.platform), { spec: { traffic, roles: ROLES } }));
  const finalizers = ['generations.dev/machines'];
  await expectStatus(200, cluster.call('admin', 'PATCH', pathOf(site.generation), { metadata: { finalizers } }));
  await podTaken(cluster, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'operator', namespace: operatorNamespace },
    spec: {
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [{ name: 'main', image: 'unused', securityContext: CONTAINED }],
    },
  });
  const gated = await podTaken(cluster, aPod({ platform: name, role: 'always-on', name: 'task' }));
  const generation = site.generation.metadata.name;
  const workload = await cluster.create(aWorkload('Deployment', { namespace: name, generation }));
  const marked = await cluster.create(aWorkload('Deployment', { namespace: name, labels }));
  await list(cluster, name, [{ object: workload, generation, platform: name }]);
  return { ...site, generationClass, cutover, namespace, service, gated, workload, marked };
}

/** Until its service account is there, and the policies see its Platform's roles. */
async function podTaken({ call, get }: GuardedCluster, pod: KubeObject): Promise<KubeObject> {
  await eventually(`${pathOf(pod)} to be taken`, async () => {
    const { status } = await call('admin', 'POST', collectionOf('Pod', pod.metadata.namespace), pod);
    return status === 201;
  });
  return get(pod);
}

const knownAs = ({ metadata: { namespace, name } }: KubeObject, listed: boolean) => ({
  resource: deployments,
  namespace,
  name,
  listed,
});

/** What the caches would know of a site now. */
export async function knownOf(cluster: GuardedCluster, site: Site & Partial<Watched>): Promise<Known> {
  const [platform, live, pool] = await Promise.all([site.platform, site.generation, site.pool].map(cluster.get));
  const isLive = platform.status.live?.uid === live.metadata.uid;
  return {
    platform,
    generationClass: site.generationClass && (await cluster.get(site.generationClass)),
    generations: [live],
    live: isLive ? live : undefined,
    pools: isLive ? [pool] : [],
    nodes: isLive ? [site.node.metadata.name] : [],
    cutovers: site.cutover ? [await cluster.get(site.cutover)] : [],
    gated: site.gated ? [site.gated.metadata] : [],
    workloads: isLive && site.workload ? [knownAs(site.workload, true)] : [],
    marked: site.marked ? [knownAs(site.marked, false)] : [],
  };
}

export interface Watcher {
  canary: Canary;
  client: KubeClient;
  connection: Connection;
  probe(site: Site & Partial<Watched>): Promise<Round | undefined>;
}

/**
 * A canary in the operator's name, or in that of `who`. `addresses`: API servers to ask one by one; the one of the control
 * plane unless told.
 */
export async function aWatcher(
  cluster: GuardedCluster,
  { who, addresses }: { who?: 'alice'; addresses?: string[] } = {},
): Promise<Watcher> {
  const { controlPlane } = cluster;
  const kubeconfig = who ? controlPlane.kubeconfigs[who] : join(controlPlane.directory, 'kubeconfigs', 'canary.yaml');
  if (!who) {
    const { server, certificateAuthority } = controlPlane;
    const credential = { token: await operatorToken(cluster) };
    await writeKubeconfig(kubeconfig, { server, certificateAuthority, user: operatorServiceAccount, credential });
  }
  const client = await connect({ name: 'canary-test', kubeconfig, timeout: 3_000 });
  const connection = await loadConnection({ kubeconfig });
  const found = addresses?.map((address): ApiServer => ({ address, client: clientAt(connection, address, 'test') }));
  const servers = found
    ? { list: async () => ({ servers: found, all: true }) }
    : apiServers({ client, connection, name: 'canary-test' });
  const watcher = canary({ client, namespace: operatorNamespace, servers, clock: systemClock(1_000), log: silent });
  return {
    canary: watcher,
    client,
    connection,
    probe: async (site) => watcher.probe(await knownOf(cluster, site)),
  };
}

async function operatorToken({ controlPlane }: GuardedCluster): Promise<string> {
  const path = `/api/v1/namespaces/${operatorNamespace}/serviceaccounts/${operatorServiceAccount}/token`;
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const { status } = await expectStatus(201, callApi(controlPlane, 'admin', 'POST', path, { body }));
  return status.token;
}

/** What came of each family: the policy that refused it, Hole, or why it was Skipped. */
export const outcomes = (round: Round | undefined): Record<string, string> =>
  Object.fromEntries(
    (round?.results ?? []).map(({ family, outcome, policy, reason }) => [
      family,
      outcome === 'Denied' ? (policy ?? '') : outcome === 'Skipped' ? `Skipped: ${reason}` : outcome,
    ]),
  );

export const holesOf = (round: Round | undefined): string[] =>
  (round?.results ?? []).filter(({ outcome }) => outcome === 'Hole').map(({ family }) => family);
