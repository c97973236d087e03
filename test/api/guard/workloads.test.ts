import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CommandResult, runCommand } from '../../../local/command.ts';
import { uniqueName } from '../../../local/testing.ts';
import {
  denialOf,
  eventually,
  expectStatus,
  type GuardedCluster,
  type KubeObject,
  pathOf,
  startGuardedCluster,
} from './cluster.ts';
import { aGeneration, aPlatform, aSite, NOON, type Site } from './objects.ts';
import { aNamespace, aWorkload, list, namespaceCalled, WORKLOADS, type WorkloadKind } from './workloads.ts';

/** What users reach: the workloads of a protected generation. The real controller manager is there, as it is anywhere. */
let cluster: GuardedCluster;
let site: Site;
let namespace: string;
let live: string;

beforeAll(async () => {
  cluster = await startGuardedCluster();
  [site, namespace] = await Promise.all([aSite(cluster, 'live'), aNamespace(cluster)]);
  live = site.generation.metadata.name;
}, 180_000);
afterAll(() => cluster?.stop());

const make = (kind: WorkloadKind, more: object = {}) =>
  cluster.create(aWorkload(kind, { namespace, generation: live, ...more }));
const patch = (object: KubeObject, body: object, subresource = '', query = '') =>
  cluster.call('admin', 'PATCH', `${pathOf(object)}${subresource}?${query}`, body);
const scale = (object: KubeObject, replicas: number) => patch(object, { spec: { replicas } }, '/scale');
const remove = (object: KubeObject, query = '') => cluster.call('admin', 'DELETE', `${pathOf(object)}?${query}`);
const refusal = async (answer: ReturnType<GuardedCluster['call']>) => denialOf(await answer);
const kubectl = (args: string[], input?: object): Promise<CommandResult> => {
  const { programs, kubeconfigs } = cluster.controlPlane;
  const stdin = input === undefined ? {} : { input: JSON.stringify(input) };
  return runCommand(programs.kubectl, [`--kubeconfig=${kubeconfigs.admin}`, '-n', namespace, ...args], stdin);
};
const stays = async (object: KubeObject) => {
  const { metadata, spec } = await cluster.get(object);
  expect({ uid: metadata.uid, going: metadata.deletionTimestamp, replicas: spec.replicas }).toEqual({
    uid: object.metadata.uid,
    going: undefined,
    replicas: object.spec.replicas,
  });
};
const templateOf = (change: { nodeSelector?: string | null; label?: string | null; image?: string }) => ({
  spec: {
    template: {
      ...(change.label !== undefined && { metadata: { labels: { 'generations.dev/generation': change.label } } }),
      spec: {
        ...(change.nodeSelector !== undefined && {
          nodeSelector: { 'generations.dev/generation': change.nodeSelector },
        }),
        ...(change.image !== undefined && { containers: [{ name: 'main', image: change.image }] }),
      },
    },
  },
});

