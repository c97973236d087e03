import { uniqueName } from '../../../local/testing.ts';
import { eventually, expectStatus, type GuardedCluster, type KubeObject, pathOf, users } from './cluster.ts';

/** Builders: a platform with one generation in a given state, its pool and its Node. */

export const NOON = '2026-11-01T12:00:00Z';
const apiVersion = 'generations.dev/v1alpha1';
const cutover = { name: 'to-next', uid: 'c00' };
/** Left by that cutover. */
export const retention = { until: NOON, standby: 'Running', cutover };

export type Stage = 'neverLive' | 'reserved' | 'live' | 'retained' | 'retired';

const ownStatus: Record<Stage, { [field: string]: unknown }> = {
  neverLive: { stage: 'Staged' },
  reserved: { stage: 'Staged', reservedBy: cutover },
  live: { stage: 'Live', liveTime: NOON },
  retained: { stage: 'Retained', liveTime: NOON, retention },
  retired: { stage: 'Retired', liveTime: NOON, retention, retiredTime: NOON, retiredBy: cutover },
};

export const isProtected = (stage: Stage) => stage !== 'neverLive' && stage !== 'retired';

export type Site = { platform: KubeObject; generation: KubeObject; pool: KubeObject; node: KubeObject };

export const aPlatform = (name: string) => ({
  apiVersion,
  kind: 'Platform',
  metadata: { name },
  spec: { className: 'aws', roles: [{ name: 'web' }] },
});

const template = { ec2: { launchTemplate: { id: 'lt-0abc', version: '7' }, instanceType: 'm6i.xlarge' } };

export const aGeneration = (name: string, platform: string) => ({
  apiVersion,
  kind: 'ClusterGeneration',
  metadata: { name, labels: { site: platform } },
  spec: { platform, release: '1', pools: [{ name: 'web', role: 'web', machines: 1, template }] },
});

const labels = (generation: KubeObject, platform: string) => ({
  site: platform,
  'generations.dev/platform': platform,
  'generations.dev/generation': generation.metadata.name,
  'generations.dev/generation-uid': generation.metadata.uid,
  'generations.dev/pool': 'web',
  'generations.dev/role': 'web',
});

export const aPool = (generation: KubeObject, platform: string) => ({
  apiVersion,
  kind: 'GenerationPool',
  metadata: { name: `${generation.metadata.name}.web`, labels: labels(generation, platform) },
  spec: {
    platform,
    className: 'aws',
    generation: generation.metadata.name,
    generationUID: generation.metadata.uid,
    role: 'web',
    machines: 1,
    template,
    placement: [{ subnet: 'subnet-a', machines: 1 }],
  },
});

export const aNode = (generation: KubeObject, platform: string, ready: 'True' | 'False' = 'True') => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: uniqueName('node'), labels: labels(generation, platform) },
  status: { conditions: [{ type: 'Ready', status: ready, reason: 'Tested', message: '' }] },
});

export const aCutover = (spec: object = {}) => ({
  apiVersion,
  kind: 'Cutover',
  metadata: { name: uniqueName('to') },
  spec: { platform: 'pa', from: '', to: 'ga-2', ...spec },
});

/** What a cutover has in its status from the moment that it is begun. */
export const begun = { generations: { to: { name: 'ga-2', uid: 'f00' } } };

/**
 * A platform of its own with a generation in this stage, written in the order in which the operator writes: protected first. Returns
 * when the policies have seen all of it.
 *
 * @param without `platform`: the Platform is missing; `ownStatus`: only the Platform says that the generation is protected
 * @param more what is in the generation's status besides
 */
export async function aSite(
  cluster: GuardedCluster,
  stage: Stage,
  { without, with: more = {} }: { without?: 'platform' | 'ownStatus'; with?: object } = {},
): Promise<Site> {
  const name = uniqueName('pa');
  const platform = aPlatform(name);
  const protects = (names: string[]) =>
    without === 'platform' ? undefined : cluster.status(platform, { protected: names });
  if (without !== 'platform') await cluster.create(platform);
  const generation = await cluster.create(aGeneration(uniqueName('ga'), name));
  const pool = await cluster.create(aPool(generation, name));
  const node = await cluster.create(aNode(generation, name));

  await protects([generation.metadata.name]);
  if (without !== 'ownStatus') {
    const { retiredTime: _, retiredBy: __, ...before } = ownStatus[stage];
    // Going live is refused until the policies see that the Platform lists the generation.
    await eventually(`${generation.metadata.name} to be ${stage}`, async () => {
      const status = { ...before, ...more };
      const patched = await cluster.call('operator', 'PATCH', `${pathOf(generation)}/status`, { status });
      return patched.status === 200;
    });
    if (stage === 'retired') await cluster.status(generation, ownStatus.retired);
  }
  if (!isProtected(stage)) await protects([]);
  if (stage === 'live' && without !== 'platform') {
    const live = { name: generation.metadata.name, uid: generation.metadata.uid, time: NOON };
    // Likewise until they see that the generation is live.
    await eventually(`Platform ${name} to point at it`, async () => {
      const patched = await cluster.call('operator', 'PATCH', `${pathOf(platform)}/status`, { status: { live } });
      return patched.status === 200;
    });
  }
  await eventually(`the policies to see that ${generation.metadata.name} is ${stage}`, async () => {
    const { status, body } = await cluster.call('admin', 'DELETE', `${pathOf(pool)}?dryRun=All`);
    if (!isProtected(stage)) return status === 200;
    return status === 403 && JSON.stringify(body).includes(stage === 'live' ? 'which is live' : 'protects for');
  });
  return {
    platform,
    generation: await cluster.get(generation),
    pool: await cluster.get(pool),
    node: await cluster.get(node),
  };
}

/** Break-glass as two people agree on it: one asks, another approves. The operator then puts it in force. */
export async function agreeOnOverride({ call }: GuardedCluster, { platform, generation }: Site): Promise<void> {
  const request = { generation: generation.metadata.name, reason: 'subnet fire', requestedBy: users.person };
  await expectStatus(200, call('person', 'PATCH', pathOf(platform), { spec: { override: request } }));
  await expectStatus(
    200,
    call('second', 'PATCH', pathOf(platform), { spec: { override: { approvedBy: users.second } } }),
  );
}
