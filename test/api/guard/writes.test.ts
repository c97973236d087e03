import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type Actor,
  collectionOf,
  denialOf,
  expectStatus,
  type GuardedCluster,
  type KubeObject,
  pathOf,
  startGuardedCluster,
} from './cluster.ts';
import { aGeneration, aPool, aSite, type Site } from './objects.ts';

let cluster: GuardedCluster;
let live: Site;
let neverLive: Site;

beforeAll(async () => {
  cluster = await startGuardedCluster();
  live = await aSite(cluster, 'live');
  neverLive = await aSite(cluster, 'neverLive');
}, 180_000);
afterAll(() => cluster?.stop());

const actors: Actor[] = ['person', 'admin', 'operator'];
const finalizers = ['generations.dev/machines'];
const owner = { apiVersion: 'v1', kind: 'Node', name: 'gone', uid: '00000000-0000-0000-0000-000000000000' };

const patch = (who: Actor, object: KubeObject, metadata: object) =>
  cluster.call(who, 'PATCH', pathOf(object), { metadata });
const why = () => `it is live and serves Platform ${live.platform.metadata.name} since 2026-11-01T12:00:00Z`;

describe('a live generation', () => {
  beforeAll(async () => {
    for (const object of [live.generation, live.pool])
      await expectStatus(200, patch('operator', object, { finalizers }));
  });

  it.each(actors)('keeps its finalizer when %s strips it', async (actor) => {
    const { policy, text } = denialOf(await patch(actor, live.generation, { finalizers: null }));
    expect(['generation', 'state']).toContain(policy);
    expect(text).toBe(
      `Finalizers of ClusterGeneration ${live.generation.metadata.name} cannot be removed: ${why()}. To retire it, apply a Cutover of Platform ${live.platform.metadata.name} from it to another generation and wait for its status.retiredTime; then it can be deleted`,
    );
  });

  it.each(actors)('is given no owner by %s', async (actor) => {
    const { policy, text } = denialOf(await patch(actor, live.generation, { ownerReferences: [owner] }));
    expect(['generation', 'state']).toContain(policy);
    expect(text).toBe(
      `ClusterGeneration ${live.generation.metadata.name} cannot be given an owner: ${why()}, and the garbage collector would delete it with its owner. Leave metadata.ownerReferences as it is`,
    );
  });

  it('takes other labels and annotations, and more machines', async () => {
    const change = { metadata: { labels: { team: 'a' }, annotations: { note: 'b' } } };
    expect(await cluster.call('person', 'PATCH', pathOf(live.generation), change)).toMatchObject({ status: 200 });
    const pools = [{ ...live.generation.spec.pools[0], machines: 2 }];
    expect(await cluster.call('person', 'PATCH', pathOf(live.generation), { spec: { pools } })).toMatchObject({
      status: 200,
    });
  });

  it('keeps labels of ours that it has', async () => {
    const site = await aSite(cluster, 'live');
    const labelled = {
      ...aGeneration('labelled', site.platform.metadata.name),
      metadata: { name: 'labelled', labels: { 'generations.dev/platform': 'x' } },
    };
    const generation = await cluster.create(labelled);
    await cluster.status(generation, { reservedBy: { name: 'to-next', uid: 'c00' } });
    expect(denialOf(await patch('admin', generation, { labels: { 'generations.dev/platform': 'y' } })).text).toBe(
      `Labels generations.dev/ of ClusterGeneration labelled cannot be changed: Cutover to-next holds it, to make it live on Platform ${site.platform.metadata.name}. Leave them as they are`,
    );
  });
});

