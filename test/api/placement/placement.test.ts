import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { waitFor } from '../../../local/wait.ts';
import { JOB_FINALIZER } from '../../../src/api/v1alpha1/index.ts';
import { taskCensusOf } from '../../../src/controllers/placement/census.ts';
import { hasEnded, isGated } from '../../../src/domain/tasks.ts';
import { platforms } from '../../../src/kinds.ts';
import { type Pod, pods } from '../../../src/kube/resources.ts';
import { type Site, startSite } from './site.ts';
import { aCronJob, aDeployment, aJob, aPod, aStatefulSet, aTemplate, namespace } from './workloads.ts';

/**
 * Pods of Follow and Singleton roles on a real API server, with the real controllers, scheduler and simulated kubelets. Each test has a
 * platform, a namespace and Nodes of its own, named alike.
 */
jest.setTimeout(60_000);

let site: Site;
beforeAll(async () => {
  site = await startSite();
}, 150_000);
afterAll(() => site?.stop());

const GENERATION = 'generations.dev/generation';
const PLACEMENT = 'generations.dev/placement';
/** A kubelet that does not answer. */
const NEVER = '24h';
const always = { name: 'always-on', handover: 'Singleton', quiesce: 'AllFirst' };
const timed = { name: 'timed', handover: 'Follow' };

/** A platform of that name with both roles, live on `<name>-blue` unless told ('': on nothing), and a Node each of blue and green. */
async function aPlatform(name: string, { live = `${name}-blue`, roles = [always, timed] as object[] } = {}) {
  await site.apply(namespace(name));
  for (const generation of [`${name}-blue`, `${name}-green`]) await site.addNode(generation, name, generation);
  await site.addPlatform(name, roles, live || undefined);
}

/** Moves the live pointer as a cutover does. */
const golive = (platform: string, generation: string) =>
  site.status(platform, {
    protected: [`${platform}-blue`, `${platform}-green`],
    live: { name: generation, uid: `uid-${generation}`, time: '2026-01-02T00:00:00Z' },
  });

const isRunningOn = (generation: string) => (all: Pod[]) =>
  all.length === 1 &&
  all.every(
    ({ spec, status, metadata }) =>
      spec?.nodeName === generation && status?.phase === 'Running' && metadata.deletionTimestamp === undefined,
  );
const held = ({ metadata }: Pod) => metadata.finalizers?.includes(PLACEMENT) ?? false;
const mayRun = (pod: Pod) => !isGated(pod) && !hasEnded(pod, false);

/** Pods of an app as they come and go; how many of them could run at the same time, at most. */
function overlap(platform: string, app: string) {
  let most = 0;
  return {
    most: () => most,
    until: (what: string, wish: (all: Pod[]) => boolean, limitMs?: number) =>
      site.until(
        platform,
        app,
        what,
        (all) => {
          most = Math.max(most, all.filter(mayRun).length);
          return wish(all);
        },
        limitMs,
      ),
  };
}

/** kubectl as admin; throws what it said when it failed. */
async function kubectl(...args: string[]): Promise<void> {
  const { status, stderr } = await site.people.kubectl('admin', args);
  if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
}

async function patch(path: string, body: object): Promise<void> {
  const { status, body: answer } = await site.call('admin', 'PATCH', path, body);
  if (status !== 200) throw new Error(`${status} to PATCH ${path}: ${JSON.stringify(answer)}`);
}

const messageOf = ({ status, body }: { status: number; body: unknown }) =>
  status < 300 ? `allowed with ${status}` : (body as { message: string }).message;