describe.each(WORKLOADS)('a %s of the live generation', (kind) => {
  it('says of itself whose it is, and keeps saying so', async () => {
    for (const by of ['nodeSelector', 'label'] as const) {
      const object = await make(kind, { by });
      expect(object.metadata.labels['generations.dev/generation']).toBe(live);
      const labels = { 'generations.dev/generation': null };
      const { body } = await patch(object, { metadata: { labels } });
      expect((body as KubeObject).metadata.labels['generations.dev/generation']).toBe(live);
      // Through /status, where nothing puts it back.
      const answer = await patch(object, { metadata: { labels } }, '/status');
      if (answer.status < 300) expect((await cluster.get(object)).metadata.labels).toEqual(object.metadata.labels);
      else expect(denialOf(answer).text).toContain('Label generations.dev/generation');
    }
  });

  it('cannot be deleted, however it is tried', async () => {
    const object = await make(kind);
    const ways = ['', 'propagationPolicy=Background', 'propagationPolicy=Foreground', 'propagationPolicy=Orphan'];
    for (const query of [...ways, 'gracePeriodSeconds=0', 'dryRun=All']) {
      const { policy, text } = await refusal(remove(object, query));
      expect(policy).toBe('workload');
      expect(text).toBe(
        `${kind} ${namespace}/${object.metadata.name} cannot be deleted: it belongs to generation ${live}, which is live on Platform ${site.platform.metadata.name}. ` +
          `To retire it, apply a Cutover of Platform ${site.platform.metadata.name} from it to another generation. ` +
          `If that is meant, first: kubectl annotate ${kind.toLowerCase()}s -n ${namespace} ${object.metadata.name} generations.dev/unprotect=${object.metadata.name}`,
      );
    }
    const collection = pathOf(object).replace(/\/[^/]+$/, '');
    const all = `${collection}?labelSelector=site=${object.metadata.name}`;
    expect((await refusal(cluster.call('admin', 'DELETE', all))).text).toContain('cannot be deleted');
    await stays(object);
  });

  it('cannot be moved to another generation', async () => {
    for (const by of ['nodeSelector', 'label'] as const) {
      const object = await make(kind, { by });
      const other = by === 'label' ? 'nodeSelector' : 'label';
      for (const change of [{ [by]: 'ga-other' }, { [by]: null }, { [other]: 'ga-other' }]) {
        const { text } = await refusal(patch(object, templateOf(change)));
        expect(text).toContain(
          `cannot be moved to ${Object.values(change)[0] === null ? 'no generation' : 'generation ga-other'}: it belongs to generation ${live}`,
        );
      }
      expect(await patch(object, templateOf({ [other]: live }))).toMatchObject({ status: 200 });
    }
  });

  it('goes when its own name has been said before, and not when another name has', async () => {
    const object = await make(kind, { annotations: { 'generations.dev/unprotect': 'another' } });
    const { text } = await refusal(remove(object));
    expect(text).toContain(
      `--overwrite generations.dev/unprotect=${object.metadata.name} (it says another now, which is not its name)`,
    );
    const annotations = { 'generations.dev/unprotect': object.metadata.name };
    await expectStatus(200, patch(object, { metadata: { annotations } }));
    expect(await remove(object)).toMatchObject({ status: 200 });
  });

  it('takes a new image', async () => {
    const object = await make(kind);
    expect(await patch(object, templateOf({ image: 'example.com/web:2' }))).toMatchObject({ status: 200 });
  });
});

describe.each(['Deployment', 'StatefulSet', 'ReplicaSet'] as const)(
  'the size of a %s of the live generation',
  (kind) => {
    it('goes up and down, and not to zero', async () => {
      const object = await make(kind);
      for (const replicas of [3, 1, 2]) {
        await expectStatus(200, patch(object, { spec: { replicas } }));
        await expectStatus(200, scale(object, replicas + 1));
      }
      await expectStatus(200, scale(object, 2));
      const { policy, text } = await refusal(patch(object, { spec: { replicas: 0 } }));
      expect(policy).toBe('workload');
      expect(text).toContain(`${kind} ${namespace}/${object.metadata.name} cannot be scaled to zero: it belongs to`);
      await stays(object);
    });

    it('cannot be brought to zero by kubectl scale or an autoscaler, once it is listed', async () => {
      const object = await make(kind);
      const own = await aNamespace(cluster);
      const elsewhere = await cluster.create(aWorkload(kind, { namespace: own, generation: live, replicas: 1 }));
      await list(cluster, own, [{ object: elsewhere, generation: live, platform: site.platform.metadata.name }]);
      const { policy, text } = await refusal(scale(elsewhere, 0));
      expect(policy).toBe('listed');
      expect(text).toContain(
        `${kind} ${own}/${elsewhere.metadata.name} cannot be scaled to zero: it belongs to generation ${live}, which is live on Platform ${site.platform.metadata.name}.`,
      );
      await expectStatus(200, scale(elsewhere, 3));
      await expectStatus(200, scale(elsewhere, 1));

      const anAutoscaler = (minReplicas: number, name: string) => ({
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: uniqueName('hpa'), namespace: own },
        spec: {
          minReplicas,
          maxReplicas: 5,
          scaleTargetRef: { apiVersion: 'apps/v1', kind, name },
          metrics: [
            {
              type: 'External',
              external: { metric: { name: 'queue' }, target: { type: 'Value', value: '1' } },
            },
          ],
        },
      });
      const collection = `/apis/autoscaling/v2/namespaces/${own}/horizontalpodautoscalers`;
      const refused = await refusal(
        cluster.call('admin', 'POST', collection, anAutoscaler(0, elsewhere.metadata.name)),
      );
      expect(refused.text).toContain(
        `cannot have minReplicas 0: it scales ${kind} ${elsewhere.metadata.name}, and it belongs to`,
      );
      const autoscaler = await cluster.create(anAutoscaler(1, elsewhere.metadata.name));
      expect((await refusal(patch(autoscaler, { spec: { minReplicas: 0 } }))).policy).toBe('listed');
      await cluster.create(anAutoscaler(0, 'another'));
      expect(object.metadata.namespace).toBe(namespace);
    });
  },
);

