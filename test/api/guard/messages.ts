import { eventually, expectStatus, type GuardedCluster, type KubeObject, pathOf, users } from './cluster.ts';
import { aGeneration, aNode, aPlatform, aPool, NOON } from './objects.ts';
import { aWorkload } from './workloads.ts';

/** A cast with names of its own, the same every time, and what is asked of it with kubectl. */

const PLATFORM = 'pythonanywhere-us';
const [LIVE, NEXT, KEPT, HALF] = ['ga-2023-10-10', 'ga-2023-11-07', 'ga-2023-09-12', 'ga-2023-10-17'] as const;
const apiVersion = 'generations.dev/v1alpha1';
const cutover = { name: 'to-2023-11-07', uid: 'c00' };
const before = { name: 'to-2023-10-10', uid: 'c01' };
const finalizers = ['generations.dev/cutover'];
const barred = {
  type: 'RollbackAvailable',
  status: 'False',
  reason: 'IrreversibleMigrationCommitted',
  message: 'migration schema is not reversible and is committed',
  lastTransitionTime: NOON,
};
const neverLive = [HALF];

async function aPart(cluster: GuardedCluster, generation: KubeObject, node: string): Promise<void> {
  await cluster.create(aPool(generation, PLATFORM));
  const machine = aNode(generation, PLATFORM);
  await cluster.create({ ...machine, metadata: { ...machine.metadata, name: node } });
}

/** Written in the order in which the operator writes: protected first. */
export async function aSpeakingCast(cluster: GuardedCluster): Promise<void> {
  const { create, call } = cluster;
  const platform = await create({ ...aPlatform(PLATFORM), status: { protected: [LIVE, NEXT, KEPT] } });
  const generations: Record<string, object> = {
    [KEPT]: {
      stage: 'Retained',
      liveTime: NOON,
      neverLive,
      retention: { until: NOON, standby: 'Running', cutover: before },
    },
    [LIVE]: { stage: 'Live', liveTime: NOON, neverLive },
    [NEXT]: { stage: 'Staged', reservedBy: cutover, neverLive },
    [HALF]: { stage: 'Provisioning' },
  };
  for (const [name, status] of Object.entries(generations)) {
    const generation = await create(aGeneration(name, PLATFORM));
    if (name !== KEPT) await aPart(cluster, generation, `node-of-${name}`);
    // Until the policies see that the Platform lists it.
    await settle(cluster, generation, status);
    if (name === LIVE)
      await settle(cluster, platform, { neverLive, live: { name, uid: generation.metadata.uid, time: NOON } });
  }
  const metadata = { labels: { 'generations.dev/platform': PLATFORM }, finalizers: ['generations.dev/machines'] };
  const live = { kind: 'ClusterGeneration', metadata: { name: LIVE } };
  await expectStatus(200, call('operator', 'PATCH', pathOf(live), { metadata }));

  const subnets = [{ id: 'subnet-a', zone: 'us-east-1a' }];
  for (const name of ['aws', 'aws-2'])
    await create({
      apiVersion,
      kind: 'GenerationClass',
      metadata: { name },
      spec: { provider: 'ec2', ec2: { region: 'us-east-1' }, subnets },
    });
  const other = aGeneration('of-aws-2', PLATFORM);
  await create({ ...other, spec: { ...other.spec, className: 'aws-2' } });
  const aCutover = (name: string, spec: object, status: object) =>
    create({
      apiVersion,
      kind: 'Cutover',
      metadata: { name, finalizers },
      spec: { platform: PLATFORM, from: LIVE, to: NEXT, ...spec },
      status: { generations: { to: { name: NEXT, uid: 'f00' } }, ...status },
    });
  await aCutover(cutover.name, {}, {});
  await aCutover('past-return', {}, { conditions: [barred] });
  await aCutover('going-back', { abort: true }, {});
  await aCutover('the-end', { mode: 'Decommission', to: undefined }, { generations: {} });
  await aCutover(before.name, { from: KEPT, to: LIVE }, { outcome: 'Succeeded' });
  await create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'unclaimed' } });
  // Restored from a backup: its status is gone; and one that has no Platform at all.
  const restored = aPlatform('restored');
  await create({ ...restored, spec: { ...restored.spec, className: 'aws-3' } });
  await create(aGeneration('ga-restored', 'restored'));
  await settle(cluster, await create(aGeneration('ga-alone', 'lost')), { stage: 'Staged', reservedBy: cutover });
  await create(aGeneration('ga-mistyped', 'pythonanywehre-us'));
  await traffic(cluster);
}

