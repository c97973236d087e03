import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCommand } from '../../../local/command.ts';
import { uniqueName } from '../../../local/testing.ts';
import {
  type Actor,
  denialOf,
  eventually,
  expectStatus,
  type GuardedCluster,
  type KubeObject,
  pathOf,
  startGuardedCluster,
} from './cluster.ts';
import {
  aCutover,
  aGeneration,
  agreeOnOverride,
  aNode,
  aPlatform,
  aPool,
  aSite,
  NOON,
  retention,
  type Site,
} from './objects.ts';

const others =
  'If you meant a generation that never was live: kubectl get cg shows those as Planned, Provisioning or Staged, and they can be deleted at any time';

let cluster: GuardedCluster;
let live: Site;

beforeAll(async () => {
  cluster = await startGuardedCluster();
}, 180_000);
afterAll(() => cluster?.stop());

const refusal = async (who: Actor, object: KubeObject, patch: object, subresource = '') =>
  denialOf(await cluster.call(who, 'PATCH', pathOf(object) + subresource, patch));

const cordon = { spec: { unschedulable: true } };
const readiness = (status: string) => ({
  status: { conditions: [{ type: 'Ready', status, reason: 'Tested', message: '' }] },
});

/** People are refused by the policy; a heartbeat, a kubelet that gives up and a node controller that taints are not. */
async function expectWorkOnly({ node }: Site, policy: string): Promise<void> {
  const evicting = { spec: { taints: [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }] } };
  expect((await refusal('person', node, cordon)).policy).toBe(policy);
  expect((await refusal('admin', node, evicting)).policy).toBe(policy);
  expect((await refusal('operator', node, readiness('False'), '/status')).policy).toBe(policy);
  for (const [who, patch, subresource] of [
    ['admin', readiness('True'), '/status'],
    ['nodeController', evicting, ''],
    ['kubelet', readiness('False'), '/status'],
  ] as const)
    expect(await cluster.call(who, 'PATCH', pathOf(node) + subresource, patch)).toMatchObject({ status: 200 });
}

// First, while there is no Platform at all.
describe('without any Platform', () => {
  it('a generation that never was live is written to and deleted by anybody', async () => {
    const mistyped = await cluster.create(aGeneration(uniqueName('ga'), 'no-such-platform'));
    await cluster.status(mistyped, { stage: 'Planned' });
    expect(await cluster.call('person', 'PATCH', pathOf(mistyped), { metadata: { labels: { a: 'b' } } })).toMatchObject(
      { status: 200 },
    );
    expect(await cluster.call('person', 'DELETE', pathOf(mistyped))).toMatchObject({ status: 200 });
  });

  it('a live one, its pool and its Node are protected by its own status', async () => {
    const { generation, pool, node } = await aSite(cluster, 'live', { without: 'platform' });
    for (const [object, policy] of [
      [generation, 'state'],
      [pool, 'pool'],
      [node, 'machines'],
    ]) {
      const denial = denialOf(await cluster.call('admin', 'DELETE', pathOf(object)));
      expect(denial).toMatchObject({ policy, text: expect.stringContaining('live') });
    }
  });

  it('a Node of a live one is not disabled by people, and kubelets and node controllers do their work', async () => {
    await expectWorkOnly(await aSite(cluster, 'live', { without: 'platform' }), 'machines');
  });

  it('a Node of one that never was live is cordoned by anybody', async () => {
    const { node } = await aSite(cluster, 'neverLive', { without: 'platform' });
    expect(await cluster.call('person', 'PATCH', pathOf(node), cordon)).toMatchObject({ status: 200 });
  });
});