describe('a Deployment of the live generation', () => {
  it('outlives kubectl delete, replace --force and a prune', async () => {
    const object = await make('Deployment');
    const { name } = object.metadata;
    const manifest = aWorkload('Deployment', { namespace, generation: live, name });
    const denied = ({ status, stderr }: CommandResult) => {
      expect(status).toBe(1);
      expect(stderr).toContain(`Deployment ${namespace}/${name} cannot be deleted`);
    };
    denied(await kubectl(['delete', 'deployment', '-l', `site=${name}`, '--wait=false']));
    denied(await kubectl(['replace', '--force', '-f', '-'], manifest));
    expect(await kubectl(['apply', '-f', '-'], manifest)).toMatchObject({ status: 0 });
    const another = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: uniqueName('left'), namespace, labels: { site: name } },
    };
    denied(
      await kubectl(
        ['apply', '--prune', '-l', `site=${name}`, '--prune-allowlist=apps/v1/Deployment', '-f', '-'],
        another,
      ),
    );
    await stays(object);
  });

  it('outlives the owner that it was given', async () => {
    const owner = await cluster.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: uniqueName('owner'), namespace },
    });
    const ownerReferences = [
      { apiVersion: 'v1', kind: 'ConfigMap', name: owner.metadata.name, uid: owner.metadata.uid },
    ];
    const object = await make('Deployment');
    const other = await make('Deployment', { generation: 'ga-never' });
    for (const one of [object, other]) await expectStatus(200, patch(one, { metadata: { ownerReferences } }));
    await expectStatus(200, remove(owner));
    await eventually('the garbage collector', async () => (await cluster.get(other)).code === 404, 75_000);
    await stays(object);
  }, 120_000);

  it('stays when its Platform has lost its status or is missing, once it is listed', async () => {
    const own = await aNamespace(cluster);
    const lost = await aSite(cluster, 'live', { without: 'platform' });
    const generation = lost.generation.metadata.name;
    const object = await cluster.create(aWorkload('Deployment', { namespace: own, generation }));
    await list(cluster, own, [{ object, generation, platform: lost.platform.metadata.name }]);
    expect(await refusal(remove(object))).toMatchObject({ policy: 'listed' });
    expect((await refusal(patch(object, templateOf({ label: 'x' })))).policy).toBe('listed');
    const restored = await cluster.create(aPlatform(uniqueName('pa')));
    const platform = restored.metadata.name;
    const unknown = await make('Deployment', { generation: 'ga-unknown', platform });
    const { text } = await refusal(remove(unknown));
    expect(text).toContain(`Platform ${platform} does not say yet which generations it protects`);
  });

  it('is rolled out and back, its ReplicaSets coming and going', async () => {
    const object = await make('Deployment', { replicas: 1 });
    await expectStatus(200, patch(object, { spec: { revisionHistoryLimit: 0 } }));
    const selector = `labelSelector=app=${object.metadata.name}`;
    const items = async (kind: string) => {
      const path = pathOf({ kind, metadata: { namespace, name: '' } }).slice(0, -1);
      return ((await cluster.call('admin', 'GET', `${path}?${selector}`)).body as KubeObject).items as KubeObject[];
    };
    // No kubelet is here.
    const ready = { conditions: [{ type: 'Ready', status: 'True' }] };
    const rolledOut = (image: string) =>
      eventually(`${image} to be rolled out`, async () => {
        for (const pod of await items('Pod')) await patch({ ...pod, kind: 'Pod' }, { status: ready }, '/status');
        const sets = await items('ReplicaSet');
        return sets.length === 1 && sets[0].spec.template.spec.containers[0].image === image;
      });
    await rolledOut('example.com/web:1');
    for (const image of ['example.com/web:2', 'example.com/web:1']) {
      await expectStatus(200, patch(object, templateOf({ image })));
      await rolledOut(image);
    }
    const [set] = await items('ReplicaSet');
    await expectStatus(200, remove({ ...set, kind: 'ReplicaSet' }));
    await eventually('another ReplicaSet', async () => {
      const [now] = await items('ReplicaSet');
      return now !== undefined && now.metadata.uid !== set.metadata.uid;
    });
  });

  it('goes when its generation is retired', async () => {
    const other = await aSite(cluster, 'retained');
    const generation = other.generation.metadata.name;
    const object = await make('Deployment', { generation });
    expect((await refusal(remove(object))).text).toContain('protects for a cutover or a rollback');
    await cluster.status(other.generation, { retiredTime: NOON, retiredBy: { name: 'to-next', uid: 'c00' } });
    await cluster.status(other.platform, { protected: [] });
    await eventually('the policies to see it', async () => (await remove(object)).status === 200);
  });

  it('names what may have been meant', async () => {
    const other = await aSite(cluster, 'live');
    await cluster.status(other.platform, { neverLive: ['ga-half'] });
    const object = await make('Deployment', { generation: other.generation.metadata.name });
    await eventually('the policies to see it', async () =>
      (await refusal(remove(object))).text.endsWith(
        'If you meant a workload of ga-half, which never was live: those can be deleted at any time',
      ),
    );
  });
});