describe('the finalizer of what never was live', () => {
  beforeEach(async () => {
    for (const object of [neverLive.generation, neverLive.pool])
      await expectStatus(200, patch('operator', object, { finalizers: [...finalizers, 'example.com/mine'] }));
  });

  it.each([
    ['person', 'alice@example.com'],
    ['admin', 'admin'],
  ] as const)('is not removed by %s', async (actor, user) => {
    for (const object of [neverLive.generation, neverLive.pool])
      expect(denialOf(await patch(actor, object, { finalizers: ['example.com/mine'] }))).toEqual({
        policy: 'state',
        text: `Finalizer generations.dev/machines of ${object.kind} ${object.metadata.name} is removed by the operator, when the cloud shows its machines terminated, not by ${user}: they would run on with nobody to remove them. kubectl describe says what it waits for`,
      });
  });

  it('is removed by the operator', async () => {
    for (const object of [neverLive.generation, neverLive.pool])
      expect(await patch('operator', object, { finalizers: null })).toMatchObject({ status: 200 });
  });

  it("is nobody's business when it is another one", async () => {
    expect(await patch('person', neverLive.generation, { finalizers })).toMatchObject({ status: 200 });
  });
});

describe('a GenerationPool', () => {
  const byOthers = (name: string, generation: string, who: string) =>
    `GenerationPool ${name} is written by the operator only, not by ${who}. Change spec.pools of ClusterGeneration ${generation} instead: its pools follow`;

  it('is not created by a cluster admin', async () => {
    const pool = aPool(neverLive.generation, neverLive.platform.metadata.name);
    const byHand = { ...pool, metadata: { ...pool.metadata, name: 'by-hand' } };
    expect(denialOf(await cluster.call('admin', 'POST', collectionOf('GenerationPool'), byHand))).toEqual({
      policy: 'state',
      text: byOthers('by-hand', neverLive.generation.metadata.name, 'admin'),
    });
  });

  it.each([
    ['machines', { spec: { machines: 0 } }],
    ['placement', { spec: { placement: [] } }],
    ['labels of ours', { metadata: { labels: { 'generations.dev/pool': 'other' } } }],
  ])('has its %s written by the operator only', async (_what, change) => {
    const answer = await cluster.call('person', 'PATCH', pathOf(neverLive.pool), change);
    const { text } = denialOf(answer);
    expect(text).toBe(byOthers(neverLive.pool.metadata.name, neverLive.generation.metadata.name, 'alice@example.com'));
  });

  it('is scaled by the operator', async () => {
    expect(await cluster.call('operator', 'PATCH', pathOf(neverLive.pool), { spec: { machines: 2 } })).toMatchObject({
      status: 200,
    });
  });

  it('keeps its labels even when the operator changes them', async () => {
    const answer = await patch('operator', neverLive.pool, { labels: { 'generations.dev/pool': 'other' } });
    expect(denialOf(answer).text).toBe(
      `Labels generations.dev/ of GenerationPool ${neverLive.pool.metadata.name} cannot be changed: they say which generation its machines belong to`,
    );
  });

  it('of a live generation keeps its finalizer whoever strips it', async () => {
    for (const actor of ['person', 'admin'] as const)
      expect(['generation', 'pool', 'state']).toContain(
        denialOf(await patch(actor, live.pool, { finalizers: null })).policy,
      );
    const { policy, text } = denialOf(await patch('operator', live.pool, { finalizers: null }));
    expect(['generation', 'pool']).toContain(policy);
    expect(text).toBe(
      `Finalizers of GenerationPool ${live.pool.metadata.name} cannot be removed: it belongs to generation ${live.generation.metadata.name}, which is live on Platform ${live.platform.metadata.name}. To retire it, apply a Cutover of Platform ${live.platform.metadata.name} from it to another generation`,
    );
  });

  it('of a live generation is given no owner', async () => {
    expect(denialOf(await patch('admin', live.pool, { ownerReferences: [owner] }))).toMatchObject({
      policy: expect.stringMatching(/^(generation|pool)$/),
      text: expect.stringMatching(
        /^GenerationPool \S+ cannot be given an owner: it belongs to generation \S+, which is live on Platform /,
      ),
    });
  });
});

