import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ClusterGeneration, Cutover, Platform } from '../../src/api/v1alpha1/index.ts';
import { aliveOf, machinesOf, mostAlive, mostWithin, poolOf, terminationTimes } from './ledger.ts';
import {
  aClass,
  aCutover,
  aGeneration,
  aPlatform,
  aScenario,
  aWorkload,
  edgeNamespace,
  TRAFFIC,
  wwwService,
} from './objects.ts';
import { condition, has, inStage, renewals, startWorld, versions, type World } from './world.ts';

/** A platform's life from its first cutover to its third generation, at 40 declared seconds in a real one. */

const SCALE = 40;
/** Real ms of a declared minute. */
const MINUTE = 60_000 / SCALE;
const MACHINES_PER_MINUTE = 3;
const RETENTION_MINUTES = 6;

const POOLS = { lb: { role: 'load-balancer', machines: 2 }, web: { machines: 4 } };
const SIZE = 6;

let world: World;

beforeAll(async () => {
  world = await startWorld({ scenario: aScenario(), timeScale: SCALE });
  await world.apply('admin', edgeNamespace, wwwService);
  const platform = {
    traffic: TRAFFIC,
    retention: { standby: 'Running', for: `${RETENTION_MINUTES}m` },
    destructiveBudget: { machinesPerMinute: MACHINES_PER_MINUTE },
  };
  await world.apply('gitops', aClass('local', world.cloud), aPlatform('site', 'local', platform));
}, 120_000);

afterAll(() => world?.stop(), 30_000);

/** Applies a generation with its workload, and waits until it is complete. */
async function staged(name: string): Promise<ClusterGeneration> {
  await world.apply('alice', aGeneration(name, 'site', POOLS));
  await world.apply('admin', aWorkload('site', name, 4));
  return world.until('clustergenerations', name, 'to be staged', has('Ready', 'True'));
}

/** Nodes on which the Service's ready endpoints are. */
async function servingNodes(): Promise<string[]> {
  const slices = (await world.list('endpointslices')).filter(
    ({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === 'www',
  );
  const ready = slices
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false);
  return ready.map(({ nodeName }) => nodeName ?? '(none)');
}

const nodesOf = async (generation: string) =>
  (await world.list('nodes'))
    .filter(({ metadata }) => metadata.labels?.['generations.dev/generation'] === generation)
    .map(({ metadata }) => metadata.name);

/** What Service and addresses show of a generation that is live, and that it is the one that Platform points at. */
async function expectLive(name: string): Promise<void> {
  const { metadata } = (await world.get('clustergenerations', name))!;
  const { status } = (await world.get('platforms', 'site'))!;
  expect(status.live).toMatchObject({ name, uid: metadata.uid });
  expect(status.protected).toContain(name);

  const service = (await world.get('services', 'www'))!;
  expect(service.spec?.selector).toEqual({
    'generations.dev/platform': 'site',
    'generations.dev/role': 'web',
    'generations.dev/generation': name,
  });
  const nodes = await nodesOf(name);
  expect(nodes).toHaveLength(SIZE);
  const serving = await servingNodes();
  expect(serving).not.toEqual([]);
  for (const node of serving) expect(nodes).toContain(node);

  const ledger = await world.ledger();
  const balancers = machinesOf(ledger, name)
    .filter((machine) => poolOf(machine) === `${name}.lb`)
    .map(({ id }) => id);
  const pointed = ledger.addresses.map(({ history }) => history.at(-1)?.instanceId);
  expect(pointed.toSorted()).toEqual(balancers.toSorted());
}

const untouched = async (generation: string) => {
  expect(aliveOf(await world.ledger(), generation).filter(({ stopped }) => !stopped)).toHaveLength(SIZE);
};

describe('the first generation', () => {
  it('goes live by a first cutover', async () => {
    await staged('ga-1');
    await world.apply('alice', aCutover('to-1', 'site', '', 'ga-1'));
    const { status } = await world.until(
      'cutovers',
      'to-1',
      'to succeed',
      ({ status }) => status.outcome === 'Succeeded',
    );
    const inState = (wanted: string) => status.steps?.filter(({ state }) => state === wanted).map(({ name }) => name);
    expect(inState('Done')).toEqual(['Preflight', 'Approve', 'Reserve', 'Switch', 'Point', 'Retain']);
    expect(inState('Skipped')).toEqual(['Hold', 'Quiesce', 'Migrate', 'Verify', 'Release', 'Restore', 'Soak']);
    expect(status.switches?.map(({ target, state }) => [target, state])).toEqual([
      ['www', 'Verified'],
      ['public-ips', 'Verified'],
    ]);
    await world.until('clustergenerations', 'ga-1', 'to be live', inStage('Live'));
    await world.until('platforms', 'site', 'to serve', has('Ready', 'True', 'Serving'));
    await expectLive('ga-1');
  }, 90_000);

  it.each([
    ['object', () => ['cg', 'ga-1'], /ClusterGeneration ga-1 cannot be deleted: it is live and serves Platform site/],
    [
      'delete --all',
      () => ['cg', '--all'],
      /ClusterGeneration ga-1 cannot be deleted: it is live and serves Platform site/,
    ],
    [
      'pool',
      () => ['gpool', 'ga-1.web'],
      /GenerationPool ga-1\.web cannot be deleted: it belongs to generation ga-1, which is live/,
    ],
    [
      'all pools',
      () => ['gpool', '--all'],
      /GenerationPool ga-1\.lb cannot be deleted: it belongs to generation ga-1, which is live/,
    ],
    [
      'node',
      async () => ['node', (await nodesOf('ga-1'))[0]!],
      /Node \S+ cannot be deleted: it belongs to generation ga-1, which is live/,
    ],
    ['all nodes', () => ['node', '--all'], /Node \S+ cannot be deleted: it belongs to generation ga-1, which is live/],
  ])('cannot be deleted by the cluster admin as %s', async (_what, target, message) => {
    const { status, stderr } = await world.kubectl('admin', 'delete', ...(await target()), '--wait=false');
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/To retire it, apply a Cutover/);
    expect(status).toBe(1);
  });

  it('is as it was after all of that', async () => {
    for (const plural of ['clustergenerations', 'generationpools', 'nodes'] as const)
      for (const { metadata } of await world.list(plural)) expect(metadata.deletionTimestamp).toBeUndefined();
    await untouched('ga-1');
    await expectLive('ga-1');
  });
});