describe('a workload of a generation that never was live, or of none', () => {
  it.each(WORKLOADS)('can be emptied, moved and deleted: %s', async (kind) => {
    const half = await cluster.create(aGeneration(uniqueName('ga'), site.platform.metadata.name));
    for (const generation of [half.metadata.name, undefined]) {
      const object = await make(kind, { generation });
      if (kind !== 'DaemonSet') await expectStatus(200, scale(object, 0));
      if (kind !== 'DaemonSet') await expectStatus(200, patch(object, { spec: { replicas: 0 } }));
      await expectStatus(200, patch(object, templateOf({ nodeSelector: 'ga-other' })));
      await expectStatus(200, remove(object));
    }
  });
});

describe('a workload of a Singleton role', () => {
  it('is left alone unless it is labelled protected', async () => {
    const platform = await cluster.create({
      ...aPlatform(uniqueName('pa')),
      spec: { className: 'aws', roles: [{ name: 'web' }, { name: 'always-on', handover: 'Singleton' }] },
      status: { protected: ['blue'], live: { name: 'blue', uid: 'b00', time: NOON } },
    });
    const of = { platform: platform.metadata.name, generation: 'blue' };
    const task = aWorkload('StatefulSet', { namespace, ...of, role: 'always-on', replicas: 1 });
    const web = await make('StatefulSet', { ...of, role: 'web' });
    await eventually('the policies to see it', async () => (await remove(web, 'dryRun=All')).status === 403);
    await expectStatus(200, remove(await cluster.create(task)));
    const labels = { 'generations.dev/protected': 'true' };
    const marked = await cluster.create({ ...task, metadata: { ...task.metadata, name: uniqueName('task'), labels } });
    expect((await refusal(remove(marked))).policy).toBe('marked');
  });
});

