import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCommand } from '../../../local/command.ts';
import { uniqueName } from '../../../local/testing.ts';
import {
  type Actor,
  collectionOf,
  denialOf,
  eventually,
  type GuardedCluster,
  type KubeObject,
  pathOf,
  startGuardedCluster,
} from './cluster.ts';
import { aGeneration, aNode, aSite, type Site, type Stage } from './objects.ts';

let cluster: GuardedCluster;

beforeAll(async () => {
  cluster = await startGuardedCluster();
}, 180_000);
afterAll(() => cluster?.stop());

const actors: Actor[] = ['person', 'admin', 'operator'];

/** Every way to ask for the deletion of one object. */
const ways: [way: string, query: string, options?: object][] = [
  ['plainly', ''],
  ['by force', '?gracePeriodSeconds=0'],
  ['in the background', '', { propagationPolicy: 'Background' }],
  ['in the foreground', '', { propagationPolicy: 'Foreground' }],
  ['leaving its children', '', { propagationPolicy: 'Orphan' }],
  ['as a dry run', '?dryRun=All'],
];

const others =
  'If you meant a generation that never was live: kubectl get cg shows those as Planned, Provisioning or Staged, and they can be deleted at any time';

const generationText: Record<string, (generation: string, platform: string) => string> = {
  live: (generation, platform) =>
    `ClusterGeneration ${generation} cannot be deleted: it is live and serves Platform ${platform} since 2026-11-01T12:00:00Z. To retire it, apply a Cutover of Platform ${platform} from it to another generation and wait for its status.retiredTime; then it can be deleted. ${others}`,
  reserved: (generation, platform) =>
    `ClusterGeneration ${generation} cannot be deleted: Cutover to-next holds it, to make it live on Platform ${platform}. Abort that Cutover first (spec.abort: true). ${others}`,
  retained: (generation, platform) =>
    `ClusterGeneration ${generation} cannot be deleted: it was live on Platform ${platform} (since 2026-11-01T12:00:00Z) and its machines are kept for a rollback. The Cutover that replaced it retires it when its status.retainUntil has passed, or at once with spec.retireNow: true; then it can be deleted. ${others}`,
};

function belongs(what: string, generation: string, platform: string, stage: Stage): string {
  const why =
    stage === 'live' ? `is live on Platform ${platform}` : `Platform ${platform} protects for a cutover or a rollback`;
  return `${what} cannot be deleted: it belongs to generation ${generation}, which ${why}`;
}

const retire = (platform: string, stage: Stage) =>
  stage === 'live'
    ? `To retire it, apply a Cutover of Platform ${platform} from it to another generation`
    : 'kubectl get cutovers shows which Cutover holds it: abort that one, or wait until it has retired the generation';

/** What is said when the object of this site is to be deleted, and by which policies. */
function expected(site: Site, target: keyof Site, stage: Stage): { policies: string[]; text: string } {
  const generation = site.generation.metadata.name;
  const platform = site.platform.metadata.name;
  const what = `${site[target].kind ?? 'Node'} ${site[target].metadata.name}`;
  switch (target) {
    case 'generation':
      return { policies: ['generation', 'state'], text: generationText[stage]?.(generation, platform) ?? '' };
    case 'pool': {
      const text = `${belongs(what, generation, platform, stage)}. ${retire(platform, stage)}. ${others}`;
      return { policies: ['generation', 'pool'], text };
    }
    default: {
      const { name } = site.node.metadata;
      const how = `To work on this machine alone: kubectl annotate node ${name} generations.dev/maintenance=${name}, then drain it`;
      const text = `${belongs(what, generation, platform, stage)}. ${retire(platform, stage)}. ${how}. ${others}`;
      return { policies: ['node', 'machines'], text };
    }
  }
}

/** What a refused act must leave as it was. Node controllers write to Nodes meanwhile, so their resourceVersion says nothing. */
function unchanged({ kind, metadata: { uid, resourceVersion, deletionTimestamp, labels } }: KubeObject) {
  return { uid, deletionTimestamp, labels, ...(kind === 'Node' ? {} : { resourceVersion }) };
}