describe('a Platform that has lost its status', () => {
  it('is taken to protect everything that names it, and cannot be deleted', async () => {
    const platform = await cluster.create(aPlatform(uniqueName('pa')));
    const name = platform.metadata.name;
    const generation = await cluster.create(aGeneration(uniqueName('ga'), name));
    const pool = await cluster.create(aPool(generation, name));
    const unknown = `Platform ${name} does not say yet which generations it protects (status.protected is missing: the operator has not seen it, or it was restored from a backup). Start the operator and try again`;
    const refused = async (object: KubeObject) => denialOf(await cluster.call('admin', 'DELETE', pathOf(object)));
    expect(await refused(generation)).toEqual({
      policy: 'generation',
      text: `ClusterGeneration ${generation.metadata.name} cannot be deleted: ${unknown}. ${others}`,
    });
    expect(await refused(pool)).toEqual({
      policy: 'generation',
      text: `GenerationPool ${pool.metadata.name} cannot be deleted: it belongs to generation ${generation.metadata.name}, and ${unknown}. ${others}`,
    });
    expect(await refused(platform)).toEqual({
      policy: 'platform',
      text: `Platform ${name} cannot be deleted: it does not say yet which generations it protects (status.protected is missing: the operator has not seen it, or it was restored from a backup). Start the operator and try again`,
    });
    await cluster.status(generation, { stage: 'Planned' });
  });
});

describe('the Node of a generation whose Platform has lost its status', () => {
  it('is not disabled by people, and kubelets and node controllers do their work', async () => {
    const platform = await cluster.create(aPlatform(uniqueName('pa')));
    const { name } = platform.metadata;
    const generation = await cluster.create(aGeneration(uniqueName('ga'), name));
    const node = await cluster.create(aNode(generation, name));
    await expectWorkOnly({ platform, generation, node, pool: undefined }, 'node');
    await cluster.status(generation, { stage: 'Staged' });
    await cluster.status(platform, { observedGeneration: 1 });
  });
});

describe('a generation of which only the Platform says that it is protected', () => {
  it('is protected, with its pool and its Node', async () => {
    const { generation, pool, node, platform } = await aSite(cluster, 'reserved', { without: 'ownStatus' });
    const denials = await Promise.all(
      [generation, pool, node].map(async (object) => denialOf(await cluster.call('admin', 'DELETE', pathOf(object)))),
    );
    expect(denials.map(({ policy }) => policy)).toEqual(['generation', 'generation', 'node']);
    expect(denials[0]?.text).toBe(
      `ClusterGeneration ${generation.metadata.name} cannot be deleted: Platform ${platform.metadata.name} protects it (status.protected), with no generation live. A Cutover holds it: kubectl get cutovers shows which. Abort that one, or wait until it has retired the generation. ${others}`,
    );
  });
});

describe('break-glass in force', () => {
  const override = (site: Site, uid: string) => ({
    override: { generation: site.generation.metadata.name, uid, until: NOON },
  });
  const statuses = ({ generation, pool, node }: Site) =>
    Promise.all(
      [generation, pool, node].map(async (object) => {
        const { status } = await cluster.call('person', 'DELETE', `${pathOf(object)}?dryRun=All`);
        return status;
      }),
    );

  it('lets the one generation go that it names, with its pool and its Node', async () => {
    const site = await aSite(cluster, 'live');
    await agreeOnOverride(cluster, site);
    await cluster.status(site.platform, override(site, site.generation.metadata.uid));
    expect(await statuses(site)).toEqual([403, 403, 403]);
    await cluster.status(site.generation, { override: { until: NOON } });
    await eventually('the override to be seen', async () => `${await statuses(site)}` === '200,200,200');
  });

  it('does not stop the status of its Platform from being written when it is withdrawn', async () => {
    const site = await aSite(cluster, 'live');
    await agreeOnOverride(cluster, site);
    const inForce = override(site, site.generation.metadata.uid);
    await cluster.status(site.platform, inForce);
    await expectStatus(200, cluster.call('second', 'PATCH', pathOf(site.platform), { spec: { override: null } }));
    await cluster.status(site.platform, { observedGeneration: 2 });
    await cluster.status(site.platform, { override: null });
    expect((await refusal('operator', site.platform, { status: inForce }, '/status')).policy).toBe('platform');
  });

  it('does not let a namesake of it go', async () => {
    const site = await aSite(cluster, 'live');
    await agreeOnOverride(cluster, site);
    await cluster.status(site.generation, { override: { until: NOON } });
    await cluster.status(site.platform, override(site, 'another'));
    expect(await statuses(site)).toEqual([403, 403, 403]);
  });
});