describe('the label generations.dev/protected', () => {
  const labels = { 'generations.dev/protected': 'true' };

  it.each(WORKLOADS)('guards any %s', async (kind) => {
    const object = await make(kind, { generation: undefined, labels });
    const { name } = object.metadata;
    expect(await refusal(remove(object))).toEqual({
      policy: 'marked',
      text: `${kind} ${namespace}/${name} cannot be deleted: it is protected (label generations.dev/protected). People have protected it by hand. If that is meant, first: kubectl annotate ${kind.toLowerCase()}s -n ${namespace} ${name} generations.dev/unprotect=${name}`,
    });
    if (kind !== 'DaemonSet')
      expect((await refusal(patch(object, { spec: { replicas: 0 } }))).text).toContain('cannot be scaled to zero');
    expect((await refusal(patch(object, templateOf({ nodeSelector: 'x' })))).text).toContain('cannot be moved');
    const unlabel = { metadata: { labels: { 'generations.dev/protected': null } } };
    expect((await refusal(patch(object, unlabel))).text).toContain('Label generations.dev/protected of');
    const through = await patch(object, unlabel, '/status');
    if (through.status < 300) expect((await cluster.get(object)).metadata.labels).toMatchObject(labels);
    else expect(denialOf(through).policy).toBe('marked');
    await expectStatus(200, patch(object, { metadata: { annotations: { 'generations.dev/unprotect': name } } }));
    await expectStatus(200, patch(object, unlabel));
    await expectStatus(200, remove(object));
  });

  it('is refused by name on what is no workload', async () => {
    const name = uniqueName('it');
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels } };
    const answer = cluster.call('admin', 'POST', `/api/v1/namespaces/${namespace}/configmaps`, object);
    expect((await refusal(answer)).text).toBe(
      `ConfigMap ${namespace}/${name} cannot be protected by the label generations.dev/protected: it guards Namespaces, Deployments, StatefulSets, DaemonSets and ReplicaSets. Remove the label`,
    );
    const plain = await cluster.create({ ...object, metadata: { name, namespace } });
    expect((await refusal(patch(plain, { metadata: { labels } }))).policy).toBe('marked');
  });

  it('on a template keeps no pod from starting', async () => {
    const workload = aWorkload('Deployment', { namespace, replicas: 1 });
    Object.assign(workload.spec.template.metadata.labels, labels);
    const object = await cluster.create(workload);
    const pods = `/api/v1/namespaces/${namespace}/pods?labelSelector=app=${object.metadata.name}`;
    await eventually(
      'its pod',
      async () => ((await cluster.call('admin', 'GET', pods)).body as KubeObject).items.length === 1,
    );
  });
});

describe('a namespace with guarded workloads', () => {
  it('cannot be deleted, nor its list changed by others than the operator', async () => {
    const own = await aNamespace(cluster);
    const object = await cluster.create(aWorkload('Deployment', { namespace: own }));
    const it = namespaceCalled(own);
    await list(cluster, own, [{ object }]);
    expect((await refusal(remove(it))).text).toContain(
      `Namespace ${own} cannot be deleted: workloads of live generations, or labelled generations.dev/protected, are in it: deployments/${object.metadata.name}. If`,
    );
    const unlist = { metadata: { annotations: { 'generations.dev/workloads': null } } };
    for (const subresource of ['', '/status'])
      expect((await refusal(patch(it, unlist, subresource))).text).toContain(
        'is written by the operator, not by admin',
      );
    await expectStatus(200, patch(it, { metadata: { annotations: { 'generations.dev/unprotect': own } } }));
    await expectStatus(200, patch(it, unlist));
    await expectStatus(200, remove(it));
  });
});
