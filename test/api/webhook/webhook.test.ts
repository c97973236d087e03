import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, expectStatus, type KubeObject, pathOf } from '../guard/cluster.ts';
import { agreeOnOverride, aSite, type Site } from '../guard/objects.ts';
import {
  aNamespace,
  aPod,
  evict,
  maintenance,
  moreNodes,
  patchNode,
  type Running,
  startWebhookCluster,
  type WebhookCluster,
} from './site.ts';

/** The webhook on a real API server: what it refuses, what it lets pass, what people see. */

let cluster: WebhookCluster;
let running: Running;

beforeAll(async () => {
  cluster = await startWebhookCluster();
  running = await cluster.start();
}, 240_000);
afterAll(async () => {
  await running?.stop();
  await cluster?.stop();
});

const refusedBy = (name: string) => `admission webhook "${name}.generations.dev" denied the request`;

/** A live site of several machines, with a pod on the first one in a namespace of its own. */
async function aLiveSite({ isProtected = false, nodes = 3 } = {}) {
  const site = await aSite(cluster, 'live');
  const all: KubeObject[] = [site.node, ...(await moreNodes(cluster, site, nodes - 1))];
  const namespace = await aNamespace(cluster, isProtected);
  const pods = await Promise.all(all.map(({ metadata }) => aPod(cluster, namespace, metadata.name)));
  return { site, nodes: all, namespace, pods };
}

const untilWebhookKnows = (pod: string) =>
  eventually('the webhook to refuse an eviction', async () =>
    ((await evict(cluster, pod)) ?? '').includes(refusedBy('evictions')),
  );

describe('an eviction', () => {
  it('is refused by the Node of the pod, in a namespace that no policy guards, with what to do instead', async () => {
    const { site, nodes, pods } = await aLiveSite();
    await untilWebhookKnows(pods[0]!);
    const name = nodes[0].metadata.name;
    const generation = site.generation.metadata.name;
    expect(await evict(cluster, pods[0]!)).toBe(
      `${refusedBy('evictions')}: Pod ${pods[0]!.split('/')[4]}/${pods[0]!.split('/').at(-1)} cannot be evicted: its Node ${name} belongs to ${generation} and serves ` +
        `(${generation} is the live generation of Platform ${site.platform.metadata.name} since 2026-11-01T12:00:00Z). To take this one machine out: ` +
        `kubectl annotate node ${name} generations.dev/maintenance=${name}, then drain it again`,
    );
    expect(await evict(cluster, pods[0]!, 'person')).toContain('cannot be evicted');
  });

  it('by the operator is allowed', async () => {
    const { pods } = await aLiveSite();
    await untilWebhookKnows(pods[0]!);
    expect(await evict(cluster, pods[0]!, 'operator')).toBeUndefined();
  });

  it('from a Node in maintenance is allowed, in a protected namespace as well, and from no other', async () => {
    const { nodes, pods, namespace } = await aLiveSite({ isProtected: true });
    expect(await evict(cluster, pods[0]!)).toContain("ValidatingAdmissionPolicy 'generations-guard-namespace'");
    expect(await patchNode(cluster, nodes[0], maintenance(nodes[0].metadata.name))).toBeUndefined();
    const annotation = async () =>
      (await cluster.call('admin', 'GET', `/api/v1/namespaces/${namespace}`)).body as KubeObject;
    await eventually('the namespace to say so', async () =>
      String((await annotation()).metadata.annotations?.['generations.dev/draining']).includes(nodes[0].metadata.name),
    );
    await eventually('the eviction', async () => (await evict(cluster, pods[0]!)) === undefined);
    expect(await evict(cluster, pods[1]!)).toContain(`its Node ${nodes[1].metadata.name} belongs to`);
    expect(await patchNode(cluster, nodes[0], maintenance(null))).toBeUndefined();
    await eventually('the namespace to be closed again', async () => {
      const { annotations = {} } = (await annotation()).metadata;
      return !String(annotations['generations.dev/draining'] ?? '').includes(nodes[0].metadata.name);
    });
    expect(await evict(cluster, pods[0]!)).toContain('cannot be evicted');
  });

  it('from a Node that is not Ready is allowed', async () => {
    const { nodes, pods } = await aLiveSite();
    await untilWebhookKnows(pods[1]!);
    const conditions = [{ type: 'Ready', status: 'False', reason: 'Tested', message: '' }];
    await expectStatus(
      200,
      cluster.call('nodeController', 'PATCH', `/api/v1/nodes/${nodes[1].metadata.name}/status`, {
        status: { conditions },
      }),
    );
    await eventually('the eviction', async () => (await evict(cluster, pods[1]!)) === undefined);
  });

  it('from machines of a generation that never was live is allowed', async () => {
    const site = await aSite(cluster, 'neverLive');
    const live = await aLiveSite();
    const pod = await aPod(cluster, live.namespace, site.node.metadata.name);
    await untilWebhookKnows(live.pods[0]!);
    await eventually('the eviction', async () => (await evict(cluster, pod)) === undefined);
  });
});

