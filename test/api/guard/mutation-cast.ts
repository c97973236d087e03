import { uniqueName } from '../../../local/testing.ts';
import { aPod as aWorkloadPod } from '../placement/workloads.ts';
import {
  collectionOf,
  eventually,
  expectStatus,
  type GuardedCluster,
  type KubeObject,
  pathOf,
  users,
} from './cluster.ts';
import { workloadCast } from './mutation-workloads.ts';
import { aCutover, aGeneration, aPlatform, aSite, begun, NOON, retention, type Site } from './objects.ts';

/** What the mutations are tried on. */
export type Cast = Awaited<ReturnType<typeof aCast>>;

const apiVersion = 'generations.dev/v1alpha1';
const finalizers = ['generations.dev/machines'];

/** Every object that an act is done to. */
export async function aCast(cluster: GuardedCluster) {
  const [live, neverLive, listed, returned, kept] = await Promise.all([
    aSite(cluster, 'live'),
    aSite(cluster, 'neverLive'),
    aSite(cluster, 'reserved', { without: 'ownStatus' }),
    // Live again, by a rollback that has not ended.
    aSite(cluster, 'live', { with: { retention, reservedBy: { name: 'back', uid: 'c01' } } }),
    aSite(cluster, 'retained', { with: { retention: { ...retention, noRollback: 'the data has moved on' } } }),
  ]);
  for (const object of [live.generation, live.pool, neverLive.generation])
    await expectStatus(200, cluster.call('operator', 'PATCH', pathOf(object), { metadata: { finalizers } }));
  const labels = { 'generations.dev/platform': 'x' };
  await expectStatus(200, cluster.call('admin', 'PATCH', pathOf(live.generation), { metadata: { labels } }));
  const [gated, quiesced] = await Promise.all([aGatedPod(cluster, false), aGatedPod(cluster, true)]);
  await untouched(cluster, gated);
  return {
    ...{ live, neverLive, listed, returned, kept, gated, quiesced },
    ...(await things(cluster, live, neverLive)),
    ...(await workloadCast(cluster, live)),
  };
}

async function things(cluster: GuardedCluster, live: Site, { platform: free }: Site) {
  const named = (kind: string, rest: object = {}) => ({
    apiVersion: 'v1',
    kind,
    metadata: { name: uniqueName('it') },
    ...rest,
  });
  const labelled = (kind: string, label: string, rest: object) => {
    const labels = { [`generations.dev/${label}`]: 'true' };
    return { ...named(kind, rest), metadata: { name: uniqueName('it'), labels } };
  };
  const aClass = () =>
    cluster.create({
      ...named('GenerationClass'),
      apiVersion,
      spec: { provider: 'ec2', ec2: { region: 'us-east-1' }, subnets: [{ id: 'subnet-a', zone: 'us-east-1a' }] },
    });
  const [classOfPlatform, classOfGeneration] = await Promise.all([aClass(), aClass()]);
  const platform = aPlatform(uniqueName('pa'));
  await cluster.create({ ...platform, spec: { ...platform.spec, className: classOfPlatform.metadata.name } });
  const generation = aGeneration(uniqueName('ga'), 'nowhere');
  await cluster.create({ ...generation, spec: { ...generation.spec, className: classOfGeneration.metadata.name } });

  const adopting = aGeneration(uniqueName('ga'), free.metadata.name);
  const adopted = await cluster.create({
    ...adopting,
    spec: { ...adopting.spec, adopt: true },
    status: { machines: { desired: 1, launched: 1, registered: 1, ready: 1, failed: 0 } },
  });

  const requested = await cluster.create(aPlatform(uniqueName('pa')));
  const override = { generation: 'ga', reason: 'subnet fire', requestedBy: users.person };
  await expectStatus(200, cluster.call('person', 'PATCH', pathOf(requested), { spec: { override } }));

  const protectedNamespace = await cluster.create(labelled('Namespace', 'protected', {}));
  const service = labelled('Service', 'traffic', { spec: { selector: { app: 'blue' }, ports: [{ port: 80 }] } });
  return {
    classOfPlatform,
    classOfGeneration,
    adopted,
    requested,
    protectedNamespace,
    pod: await aPod(cluster, protectedNamespace),
    service: await cluster.create({ ...service, metadata: { ...service.metadata, namespace: 'default' } }),
    unclaimed: await cluster.create(named('Node')),
    cutover: await cluster.create({
      ...named('Cutover'),
      apiVersion,
      metadata: { name: uniqueName('to'), finalizers: ['generations.dev/cutover'] },
      spec: { platform: live.platform.metadata.name, from: '', to: 'ga-2' },
      status: begun,
    }),
    approved: await approved(cluster),
    ended: await cluster.create({
      apiVersion,
      kind: 'Cutover',
      metadata: { name: uniqueName('to'), finalizers: ['example.com/kept'] },
      spec: { platform: live.platform.metadata.name, from: '', to: 'ga-2' },
      status: { outcome: 'Succeeded' },
    }),
    crd: await cluster.get({
      kind: 'CustomResourceDefinition',
      metadata: { name: 'clustergenerations.generations.dev' },
    }),
  };
}

/** A Cutover that one person has approved. */
async function approved(cluster: GuardedCluster): Promise<KubeObject> {
  const cutover = await cluster.create(aCutover());
  const approvals = [{ user: users.second, planHash: 'p1' }];
  return expectStatus(200, cluster.call('second', 'PATCH', pathOf(cutover), { spec: { approvals } }));
}

/** The pod of a singleton that waits, in a namespace named like its platform; `quiesced`: because a cutover holds it. */
async function aGatedPod(cluster: GuardedCluster, quiesced: boolean): Promise<KubeObject> {
  const platform = aPlatform(uniqueName('pa'));
  const { name } = platform.metadata;
  const roles = [{ name: 'web' }, { name: 'always-on', handover: 'Singleton' }];
  const cutover = { name: 'to-next', uid: 'c00' };
  await cluster.create({
    ...platform,
    spec: { ...platform.spec, roles },
    status: {
      protected: ['blue'],
      live: { name: 'blue', uid: 'b00', time: NOON },
      ...(quiesced && { cutover, quiesced: { cutover, stop: [], time: NOON } }),
    },
  });
  await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const pod = aWorkloadPod({ platform: name, role: 'always-on', name: 'task' });
  // Until its service account is there, and the policies see its Platform.
  await eventually(
    'a pod to be taken',
    async () => (await cluster.call('admin', 'POST', collectionOf('Pod', name), pod)).status === 201,
  );
  return cluster.get(pod);
}

/** From here on no policy puts pods right: what the others say of one as it comes would not be seen otherwise. */
async function untouched({ call }: GuardedCluster, { metadata: { namespace } }: KubeObject): Promise<void> {
  const binding = '/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings/generations-placement';
  await expectStatus(200, call('admin', 'DELETE', binding));
  const pod = aWorkloadPod({ platform: namespace, role: 'always-on', name: 'untouched' });
  await eventually('pods to be left as they come', async () => {
    const { status } = await call('admin', 'POST', `${collectionOf('Pod', namespace)}?dryRun=All`, pod);
    return status === 403;
  });
}

async function aPod(cluster: GuardedCluster, { metadata: { name: namespace } }: KubeObject): Promise<KubeObject> {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
  // The controller manager may be quicker.
  await cluster.call('admin', 'POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, account);
  const spec = { containers: [{ name: 'main', image: 'unused' }] };
  return cluster.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: uniqueName('pod'), namespace }, spec });
}