describe('status', () => {
  beforeAll(async () => {
    live = await aSite(cluster, 'live');
  }, 60_000);

  it.each<Actor>(['person', 'admin', 'cloud'])('is not written by %s', async (actor) => {
    const forged = { status: { retiredTime: NOON, retiredBy: { name: 'x', uid: 'y' } } };
    const answer = await cluster.call(actor, 'PATCH', `${pathOf(live.generation)}/status`, forged);
    if (actor === 'cloud') expect(answer.status).toBe(403);
    else
      expect(denialOf(answer)).toEqual({
        policy: expect.stringMatching(/^(state|generation)$/),
        text: expect.any(String),
      });
    expect((await cluster.get(live.generation)).status.retiredTime).toBeUndefined();
  });

  it.each(['platform', 'generation', 'pool'] as const)('of a %s is written by the operator only', async (target) => {
    const object = live[target];
    expect(await refusal('admin', object, { status: { observedGeneration: 7 } }, '/status')).toEqual({
      policy: 'state',
      text: `The status of ${object.kind} ${object.metadata.name} is written by the operator with its own token, not by admin. Change spec, or apply a Cutover: status follows`,
    });
  });

  it('is not written by somebody who impersonates the operator', async () => {
    const { programs, kubeconfigs } = cluster.controlPlane;
    const operator = 'system:serviceaccount:generations-system:generations-operator';
    const patch = [
      'patch',
      'cg',
      live.generation.metadata.name,
      '--subresource=status',
      '--type=merge',
      '-p',
      '{"status":{"stage":"Retired"}}',
    ];
    const { status, stderr } = await runCommand(programs.kubectl, [
      `--kubeconfig=${kubeconfigs.admin}`,
      `--as=${operator}`,
      ...patch,
    ]);
    expect(status).toBe(1);
    expect(stderr).toContain(`is written by the operator with its own token, not by ${operator}`);
  });
});