describe('pods of Follow and Singleton roles', () => {
  it('wait at a gate, whatever makes them, and start where the platform goes live', async () => {
    await aPlatform('gated', { live: '' });
    const of = (name: string, role = 'always-on') => ({ platform: 'gated', role, name });
    const pinned = { ...of('deployment'), nodeSelector: { [GENERATION]: 'gated-green', 'kubernetes.io/os': 'linux' } };
    await site.apply(
      aDeployment({ ...pinned, nodeSelector: { [GENERATION]: 'gated-green' } }),
      aStatefulSet(of('set')),
      aJob(of('job')),
      aCronJob(of('cron')),
      aDeployment(of('follows', 'timed')),
    );
    await kubectl('create', 'job', '-n', 'gated', '--from=cronjob/cron', 'cron-29000001');
    for (const app of ['deployment', 'set', 'job', 'cron', 'follows']) {
      const [pod] = await site.until('gated', app, 'to be there', (all) => all.length === 1);
      expect([app, isGated(pod!), held(pod!)]).toEqual([app, true, app !== 'follows']);
      expect(pod!.spec?.nodeSelector?.[GENERATION]).toBeUndefined();
    }

    await golive('gated', 'gated-blue');
    for (const app of ['deployment', 'set', 'follows']) {
      const [pod] = await site.until('gated', app, 'to run on blue', isRunningOn('gated-blue'));
      expect(pod!.metadata.labels).toMatchObject({
        [GENERATION]: 'gated-blue',
        'generations.dev/task': expect.any(String),
      });
    }
    for (const app of ['job', 'cron'])
      await site.until(
        'gated',
        app,
        'to be complete and let go',
        ([pod]) => pod?.status?.phase === 'Succeeded' && !held(pod),
      );
    const [singleton] = await site.until('gated', 'set', 'to say on which machine it is', ([pod]) =>
      Boolean(pod?.metadata.annotations?.['generations.dev/machine']),
    );
    expect(singleton!.metadata.annotations?.['generations.dev/machine']).toBe('aws:///us-east-1a/i-gated-blue');
  });

  it('never overlap when a person restarts one', async () => {
    await aPlatform('restarted');
    await site.apply(aDeployment({ platform: 'restarted', role: 'always-on', name: 'task', stopsAfter: '1s' }));
    const watched = overlap('restarted', 'task');
    const [first] = await watched.until('to run', isRunningOn('restarted-blue'));
    await kubectl('delete', 'pod', '-n', 'restarted', '--wait=false', first!.metadata.name);
    // Kubernetes makes the replacement at once: only the gate keeps it from running beside the old one.
    await watched.until(
      'a replacement that waits beside the old one',
      (all) => all.length === 2 && all.filter(isGated).length === 1,
    );
    const [second] = await watched.until('the replacement to run alone', isRunningOn('restarted-blue'));
    expect(second!.metadata.uid).not.toBe(first!.metadata.uid);
    expect(watched.most()).toBe(1);
  });

  it('are kept when they are deleted by force, until their machine is known to be off', async () => {
    await aPlatform('lost');
    await site.addNode('lost-blue-2', 'lost', 'lost-blue');
    await site.apply(aDeployment({ platform: 'lost', role: 'always-on', name: 'task', stopsAfter: NEVER }));
    const watched = overlap('lost', 'task');
    const [pod] = await watched.until(
      'to run, with its machine on record',
      ([one]) => one?.status?.phase === 'Running' && Boolean(one.metadata.annotations?.['generations.dev/machine']),
    );
    const node = pod!.spec!.nodeName!;
    await kubectl('delete', 'pod', '-n', 'lost', '--force', '--wait=false', pod!.metadata.name);
    await watched.until(
      'the old one and a gated replacement',
      (all) => all.length === 2 && all.filter(isGated).length === 1,
    );
    await site.silence(node);
    await site.forget(node);
    // What the controller manager writes some 47 s after that. It is no proof.
    const condition = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC', message: 'tested' };
    const path = `/api/v1/namespaces/lost/pods/${pod!.metadata.name}/status`;
    await patch(path, { status: { phase: 'Failed', conditions: [condition] } });
    const census = await taskCensusOf(site.context, await site.client.get(platforms, 'lost'));
    expect(census[0]).toMatchObject({ role: 'always-on', total: 1, waiting: 1, running: 1 });
    expect(census[0]!.unreachable).toMatch(
      /Node lost-blue\S* does not answer, and aws:\/\/\/us-east-1a\/i-lost-blue\S* is not known to be off/,
    );
    expect(census[0]!.trouble).toBe(census[0]!.unreachable);

    site.machines.set(`i-${node}`, 'shutting-down');
    const before = site.asked();
    await watched.until('nothing to change though the cloud was asked', (all) => {
      expect(all).toHaveLength(2);
      return site.asked() >= before + 2;
    });
    expect([...site.told].join()).toContain(`Tasks on Node ${node} may still run, so no other copies are started`);
    site.machines.set(`i-${node}`, 'terminated');
    const other = node === 'lost-blue' ? 'lost-blue-2' : 'lost-blue';
    await watched.until('the replacement to run on the other machine', isRunningOn(other));
    expect(watched.most()).toBe(1);
  });

  it('that ended before their containers began make room when their kubelet says so, and nobody else', async () => {
    await aPlatform('early');
    await site.apply(aDeployment({ platform: 'early', role: 'always-on', name: 'task', stopsAfter: NEVER }));
    const [pod] = await site.until('early', 'task', 'to run', isRunningOn('early-blue'));
    const { name, uid } = pod!.metadata;
    await kubectl('delete', 'pod', '-n', 'early', '--wait=false', name);
    const state = { waiting: { reason: 'PodInitializing' } };
    const containerStatuses = [{ name: 'main', image: 'a', imageID: '', ready: false, restartCount: 0, state }];
    const report = async (manager: string, phase: string) => {
      await patch(`/api/v1/namespaces/early/pods/${name}/status?fieldManager=${manager}`, {
        status: { phase, containerStatuses },
      });
      return site.client.get(pods, name, { namespace: 'early' });
    };
    await report('kubelet', 'Pending');
    expect(hasEnded(await report('kube-controller-manager', 'Failed'), false)).toBe(false);
    await report('kubelet', 'Pending');
    await report('kubelet', 'Failed');
    const [next] = await site.until('early', 'task', 'the next one to run', isRunningOn('early-blue'));
    expect(next!.metadata.uid).not.toBe(uid);
  });

  it('are freed from a machine that is stopped while nobody has deleted them', async () => {
    await aPlatform('stopped');
    await site.addNode('stopped-blue-2', 'stopped', 'stopped-blue');
    await site.apply(aStatefulSet({ platform: 'stopped', role: 'always-on', name: 'task', stopsAfter: NEVER }));
    const [pod] = await site.until('stopped', 'task', 'to run', ([one]) => one?.status?.phase === 'Running');
    const node = pod!.spec!.nodeName!;
    site.machines.set(`i-${node}`, 'stopped');
    await site.silence(node);
    const other = node === 'stopped-blue' ? 'stopped-blue-2' : 'stopped-blue';
    await site.until('stopped', 'task', 'to run on the other machine', isRunningOn(other));
  });

  it('move when another generation becomes live, one copy at a time', async () => {
    await aPlatform('moved');
    await site.apply(
      aDeployment({ platform: 'moved', role: 'always-on', name: 'single', stopsAfter: '300ms' }),
      aDeployment({ platform: 'moved', role: 'timed', name: 'follow', stopsAfter: '300ms', replicas: 3 }),
    );
    const watched = overlap('moved', 'single');
    await watched.until('to run on blue', isRunningOn('moved-blue'));
    const generationsOf = (all: Pod[]) =>
      new Set(all.filter(mayRun).map(({ spec }) => spec?.nodeSelector?.[GENERATION]));
    await site.until('moved', 'follow', 'to run on blue', (all) => all.filter(mayRun).length === 3);
    await golive('moved', 'moved-green');
    let mixed = 0;
    await site.until('moved', 'follow', 'all three to run on green', (all) => {
      if (generationsOf(all).size > 1) mixed++;
      const running = all.filter(
        (pod) => mayRun(pod) && pod.spec?.nodeName === 'moved-green' && pod.status?.phase === 'Running',
      );
      return all.length === 3 && running.length === 3;
    });
    await watched.until('to run on green', isRunningOn('moved-green'));
    expect({ most: watched.most(), mixed }).toEqual({ most: 1, mixed: 0 });
    const census = await taskCensusOf(site.context, await site.client.get(platforms, 'moved'));
    expect(census).toMatchObject([
      {
        role: 'always-on',
        total: 1,
        waiting: 0,
        starting: 0,
        running: 1,
        on: { 'moved-green': 1 },
        startsPerSecond: 20,
      },
      { role: 'timed', total: 1, waiting: 0, starting: 0, running: 3, on: { 'moved-green': 3 } },
    ]);
  });

  it('are held back while a cutover says so, and those of an AllFirst role are ended', async () => {
    const waves = { name: 'waves', handover: 'Singleton', quiesce: 'Waves' };
    await aPlatform('quiet', { roles: [always, waves] });
    await site.apply(
      aDeployment({ platform: 'quiet', role: 'always-on', name: 'first' }),
      aDeployment({ platform: 'quiet', role: 'waves', name: 'later' }),
    );
    await site.until('quiet', 'first', 'to run', isRunningOn('quiet-blue'));
    const [later] = await site.until('quiet', 'later', 'to run', isRunningOn('quiet-blue'));
    const cutover = { name: 'to-green', uid: 'uid-to-green' };
    const quiesced = { cutover, stop: ['always-on'], time: '2026-01-02T00:00:00Z' };
    await site.status('quiet', { cutover, quiesced });
    await site.until('quiet', 'first', 'to be ended, and gated', (all) => all.length === 1 && all.every(isGated));
    expect((await site.podsOf('quiet', 'later')).map(({ metadata }) => metadata.uid)).toEqual([later!.metadata.uid]);

    await site.status('quiet', {
      quiesced: undefined,
      protected: ['quiet-blue', 'quiet-green'],
      live: { name: 'quiet-green', uid: 'uid-quiet-green', time: '2026-01-02T00:00:00Z' },
    });
    await site.until('quiet', 'first', 'to run on green', isRunningOn('quiet-green'));
    await site.until('quiet', 'later', 'to run on green', isRunningOn('quiet-green'));
  });

  it('start without the operator where singletonAdmission is Open', async () => {
    await aPlatform('open');
    const path = '/apis/generations.dev/v1alpha1/platforms/open';
    await patch(path, { spec: { singletonAdmission: 'Open' } });
    const pod = aPod({
      platform: 'open',
      role: 'always-on',
      name: 'task',
      nodeSelector: { [GENERATION]: 'open-green' },
    });
    // A dry run shows what admission alone makes of it. The API server's copy of the Platform may be behind.
    const admitted = await waitFor('a pod to be admitted to blue', { limitMs: 10_000 }, async () => {
      const { body } = await site.call('admin', 'POST', '/api/v1/namespaces/open/pods?dryRun=All', pod);
      const answer = body as Pod;
      return answer.spec?.nodeSelector?.[GENERATION] === 'open-blue' ? answer : undefined;
    });
    expect(isGated(admitted)).toBe(false);
    expect(admitted.metadata.finalizers).toBeUndefined();
    await site.apply(aDeployment({ platform: 'open', role: 'always-on', name: 'task' }));
    await site.until('open', 'task', 'to run on blue', isRunningOn('open-blue'));
    await patch(path, { spec: { singletonAdmission: 'Gated' } });
    await site.until('open', 'task', 'to be held from now on', ([one]) => one !== undefined && held(one));
  });
});