describe('the blast radius', () => {
  it('lets one machine of a few out, and refuses the next one by name until there is room', async () => {
    const { site, nodes, pods } = await aLiveSite();
    await untilWebhookKnows(pods[0]!);
    const [first, second] = nodes.map(({ metadata }) => metadata.name);
    expect(await patchNode(cluster, nodes[0], maintenance(first))).toBeUndefined();
    expect(await patchNode(cluster, nodes[0], { spec: { unschedulable: true } })).toBeUndefined();
    const generation = site.generation.metadata.name;
    // At once, whether the cache has seen the first one or not.
    expect(await patchNode(cluster, nodes[1], maintenance(second))).toBe(
      `${refusedBy('nodes')}: Node ${second} cannot be taken into maintenance: the blast radius of ${generation} is used up ` +
        `(${generation} is the live generation of Platform ${site.platform.metadata.name} since 2026-11-01T12:00:00Z). ` +
        `1 of its 1 machines may be out within 1h (5%), and 1 counts now: ${first}. ` +
        `Wait until fewer are out, or raise spec.blastRadius of Platform ${site.platform.metadata.name}`,
    );
    expect((await cluster.get(nodes[1])).metadata.annotations).not.toHaveProperty(['generations.dev/maintenance']);
  });

  it('is not spent by dry runs', async () => {
    const { nodes, pods } = await aLiveSite();
    await untilWebhookKnows(pods[0]!);
    for (const node of nodes) {
      const path = `/api/v1/nodes/${node.metadata.name}?dryRun=All`;
      await expectStatus(200, cluster.call('person', 'PATCH', path, maintenance(node.metadata.name)));
    }
    expect(await patchNode(cluster, nodes[2], maintenance(nodes[2].metadata.name))).toBeUndefined();
  });

  it('is told by events on the Node, when an annotation was written while nobody counted', async () => {
    const { nodes } = await aLiveSite({ isProtected: true });
    await running.stop();
    for (const node of nodes.slice(0, 2))
      expect(await patchNode(cluster, node, maintenance(node.metadata.name))).toBeUndefined();
    running = await cluster.start();
    const reasons = async () => {
      const { body } = await cluster.call('admin', 'GET', '/apis/events.k8s.io/v1/namespaces/default/events');
      return (
        (body as { items: KubeObject[] }).items
          // The node controller tells of a Node as well, whenever it gets to it.
          .filter(({ reason }) => reason.startsWith('Maintenance'))
          .filter(({ regarding }) => nodes.some((node) => node.metadata.uid === regarding.uid))
          .map(({ reason, note }) => ({ reason, note }))
      );
    };
    await eventually('both events', async () => (await reasons()).length >= 2);
    const names = nodes.map(({ metadata }) => metadata.name).toSorted();
    expect((await reasons()).map(({ reason }) => reason).toSorted()).toEqual([
      'MaintenanceBegun',
      'MaintenanceRefused',
    ]);
    expect((await reasons()).find(({ reason }) => reason === 'MaintenanceRefused')?.note).toMatch(
      new RegExp(`the blast radius of .* is used up.*: (${names.join('|')})`),
    );
  });
});