async function traffic({ create, call }: GuardedCluster): Promise<void> {
  const namespace = 'edge';
  await create({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace, labels: { 'generations.dev/protected': 'true' } },
  });
  await create({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'www', namespace, labels: { 'generations.dev/traffic': 'true' } },
    spec: { selector: { app: 'blue' }, ports: [{ port: 80 }] },
  });
  await create(aWorkload('Deployment', { namespace, name: 'web', generation: LIVE }));
  const account = `/api/v1/namespaces/${namespace}/serviceaccounts/default`;
  await eventually('its service account', async () => (await call('admin', 'GET', account)).status === 200);
  const spec = { nodeName: `node-of-${LIVE}`, containers: [{ name: 'main', image: 'unused' }] };
  await create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'www-1', namespace }, spec });
}

const settle = (cluster: GuardedCluster, object: KubeObject, status: object) =>
  eventually(
    `the status of ${object.metadata.name}`,
    async () => (await cluster.call('operator', 'PATCH', `${pathOf(object)}/status`, { status })).status === 200,
  );

export interface Question {
  /** Who asks; alice unless told. */
  as?: 'bob' | 'admin';
  args: string[];
  input?: string;
  /** The two policies of which either may answer. */
  twins?: [string, string];
}

const merge = (body: object) => ['--type=merge', '-p', JSON.stringify(body)];
const asks = (...args: string[]): Question => ({ args });
const patches = (what: string[], body: object, ...more: string[]): Question =>
  asks('patch', ...what, ...merge(body), ...more);

const by =
  (...twins: [string, string]) =>
  (question: Question): Question => ({ ...question, twins });
const ofGeneration = by('generation', 'state');
const ofPool = by('generation', 'pool');
const ofNode = by('node', 'machines');

const node = `node-of-${LIVE}`;
const owner = { apiVersion: 'v1', kind: 'Node', name: 'gone', uid: '00000000-0000-0000-0000-000000000000' };
const override = { generation: LIVE, reason: 'subnet fire', requestedBy: users.person };

const manifest = (spec: object) => ({
  apiVersion,
  kind: 'Cutover',
  metadata: { name: 'to-2023-12-05' },
  spec: { platform: PLATFORM, from: LIVE, to: NEXT, ...spec },
});
const machine = 'system:serviceaccount:gitops:controller';
const approves = (user: string, planHash = 'p1') =>
  patches(['cut', cutover.name], { spec: { approvals: [{ user, planHash }] } });
const rollsBack = (to: string): Question => ({
  args: ['create', '--dry-run=server', '-f', '-'],
  input: JSON.stringify(manifest({ to, mode: 'Rollback' })),
});