describe('the operator, by mistake,', () => {
  it('cannot make a generation live that its Platform does not protect', async () => {
    const { generation, platform } = await aSite(cluster, 'neverLive');
    expect(await refusal('operator', generation, { status: { liveTime: NOON } }, '/status')).toEqual({
      policy: 'generation',
      text: `ClusterGeneration ${generation.metadata.name} cannot go live: status.protected of Platform ${platform.metadata.name} does not list it. Protect first, then go live`,
    });
  });

  it('cannot make a generation live that is being deleted', async () => {
    const { generation } = await aSite(cluster, 'neverLive');
    await expectStatus(
      200,
      cluster.call('operator', 'PATCH', pathOf(generation), { metadata: { finalizers: ['generations.dev/machines'] } }),
    );
    await expectStatus(200, cluster.call('person', 'DELETE', pathOf(generation)));
    expect(await refusal('operator', generation, { status: { liveTime: NOON } }, '/status')).toEqual({
      policy: 'generation',
      text: `ClusterGeneration ${generation.metadata.name} cannot go live: it is being deleted`,
    });
    await expectStatus(200, cluster.call('operator', 'PATCH', pathOf(generation), { metadata: { finalizers: null } }));
    expect((await cluster.get(generation)).code).toBe(404);
  });

  it('cannot retire what its Platform points at', async () => {
    const { generation, platform } = await aSite(cluster, 'live', { with: { retention } });
    const retired = { status: { retiredTime: NOON, retiredBy: retention.cutover } };
    expect(await refusal('operator', generation, retired, '/status')).toEqual({
      policy: 'generation',
      text: `ClusterGeneration ${generation.metadata.name} cannot be retired: it is the live generation of Platform ${platform.metadata.name}. Another one must be live first`,
    });
  });

  it('cannot retire what no Cutover has left, or in the name of another', async () => {
    const { generation } = await aSite(cluster, 'retained');
    const name = generation.metadata.name;
    const other = { status: { retiredTime: NOON, retiredBy: { name: 'to-another', uid: 'c01' } } };
    expect(await refusal('operator', generation, other, '/status')).toEqual({
      policy: 'state',
      text: `ClusterGeneration ${name} cannot be retired by Cutover to-another: Cutover to-next has left it (status.retention), and no other retires it`,
    });
    await cluster.status(generation, { retention: null });
    expect(await refusal('operator', generation, other, '/status')).toEqual({
      policy: 'state',
      text: `ClusterGeneration ${name} cannot be retired by Cutover to-another: no Cutover has left it (status.retention is missing)`,
    });
    await cluster.status(generation, { retention });
    await cluster.status(generation, { retiredTime: NOON, retiredBy: retention.cutover });
  });

  it('cannot leave for a rollback what its Platform points at', async () => {
    const { generation, platform } = await aSite(cluster, 'live', { with: { retention } });
    const stopped = { status: { retention: { standby: 'Stopped' } } };
    expect(await refusal('operator', generation, stopped, '/status')).toEqual({
      policy: 'generation',
      text: `ClusterGeneration ${generation.metadata.name} cannot be left for a rollback (status.retention): it is the live generation of Platform ${platform.metadata.name}. Another one must be live first`,
    });
    // One that was rolled back to is live before its cutover clears what is left of the time that it was kept.
    await cluster.status(generation, { observedGeneration: 7 });
    await cluster.status(generation, { retention: null });
  });

  it('cannot take back that a generation has been live while nothing holds it', async () => {
    const { generation } = await aSite(cluster, 'retained');
    for (const liveTime of [null, '2026-10-31T12:00:00.000Z'])
      expect(await refusal('operator', generation, { status: { liveTime, retention: null } }, '/status')).toEqual({
        policy: 'state',
        text: `status.liveTime of ClusterGeneration ${generation.metadata.name} cannot be taken back: no Cutover holds it (status.reservedBy), and that it has been live is what protects it`,
      });
    await cluster.status(generation, { reservedBy: { name: 'to-next', uid: 'c00' } });
    await cluster.status(generation, { liveTime: '2026-10-31T12:00:00.000Z' });
    await cluster.status(generation, { liveTime: null, retention: null });
  });

  it('cannot take back that a generation is live while its Platform points at it', async () => {
    const { generation, platform } = await aSite(cluster, 'live', {
      with: { reservedBy: { name: 'to-next', uid: 'c00' } },
    });
    for (const liveTime of [null, '2026-10-31T12:00:00.000Z'])
      expect(await refusal('operator', generation, { status: { liveTime } }, '/status')).toEqual({
        policy: 'generation',
        text: `status.liveTime of ClusterGeneration ${generation.metadata.name} cannot be taken back: it is the live generation of Platform ${platform.metadata.name}. Another one must be live first`,
      });
    // A cutover that takes over from a blocked one says so anew.
    await cluster.status(generation, { liveTime: '2026-11-01T12:00:00.500Z' });
  });

  it.each(['cg', 'cut'])('does not write the spec of a %s', async (kind) => {
    const { generation } = await aSite(cluster, 'neverLive');
    const object = kind === 'cg' ? generation : await cluster.create(aCutover());
    const spec = kind === 'cg' ? { pools: [{ ...generation.spec.pools[0], machines: 2 }] } : { paused: true };
    for (const who of ['operator', 'impostor'] as const)
      expect(await refusal(who, object, { spec })).toEqual({
        policy: 'state',
        text: `spec of ${object.kind} ${object.metadata.name} is written by people and by what they have set up, never by the operator. Change it in your own name`,
      });
    await expectStatus(200, cluster.call('operator', 'PATCH', pathOf(object), { metadata: { labels: { a: 'b' } } }));
    await expectStatus(200, cluster.call('person', 'PATCH', pathOf(object), { spec }));
  });

  it('cannot retire a generation twice, or bring it back', async () => {
    const { generation } = await aSite(cluster, 'retired');
    const answer = await cluster.call('operator', 'PATCH', `${pathOf(generation)}/status`, {
      status: { retiredTime: null, retiredBy: null },
    });
    expect(answer).toMatchObject({
      status: 422,
      body: { message: expect.stringContaining('a retired generation never comes back') },
    });
  });
});

describe('a Platform', () => {
  it('cannot be deleted while it protects anything', async () => {
    const { generation, platform } = await aSite(cluster, 'live');
    const name = generation.metadata.name;
    const denial = denialOf(await cluster.call('admin', 'DELETE', pathOf(platform)));
    expect(denial).toEqual({
      policy: 'platform',
      text: `Platform ${platform.metadata.name} cannot be deleted: it protects ${name}, with ${name} live. Its generations must be retired first (a Cutover of mode Decommission retires the last one)`,
    });
  });

  it('can be deleted when it protects nothing', async () => {
    const { platform } = await aSite(cluster, 'neverLive');
    expect(await cluster.call('person', 'DELETE', pathOf(platform))).toMatchObject({ status: 200 });
  });
});