describe('people with kubectl', () => {
  const machines = { desired: 60, launched: 60, registered: 60, ready: 60, failed: 0 };
  const status = (site: Site, value: object) => cluster.status(site.generation, value);

  it('are told what a never-live generation holds before it goes', async () => {
    const site = await aSite(cluster, 'neverLive');
    await status(site, { machines });
    const name = site.generation.metadata.name;
    const path = ['delete', 'cg', name, '--dry-run=server'];
    await eventually('the warning', async () =>
      (await cluster.kubectl('alice', ...path)).stderr.includes('never-live'),
    );
    const { stderr, status: exit } = await cluster.kubectl('alice', ...path);
    expect({ stderr, exit }).toEqual({
      exit: 0,
      stderr: `Warning: this deletes 60 never-live machines of ${name}; nothing is live on ${site.platform.metadata.name}\n`,
    });
  });

  it('are told what shrinking terminates, and what settings mean', async () => {
    const site = await aSite(cluster, 'neverLive');
    const pool = (count: number) => ({ ...site.generation.spec.pools[0], machines: count });
    const scale = (count: number) =>
      cluster.kubectl(
        'alice',
        'patch',
        'cg',
        site.generation.metadata.name,
        '--type=merge',
        `-p=${JSON.stringify({ spec: { pools: [pool(count)] } })}`,
      );
    expect((await scale(5)).stderr).toBe('');
    expect((await scale(2)).stderr).toBe(
      `Warning: this shrinks pool web of ${site.generation.metadata.name} from 5 to 2: 3 machines too many are terminated\n`,
    );
    const { stderr } = await cluster.kubectl(
      'admin',
      ...['patch', 'platform', site.platform.metadata.name, '--type=merge'],
      '-p={"spec":{"retention":{"standby":"None"}}}',
    );
    expect(stderr).toBe('Warning: spec.retention.standby None: the next cutover leaves nothing to roll back to\n');
  });

  it('are told that an override names nobody', async () => {
    const { platform } = await aSite(cluster, 'live');
    const override = { generation: 'mistyped', reason: 'fire', requestedBy: 'alice@example.com' };
    const patch = [
      'patch',
      'platform',
      platform.metadata.name,
      '--type=merge',
      `-p=${JSON.stringify({ spec: { override } })}`,
    ];
    expect((await cluster.kubectl('alice', ...patch)).stderr).toBe(
      'Warning: spec.override names mistyped, and there is no ClusterGeneration of that name\n',
    );
  });
});

describe('an override', () => {
  /** In force by what the operator writes, until `minutes` from now. */
  async function overridden(minutes: number) {
    const site = await aSite(cluster, 'live');
    await agreeOnOverride(cluster, site);
    const { name, uid } = site.generation.metadata;
    const until = new Date(Date.now() + minutes * 60_000).toISOString();
    await cluster.status(site.generation, { override: { until } });
    await cluster.status(site.platform, { override: { generation: name, uid, until } });
    const tried = async () => {
      const { status, body } = await cluster.call('person', 'DELETE', `${pathOf(site.generation)}?dryRun=All`);
      return status === 200 ? '' : (body as { message: string }).message;
    };
    return { name, until, tried, platform: site.platform.metadata.name };
  }

  it('lets its generation go while it lasts', async () => {
    const { tried } = await overridden(5);
    await eventually('the deletion', async () => (await tried()) === '');
  });

  it('lets nothing go when it is over, though the policies have no clock', async () => {
    const { tried, name, until, platform } = await overridden(-1);
    await eventually('the policies to let it pass', async () => (await tried()).includes('admission webhook'));
    expect(await tried()).toBe(
      `${refusedBy('generations')}: ClusterGeneration ${name} cannot be deleted: the override of ${name} ended at ${until}, ` +
        `and ${name} is the live generation of Platform ${platform} since 2026-11-01T12:00:00Z. ` +
        `Two people can set spec.override of Platform ${platform} again, or a Cutover can retire it`,
    );
  });
});

describe('the live pointer', () => {
  it('does not move to a generation that does not exist', async () => {
    const { platform, generation } = await aSite(cluster, 'live');
    const live = { name: generation.metadata.name, uid: 'somebody-else', time: '2026-11-02T12:00:00Z' };
    await eventually('the refusal', async () => {
      const answer = await cluster.call('operator', 'PATCH', `${pathOf(platform)}/status`, { status: { live } });
      return answer.status === 403;
    });
    expect((await cluster.get(platform)).status.live.uid).toBe(generation.metadata.uid);
  });
});