describe('the policies around them', () => {
  const podPath = '/api/v1/namespaces/guarded/pods';
  const act = async (method: 'PATCH' | 'POST', path: string, body: object, type?: string) =>
    messageOf(await site.call('alice', method, `${path}?dryRun=All`, body, type));

  beforeAll(async () => {
    await aPlatform('guarded');
    await site.status('guarded', {
      cutover: { name: 'held', uid: 'u' },
      quiesced: { cutover: { name: 'held', uid: 'u' }, stop: [], time: '2026-01-02T00:00:00Z' },
    });
    await site.apply(aPod({ platform: 'guarded', role: 'always-on', name: 'gated' }), {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'foreign', namespace: 'guarded' },
      spec: aTemplate({ platform: '', role: '', name: '' }).spec,
    });
  }, 60_000);

  const json = 'application/json-patch+json';
  const gateless = [{ op: 'remove', path: '/spec/schedulingGates' }];
  const metadata = (change: object) => ({ metadata: change });

  it.each<[what: string, body: object, type: string | undefined, says: RegExp]>([
    [
      'lift the gate',
      gateless,
      json,
      /gate generations.dev\/placement of Pod guarded\/gated is lifted by the operator, not by alice@example.com/,
    ],
    [
      'choose a generation',
      { spec: { nodeSelector: { [GENERATION]: 'guarded-blue' } } },
      undefined,
      /nodeSelector generations.dev\/generation of Pod guarded\/gated is set by the operator/,
    ],
    [
      'remove the finalizer',
      metadata({ finalizers: null }),
      undefined,
      /finalizer generations.dev\/placement of Pod guarded\/gated cannot be removed by alice@example.com/,
    ],
    [
      'hide it from the operator',
      metadata({ labels: { 'generations.dev/role': null } }),
      undefined,
      /Label generations.dev\/role of Pod guarded\/gated cannot be set by alice/,
    ],
    [
      'make it another task',
      metadata({ labels: { 'generations.dev/task': 'x' } }),
      undefined,
      /Label generations.dev\/task of Pod guarded\/gated cannot be set/,
    ],
    [
      'say that it is elsewhere',
      metadata({ annotations: { 'generations.dev/machine': 'i-1' } }),
      undefined,
      /Annotation generations.dev\/machine of Pod guarded\/gated is set by the operator/,
    ],
  ])('do not let people %s', async (_, body, type, says) => {
    expect(await act('PATCH', `${podPath}/gated`, body, type)).toMatch(says);
  });

  it('do not let people remove the finalizer through the status', async () => {
    expect(await act('PATCH', `${podPath}/gated/status`, metadata({ finalizers: null }))).toMatch(
      /cannot be removed by alice/,
    );
  });

  it('let an administrator break the glass', async () => {
    const { status } = await site.call('admin', 'PATCH', `${podPath}/gated?dryRun=All`, gateless, json);
    expect(status).toBe(200);
  });

  it('refuse pods for which no Platform has the role, and pods that choose their Node', async () => {
    const create = (workload: Partial<Parameters<typeof aPod>[0]>, spec: object = {}) => {
      const pod = aPod({ platform: 'guarded', role: 'always-on', name: 'new', ...workload });
      const object = { ...pod, metadata: { ...pod.metadata, namespace: 'guarded' }, spec: { ...pod.spec, ...spec } };
      return act('POST', podPath, object);
    };
    expect(await create({})).toBe('allowed with 201');
    expect(await create({ platform: 'absent' })).toMatch(
      /Pod guarded\/new cannot be created: Platform absent has not said to which generation pods of role always-on belong/,
    );
    expect(await create({ role: 'alwayson' })).toMatch(
      /Platform guarded has not said to which generation pods of role alwayson belong/,
    );
    expect(await create({}, { nodeName: 'guarded-blue' })).toMatch(
      /cannot be created on Node guarded-blue: role always-on of Platform guarded is Singleton/,
    );
    expect(await create({ labels: { 'generations.dev/task': 'x' } })).toMatch(/Label generations.dev\/task/);
    // A workload that each generation has of its own.
    expect(await create({ role: 'web', nodeSelector: { [GENERATION]: 'guarded-blue' } })).toBe('allowed with 201');
  });

  it('refuse Deployments of singletons that would wait for ever', async () => {
    const create = (role: string, spec: object) => {
      const { spec: usual, ...rest } = aDeployment({ platform: 'guarded', role, name: 'new' });
      return act('POST', '/apis/apps/v1/namespaces/guarded/deployments', { ...rest, spec: { ...usual, ...spec } });
    };
    expect(await create('always-on', {})).toBe('allowed with 201');
    expect(await create('always-on', { replicas: 2 })).toMatch(
      /Deployment guarded\/new must have 0 or 1 replicas, not 2: role always-on of Platform guarded is Singleton/,
    );
    expect(await create('always-on', { strategy: { type: 'RollingUpdate' } })).toMatch(
      /Deployment guarded\/new must have strategy Recreate/,
    );
    expect(await create('timed', { replicas: 2, strategy: { type: 'RollingUpdate' } })).toBe('allowed with 201');
  });

  it('hold even the operator to what the Platform says', async () => {
    const lift = (generation: string) =>
      site.client
        .patch(
          pods,
          'gated',
          {
            spec: {
              schedulingGates: [{ $patch: 'delete', name: PLACEMENT }],
              nodeSelector: { [GENERATION]: generation },
            },
          },
          { type: 'strategic', namespace: 'guarded', dryRun: true },
        )
        .then(() => 'allowed', String);
    expect(await lift('guarded-blue')).toMatch(
      /Pod guarded\/gated cannot start now: Cutover held holds the pods of Platform guarded/,
    );
    const { status } = await site.call('admin', 'POST', `${podPath}/foreign/eviction?dryRun=All`, {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: 'foreign', namespace: 'guarded' },
    });
    expect(status).toBe(201);
    const change = (about: object) =>
      site.client
        .patch(pods, 'foreign', metadata(about), { type: 'merge', namespace: 'guarded', dryRun: true })
        .then(() => 'allowed', String);
    expect(await change({ labels: { a: 'b' } })).toMatch(/Pod guarded\/foreign belongs to no platform/);
    // A migration's, which it lets go.
    const kept = await site.call('admin', 'PATCH', `${podPath}/foreign`, metadata({ finalizers: [JOB_FINALIZER] }));
    expect(kept.status).toBe(200);
    expect(await change({ finalizers: null })).toBe('allowed');
    const freed = await site.call('admin', 'PATCH', `${podPath}/foreign`, metadata({ finalizers: null }));
    expect(freed.status).toBe(200);
  });
});

it('the controller has failed at nothing meanwhile', () => {
  expect(site.errors).toEqual([]);
});