describe('the second generation', () => {
  it('comes up beside the live one, which serves all the while', async () => {
    const { status } = await staged('ga-2');
    expect(status).toMatchObject({ stage: 'Staged', machines: { desired: SIZE, ready: SIZE } });
    await untouched('ga-1');
    await expectLive('ga-1');
  }, 60_000);

  it('is not believed to serve before its endpoints are seen', async () => {
    // Whoever writes EndpointSlices sleeps: the Service selects the new pods, and requests still go to the old ones.
    const { pid } = world.environment.controlPlane.processes.find(({ name }) => name === 'kube-controller-manager')!;
    process.kill(pid, 'SIGSTOP');
    try {
      await world.apply('alice', aCutover('to-2', 'site', 'ga-1', 'ga-2'));
      const stateOf = (cutover: Cutover, name: string) =>
        cutover.status.switches?.find(({ target }) => target === name)?.state;
      await world.until(
        'cutovers',
        'to-2',
        'to have moved the addresses',
        (cutover) => stateOf(cutover, 'public-ips') === 'Verified',
      );
      await renewals(world, 2);
      const cutover = (await world.get('cutovers', 'to-2'))!;
      expect(stateOf(cutover, 'www')).toBe('Switched');
      expect(condition(cutover, 'Ready')?.message).toMatch(
        /^EndpointSlices of Service edge\/www show 4 ready endpoints, 4 of them not on machines of ga-2$/,
      );
      expect((await world.get('platforms', 'site'))!.status.live?.name).toBe('ga-1');
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  }, 60_000);

  it('goes live by a cutover that moves Service and addresses once', async () => {
    await world.until('cutovers', 'to-2', 'to succeed', ({ status }) => status.outcome === 'Succeeded');
    await expectLive('ga-2');
    const ledger = await world.ledger();
    const generationOf = (id: string | null) =>
      ledger.machines.find((machine) => machine.id === id)?.tags['generations.dev/generation'];
    for (const { history } of ledger.addresses)
      expect(history.map(({ instanceId, caller }) => [generationOf(instanceId), caller])).toEqual([
        ['ga-1', 'operator'],
        ['ga-2', 'operator'],
      ]);
  }, 60_000);

  it('has the first one kept for a rollback', async () => {
    await world.until('clustergenerations', 'ga-1', 'to be retained', inStage('Retained'));
    const { status } = (await world.get('cutovers', 'to-2'))!;
    expect(Date.parse(status.retainUntil!)).toBeGreaterThan(Date.now());
    const { stderr } = await world.kubectl('alice', 'delete', 'cg', 'ga-1', '--wait=false');
    expect(stderr).toMatch(/its machines are kept for a rollback/);
    await untouched('ga-1');
  });

  it('sees the first one retired by the clock, and its machines go at the declared pace', async () => {
    const { retainUntil } = (await world.get('cutovers', 'to-2'))!.status;
    const retired = await world.until('clustergenerations', 'ga-1', 'to be retired', inStage('Retired'));
    const retiredAt = Date.parse(retired.status.retiredTime!);
    expect(retired.status.retiredBy?.name).toBe('to-2');
    expect(retiredAt).toBeGreaterThanOrEqual(Date.parse(retainUntil!));
    const gone = (pools: { length: number }) => pools.length === 0;
    await world.until('clustergenerations', 'ga-1', 'to have lost its machines', ({ status }) =>
      condition({ status }, 'Ready')!.message.includes('none of its machines is left'),
    );
    expect(gone((await world.list('generationpools')).filter(({ spec }) => spec.generation === 'ga-1'))).toBe(true);

    const times = terminationTimes(machinesOf(await world.ledger(), 'ga-1'));
    expect(times).toHaveLength(SIZE);
    // The budget was empty when the first machine was to go: by each moment no more than it had brought in since.
    times.forEach((time, n) => {
      expect((time - retiredAt) * (MACHINES_PER_MINUTE / MINUTE)).toBeGreaterThanOrEqual(n + 1);
    });
    expect(mostWithin(times, MINUTE)).toBeLessThanOrEqual(MACHINES_PER_MINUTE + 1);
  }, 60_000);

  it('leaves the first one as a record that nothing protects', async () => {
    const platform: Platform = await world.until(
      'platforms',
      'site',
      'to protect the live one only',
      ({ status }) => status.protected?.length === 1,
    );
    expect(platform.status.protected).toEqual(['ga-2']);
    expect((await world.get('clustergenerations', 'ga-1'))?.status.stage).toBe('Retired');
    await untouched('ga-2');
    await expectLive('ga-2');
  });
});

describe('the third generation', () => {
  it('has the second one retired at once when a person says so', async () => {
    await world.apply('gitops', {
      ...aPlatform('site', 'local', {
        traffic: TRAFFIC,
        retention: { standby: 'Running', for: '48h' },
        destructiveBudget: { machinesPerMinute: 2 },
      }),
    });
    await staged('ga-3');
    await world.apply('alice', aCutover('to-3', 'site', 'ga-2', 'ga-3'));
    const { status } = await world.until(
      'cutovers',
      'to-3',
      'to succeed',
      ({ status }) => status.outcome === 'Succeeded',
    );
    // 48 declared hours are 72 real minutes here: the clock does not do it.
    expect(Date.parse(status.retainUntil!) - Date.now()).toBeGreaterThan(3_600_000);
    await world.until('clustergenerations', 'ga-2', 'to be retained', inStage('Retained'));
    await untouched('ga-2');

    await world.apply('alice', aCutover('to-3', 'site', 'ga-2', 'ga-3', { retireNow: true }));
    await world.until('clustergenerations', 'ga-2', 'to have lost its machines', ({ status }) =>
      condition({ status }, 'Ready')!.message.includes('none of its machines is left'),
    );
    const ledger = await world.ledger();
    expect(aliveOf(ledger, 'ga-2')).toEqual([]);
    // A minute's worth may have been saved up, and another came in.
    expect(mostWithin(terminationTimes(machinesOf(ledger, 'ga-2')), MINUTE)).toBeLessThanOrEqual(2 * 2);
    await untouched('ga-3');
    await expectLive('ga-3');
  }, 90_000);

  it.each(['ga-1', 'ga-2'])(
    'lets the retired %s be deleted',
    async (name) => {
      const { status, stderr } = await world.kubectl('alice', 'delete', 'cg', name, '--timeout=30s');
      expect({ status, stderr }).toEqual({
        status: 0,
        stderr: expect.stringMatching(
          RegExp(`^Warning: this deletes the record of ${name}, live from .* retired at .*\n$`),
        ),
      });
      expect(await world.get('clustergenerations', name)).toBeUndefined();
    },
    40_000,
  );

  it('is all that is left, in Kubernetes and at the cloud', async () => {
    const ledger = await world.ledger();
    const alive = ledger.machines.filter(({ terminated }) => !terminated);
    expect(mostAlive(alive)).toEqual({ 'ga-3.lb': 2, 'ga-3.web': 4 });
    const ids = alive.map(({ id }) => id).toSorted();
    const pools = await world.list('generationpools');
    expect(pools.flatMap(({ status }) => (status.instances ?? []).map(({ id }) => id)).toSorted()).toEqual(ids);
    await world.until('platforms', 'site', 'to serve', has('Ready', 'True', 'Serving'));
    expect((await nodesOf('ga-3')).toSorted()).toEqual(alive.map(({ nodeName }) => nodeName).toSorted());
    expect(await world.list('nodes')).toHaveLength(SIZE);
    for (const most of Object.entries(mostAlive(ledger.machines)))
      expect(most[1]).toBe(most[0].endsWith('.lb') ? 2 : 4);
    // Nobody else's hand was in it.
    expect(new Set(ledger.machines.flatMap(({ terminatedBy }) => terminatedBy ?? []))).toEqual(new Set(['operator']));
    expect(ledger.machines.filter(({ stopped }) => stopped)).toEqual([]);
  });

  it('causes no write as long as nothing changes', async () => {
    await renewals(world, 2);
    const before = await versions(world);
    await renewals(world, 2);
    expect(await versions(world)).toEqual(before);
  }, 40_000);

  it('came to this without a status that the ledger contradicts', () => {
    expect(world.falseClaims()).toEqual([]);
  });
});