export const questions: Question[] = [
  // Deletion.
  ofGeneration(asks('delete', 'cg', LIVE)),
  ofGeneration(asks('delete', 'cg', NEXT)),
  ofGeneration(asks('delete', 'cg', KEPT)),
  asks('delete', 'cg', 'ga-restored'),
  asks('delete', 'cg', 'ga-alone'),
  ofGeneration(asks('delete', 'cg', '--all', '--dry-run=server')),
  ofPool(asks('delete', 'gpool', `${LIVE}.web`)),
  ofPool(asks('delete', 'gpool', `${NEXT}.web`)),
  ofNode(asks('delete', 'node', node)),
  ofNode(asks('delete', 'node', `node-of-${NEXT}`)),
  asks('delete', 'plat', PLATFORM),
  asks('delete', 'plat', 'restored'),
  asks('delete', 'gclass', 'aws', '--dry-run=server'),
  asks('delete', 'gclass', 'aws-2'),
  asks('delete', 'cut', cutover.name),
  asks('delete', 'cut', 'past-return'),
  asks('delete', 'cut', 'going-back'),
  asks('delete', 'cut', 'the-end'),
  asks('delete', 'crd', 'platforms.generations.dev'),
  asks('delete', 'ns', 'edge'),
  asks('delete', 'svc', '-n', 'edge', 'www'),
  asks('delete', 'deployment', '-n', 'edge', 'web'),
  asks('delete', 'cg', 'ga-mistyped', '--dry-run=server', `--as=${users.impostor}`),
  asks('delete', 'cg', 'ga-mistyped', `--as=${users.impostor}`),
  // Hollowing out.
  ofGeneration(patches(['cg', LIVE], { metadata: { finalizers: null } })),
  ofGeneration(patches(['cg', LIVE], { metadata: { ownerReferences: [owner] } })),
  ofGeneration(asks('label', 'cg', LIVE, '--overwrite', 'generations.dev/platform=other')),
  asks('patch', 'cg', LIVE, '--type=json', '-p', '[{"op":"replace","path":"/spec/pools/0/machines","value":0}]'),
  asks(
    'patch',
    'cg',
    'ga-restored',
    '--type=json',
    '-p',
    '[{"op":"replace","path":"/spec/pools/0/machines","value":0}]',
  ),
  patches(['cut', cutover.name], { metadata: { finalizers: null } }),
  patches(['gpool', `${HALF}.web`], { spec: { machines: 0 } }),
  asks('label', 'gpool', `${LIVE}.web`, '--overwrite', 'generations.dev/generation=other'),
  patches(['plat', PLATFORM], { metadata: { ownerReferences: [owner] } }),
  patches(['plat', PLATFORM], { spec: { className: 'aws-2' } }),
  asks('label', 'node', node, '--overwrite', `generations.dev/generation=${HALF}`),
  asks('label', 'node', 'unclaimed', `generations.dev/generation=${LIVE}`),
  asks('label', 'ns', 'edge', 'generations.dev/protected-'),
  asks('label', 'svc', '-n', 'edge', 'www', 'generations.dev/traffic-'),
  patches(['svc', '-n', 'edge', 'www'], { spec: { selector: { app: 'green' } } }),
  // Disabling machines.
  ofNode(asks('cordon', node)),
  ofNode(asks('drain', node, '--force', '--timeout=2s')),
  ofNode(asks('taint', 'node', node, 'example.com/out:NoExecute')),
  ofNode(
    patches(
      ['node', node],
      { status: { conditions: [{ type: 'Ready', status: 'False', reason: 'Mine', message: '' }] } },
      '--subresource=status',
    ),
  ),
  {
    args: ['create', '--raw', '/api/v1/namespaces/edge/pods/www-1/eviction', '-f', '-'],
    input: JSON.stringify({
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: 'www-1', namespace: 'edge' },
    }),
  },
  // Forging state.
  patches(['cg', LIVE], { status: { stage: 'Staged' } }, '--subresource=status'),
  patches(['cg', LIVE], { status: { stage: 'Retired' } }, '--subresource=status', `--as=${users.impostor}`),
  asks(
    'patch',
    'crd',
    'cutovers.generations.dev',
    '--type=json',
    '-p',
    '[{"op":"replace","path":"/spec/versions/0/served","value":false}]',
  ),
  asks(
    'patch',
    'crd',
    'cutovers.generations.dev',
    '--type=json',
    '-p',
    '[{"op":"remove","path":"/spec/versions/0/subresources"}]',
  ),
  patches(['crd', 'cutovers.generations.dev'], {
    spec: {
      conversion: {
        strategy: 'Webhook',
        webhook: { clientConfig: { url: 'https://example.com/convert' }, conversionReviewVersions: ['v1'] },
      },
    },
  }),
  // Cutovers: what people decide, and what comes too late.
  approves(users.second),
  approves(users.person),
  { ...approves(users.person, 'p2'), as: 'bob' },
  { as: 'admin', args: [...approves(machine).args, `--as=${machine}`, '--as-group=system:masters'] },
  {
    args: ['create', '-f', '-'],
    input: JSON.stringify(manifest({ approvals: [{ user: users.second, planHash: 'p1' }] })),
  },
  { ...patches(['cut', cutover.name], { spec: { approvals: null } }), as: 'bob' },
  asks(...patches(['cut', cutover.name], { spec: { paused: true } }).args, `--as=${users.impostor}`),
  patches(['cut', 'past-return'], { spec: { abort: true } }),
  patches(['cut', before.name], { spec: { abort: true } }),
  rollsBack('ga-2023-08-08'),
  rollsBack(HALF),
  rollsBack(KEPT),
  // What two people decide.
  patches(['plat', PLATFORM], { spec: { override: { ...override, approvedBy: users.second } } }),
  patches(['plat', PLATFORM], { spec: { override } }),
  patches(['plat', PLATFORM], { spec: { override: { generation: HALF } } }),
  patches(['plat', PLATFORM], { spec: { override: { approvedBy: users.person } } }),
  { ...patches(['plat', PLATFORM], { spec: { override: { approvedBy: users.second } } }), as: 'bob' },
  patches(['plat', PLATFORM], { spec: { override: { reason: 'another' } } }),
  patches(['plat', PLATFORM], { spec: { override: null } }),
  // And what is allowed, beside it.
  asks('delete', 'cg', HALF, '--dry-run=server'),
  asks('annotate', 'node', node, `generations.dev/maintenance=${node}`),
  ofNode(asks('cordon', node)),
  asks('delete', 'cg', 'ga-mistyped'),
];