describe.each<Stage>(['live', 'reserved', 'retained'])('a %s generation', (stage) => {
  let site: Site;
  beforeAll(async () => {
    site = await aSite(cluster, stage);
  }, 60_000);

  describe.each<'generation' | 'pool' | 'node'>(['generation', 'pool', 'node'])('its %s', (target) => {
    const cases = actors.flatMap((actor) =>
      ways.map((way) => ({ actor, way: way[0], query: way[1], options: way[2] })),
    );
    it.each(cases)('cannot be deleted by $actor $way', async ({ actor, query, options }) => {
      const object = site[target];
      const denial = denialOf(await cluster.call(actor, 'DELETE', pathOf(object) + query, options));
      const { policies, text } = expected(site, target, stage);
      expect(denial.text).toBe(text);
      expect(policies).toContain(denial.policy);
      expect(unchanged(await cluster.get(object))).toEqual(unchanged(object));
    });

    it.each(actors)('cannot be deleted with its collection by %s', async (actor) => {
      const object = site[target];
      const selector = `?labelSelector=site=${site.platform.metadata.name}`;
      const denial = denialOf(await cluster.call(actor, 'DELETE', collectionOf(object.kind) + selector));
      expect(denial.text).toBe(expected(site, target, stage).text);
      expect(unchanged(await cluster.get(object))).toEqual(unchanged(object));
    });
  });

  it('is not found by kubectl delete --all either', async () => {
    const { kubectl } = cluster.controlPlane.programs;
    const args = [
      `--kubeconfig=${cluster.controlPlane.kubeconfigs.admin}`,
      'delete',
      'cg,gpool',
      '--all',
      '--wait=false',
    ];
    const { status, stderr } = await runCommand(kubectl, args);
    expect(status).toBe(1);
    expect(stderr).toContain(expected(site, 'generation', stage).text);
    expect(unchanged(await cluster.get(site.generation))).toEqual(unchanged(site.generation));
  });
});

describe.each<Stage>(['neverLive', 'retired'])('a generation that is %s', (stage) => {
  it.each(['person', 'admin'] as const)(
    'can be deleted by %s, with its pool and its Node',
    async (actor) => {
      const site = await aSite(cluster, stage);
      for (const object of [site.node, site.pool, site.generation]) {
        expect(await cluster.call(actor, 'DELETE', pathOf(object))).toMatchObject({ status: 200 });
        expect(await cluster.get(object)).toMatchObject({ code: 404 });
      }
    },
    30_000,
  );

  it('loses its pool to the operator, which may only try to delete the rest', async () => {
    const { pool, generation, platform } = await aSite(cluster, stage);
    expect(await cluster.call('operator', 'DELETE', pathOf(pool))).toMatchObject({ status: 200 });
    for (const object of [generation, platform]) {
      expect(await cluster.call('operator', 'DELETE', `${pathOf(object)}?dryRun=All`)).toMatchObject({ status: 200 });
      expect(denialOf(await cluster.call('operator', 'DELETE', pathOf(object)))).toEqual({
        policy: 'state',
        text: `${object.kind} ${object.metadata.name} is deleted by people and by what they have set up, never by the operator, which may only try it (dryRun: All). Delete it in your own name`,
      });
    }
  });
});

describe('the Node of a live generation whose machine is gone', () => {
  const deleted = async (actor: Actor, ready: 'True' | 'False') => {
    const { generation, platform } = await aSite(cluster, 'live');
    const node = await cluster.create(aNode(generation, platform.metadata.name, ready));
    return cluster.call(actor, 'DELETE', pathOf(node));
  };
  it.each<Actor>(['cloud', 'operator'])('is deleted by the %s while it is NotReady', async (actor) => {
    expect(await deleted(actor, 'False')).toMatchObject({ status: 200 });
  });
  it('is not deleted by the cloud while it is Ready', async () => {
    expect(['node', 'machines']).toContain(denialOf(await deleted('cloud', 'True')).policy);
  });
  it.each<Actor>(['person', 'admin'])('is never deleted by %s', async (actor) => {
    expect(['node', 'machines']).toContain(denialOf(await deleted(actor, 'False')).policy);
  });
});

describe('an owner that is gone', () => {
  it('takes a never-live generation with it, and not a live one that it owned before', async () => {
    const owner = await cluster.create({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: uniqueName('owner') },
    });
    const ownerReferences = [
      { apiVersion: owner.apiVersion, kind: owner.kind, name: owner.metadata.name, uid: owner.metadata.uid },
    ];
    const live = (await aSite(cluster, 'neverLive')).generation;
    const neverLive = await cluster.create(aGeneration(uniqueName('ga'), live.spec.platform));
    for (const { metadata, kind } of [live, neverLive]) {
      const owned = await cluster.call('admin', 'PATCH', pathOf({ kind, metadata }), { metadata: { ownerReferences } });
      expect(owned.status).toBe(200);
    }
    await cluster.status(
      { kind: 'Platform', metadata: { name: live.spec.platform } },
      { protected: [live.metadata.name] },
    );
    await cluster.status(live, { reservedBy: { name: 'to-next', uid: 'c00' } });

    expect(await cluster.call('admin', 'DELETE', pathOf(owner))).toMatchObject({ status: 200 });
    // The garbage collector looks for new kinds every 30 s.
    await eventually('the garbage collector', async () => (await cluster.get(neverLive)).code === 404, 75_000);
    expect(await cluster.get(live)).toMatchObject({ metadata: { uid: live.metadata.uid } });
    expect((await cluster.get(live)).metadata.deletionTimestamp).toBeUndefined();
  }, 120_000);
});