describe('a Node', () => {
  const plain = (name: string) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } });

  it.each([...actors, 'cloud' as const])('is not moved to another generation by %s', async (actor) => {
    const { name } = live.node.metadata;
    const moved = { metadata: { labels: { 'generations.dev/generation': neverLive.generation.metadata.name } } };
    for (const subresource of ['', '/status']) {
      expect(denialOf(await cluster.call(actor, 'PATCH', pathOf(live.node) + subresource, moved))).toEqual({
        policy: 'labels',
        text: `Label generations.dev/generation of Node ${name} cannot be changed: it says that the machine belongs to generation ${live.generation.metadata.name} of Platform ${live.platform.metadata.name}. Leave the labels generations.dev/ as they are`,
      });
    }
  });

  it.each(['platform', 'generation', 'generation-uid', 'pool', 'role'])('does not lose its label %s', async (label) => {
    const denial = denialOf(await patch('admin', live.node, { labels: { [`generations.dev/${label}`]: null } }));
    expect(denial).toMatchObject({
      policy: 'labels',
      text: expect.stringContaining(`Label generations.dev/${label} of Node`),
    });
  });

  it('is claimed for a generation by the operator only', async () => {
    const node = await cluster.create(plain('unclaimed'));
    const { labels } = live.node.metadata;
    expect(denialOf(await patch('admin', node, { labels }))).toEqual({
      policy: 'labels',
      text: 'Label generations.dev/platform of Node unclaimed is set by the operator, from the tags of the machine at the cloud, not by admin',
    });
    expect(await patch('operator', node, { labels })).toMatchObject({ status: 200 });
  });

  it('without a generation is written to and deleted as ever', async () => {
    const node = await cluster.create(plain('unrelated'));
    expect(await patch('person', node, { labels: { a: 'b' } })).toMatchObject({ status: 200 });
    expect(await cluster.call('person', 'DELETE', pathOf(node))).toMatchObject({ status: 200 });
  });
});

describe('a CustomResourceDefinition of ours', () => {
  const crd = (plural: string) => ({
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.generations.dev` },
  });

  it.each([
    ['platforms', 'Platform'],
    ['clustergenerations', 'ClusterGeneration'],
    ['generationpools', 'GenerationPool'],
    ['generationclasses', 'GenerationClass'],
    ['cutovers', 'Cutover'],
  ])('%s cannot be deleted', async (plural, kind) => {
    expect(denialOf(await cluster.call('admin', 'DELETE', pathOf(crd(plural))))).toEqual({
      policy: 'crd',
      text: `CustomResourceDefinition ${plural}.generations.dev cannot be deleted: every ${kind} would go with it, the live ones too, and no other rule would be asked. To uninstall, delete the ValidatingAdmissionPolicyBinding generations-guard-crd first`,
    });
  });

  const changed = async (plural: string, change: (version: KubeObject) => void) => {
    const object = await cluster.get(crd(plural));
    change(object.spec.versions[0]);
    return cluster.call('admin', 'PUT', `${pathOf(object)}?dryRun=All`, object);
  };

  it('does not lose what the guard reads', async () => {
    const lost = await changed('clustergenerations', (version) => {
      delete version.schema.openAPIV3Schema.properties.status.properties.liveTime;
      delete version.schema.openAPIV3Schema.properties.status['x-kubernetes-validations'];
      delete version.schema.openAPIV3Schema['x-kubernetes-validations'];
    });
    expect(denialOf(lost).text).toBe(
      'CustomResourceDefinition clustergenerations.generations.dev must keep its status subresource and the fields liveTime, retiredTime, reservedBy.name, override, stage, machines.registered, retention.cutover of status: they say what is live, and the API server would forget them',
    );
    const open = await changed('cutovers', (version) => delete version.subresources);
    expect(denialOf(open).text).toContain('must keep its status subresource');
  });

  it('goes on being served', async () => {
    const hidden = await changed('cutovers', (version) => {
      version.served = false;
    });
    expect(denialOf(hidden).text).toBe(
      'CustomResourceDefinition cutovers.generations.dev cannot stop serving a version: the operator and the guard read it. Set served: true',
    );
  });

  it('may change otherwise', async () => {
    const columns = await changed('platforms', (version) => version.additionalPrinterColumns.pop());
    expect(columns).toMatchObject({ status: 200 });
  });
});
