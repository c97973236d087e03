import { afterEach, describe, expect, it } from '@jest/globals';
import { LABEL, LIVE_TIME_TAG } from '../../src/api/v1alpha1/index.ts';
import { clusterGenerations, cutovers, generationPools, platforms } from '../../src/kinds.ts';
import { services } from '../../src/kube/resources.ts';
import {
  aCutover,
  aGeneration,
  anAddressTarget,
  aPlatform,
  aPoolSpec,
  aRefusal,
  aServiceTarget,
} from '../builders/index.ts';
import { expectGolden } from './golden.ts';
import { aService, aWorld, type World } from './world.ts';

/** What the operator does over time, as anyone can read it: a change of behaviour is a change of these files. */

let world: World;
afterEach(() => world.operator.crash());

const generation = (name: string, machines = 3) => {
  const { metadata, ...rest } = aGeneration({ name, spec: { pools: [aPoolSpec({ machines })] } });
  const { finalizers: _, ...bare } = metadata;
  return { ...rest, metadata: bare, status: { observedGeneration: -1 } };
};
const site = (changes: Parameters<typeof aPlatform>[0] = {}) =>
  aPlatform({
    ...changes,
    spec: {
      traffic: [aServiceTarget(), anAddressTarget()],
      retention: { standby: 'Running', for: '10m' },
      ...changes?.spec,
    },
  });
const read = {
  generation: (name: string) => world.server.read(clusterGenerations, name),
  cutover: (name: string) => world.server.read(cutovers, name),
  platform: () => world.server.read(platforms, 'us'),
};

/** A site whose generation blue is live, by a cutover. The log starts after that. */
async function withBlueLive(options: Parameters<typeof aWorld>[0] = {}): Promise<void> {
  world = await aWorld(options);
  world.server.seed(services, aService());
  world.cloud.addresses['eipalloc-1'] = '';
  world.cloud.addresses['eipalloc-2'] = '';
  world.apply(site());
  world.apply(generation('blue'));
  await world.run(90);
  world.apply(aCutover({ to: 'blue' }));
  await world.run(30);
}

describe('scenario', () => {
  it('a generation comes up', async () => {
    world = await aWorld({ free: { 'subnet-a': 2, 'subnet-b': 2 } });
    world.apply(site());
    world.apply(generation('green'));
    await world.run(120);
    expect(read.generation('green')?.status).toMatchObject({ stage: 'Staged', machines: { ready: 3 } });
    expectGolden('comes-up', world.log);
  });

  it('a generation does not fit, until another one goes', async () => {
    world = await aWorld({ free: { 'subnet-a': 2, 'subnet-b': 2 } });
    world.apply(site());
    world.apply(generation('half'));
    await world.run(90);
    world.apply(generation('green'));
    await world.run(60);
    expect(world.server.all(generationPools)).toHaveLength(1);
    await world.remove('half');
    await world.run(180);
    expect(read.generation('green')?.status.stage).toBe('Staged');
    expectGolden('does-not-fit', world.log);
  });

  it('a generation is deleted half-started', async () => {
    world = await aWorld();
    world.cloud.launchFate = ({ subnet }) => (subnet === 'subnet-b' ? aRefusal('CapacityUnavailable') : undefined);
    world.apply(site());
    world.apply(generation('green', 4));
    await world.run(40);
    await world.remove('green');
    await world.run(60);
    expect(read.generation('green')).toBeUndefined();
    expect(world.cloud.alive()).toEqual([]);
    expectGolden('deleted-half-started', world.log);
  });

  it('the first cutover', async () => {
    await withBlueLive();
    expect(read.platform()?.status).toMatchObject({ live: { name: 'blue' }, protected: ['blue'] });
    expect(read.cutover('to-blue')?.status.outcome).toBe('Succeeded');
    expectGolden('first-cutover', world.log);
  });

  it('a cutover, to retirement and teardown', async () => {
    await withBlueLive();
    world.log.length = 0;
    world.apply(generation('green'));
    await world.run(90);
    world.apply(aCutover({ from: 'blue', to: 'green' }));
    await world.run(800);
    expect(read.platform()?.status).toMatchObject({ live: { name: 'green' }, protected: ['green'] });
    expect(read.generation('blue')?.status.stage).toBe('Retired');
    expect(world.cloud.alive().map(({ id }) => id)).toEqual(['i-4', 'i-5', 'i-6']);
    expect(world.cloud.addresses).toEqual({ 'eipalloc-1': 'i-4', 'eipalloc-2': 'i-5' });
    expectGolden('cutover', world.log);
  });

  it('a cloud that takes no tags for a while keeps the pointer where it was, and the operator dies over it', async () => {
    await withBlueLive();
    world.apply(generation('green'));
    await world.run(90);
    world.log.length = 0;
    let asked = 0;
    world.cloud.guardFate = (call) => {
      if (call !== 'tag') return;
      asked++;
      if (asked === 1) throw aRefusal('Throttled', { retryAfter: 5_000 });
      if (asked === 2) throw aRefusal('Unauthorized');
    };
    const dies = world.cloud.onCall;
    world.cloud.onCall = (call) => {
      dies(call);
      if (!call.startsWith('tag')) return;
      world.cloud.onCall = dies;
      world.note('the operator dies with the tags set and the pointer not moved');
      world.operator.crash();
    };
    world.apply(aCutover({ from: 'blue', to: 'green' }));
    await world.run(10);
    expect(read.platform()?.status.live?.name).toBe('blue');
    await world.run(20);
    await world.restart();
    await world.run(20);
    const { liveTime } = read.generation('green')!.status;
    expect(read.platform()?.status.live).toMatchObject({ name: 'green', time: liveTime });
    for (const { tags, id } of world.cloud.machines().filter(({ tags }) => tags[LABEL.generation] === 'green'))
      expect([id, tags[LIVE_TIME_TAG]]).toEqual([id, liveTime]);
    expect(asked).toBe(3);
    expectGolden('throttled-tags', world.log);
  });

  it('somebody else changes a target during a cutover', async () => {
    await withBlueLive();
    world.apply(generation('green'));
    await world.run(90);
    world.log.length = 0;
    const stop = world.server.subscribe(({ resource, after }) => {
      if (resource.plural !== 'cutovers' || !(after as ReturnType<typeof aCutover>).status.switches) return;
      stop();
      world.note('somebody points Service www at a maintenance page');
      world.server.edit(services, 'edge/www', (service) => {
        service.spec = { selector: { app: 'maintenance' } };
      });
    });
    world.apply(aCutover({ from: 'blue', to: 'green' }));
    await world.run(60);
    expect(read.platform()?.status.live?.name).toBe('blue');
    expect(world.cloud.addresses['eipalloc-1']).toBe('i-1');
    world.note('somebody sets it back');
    world.server.edit(services, 'edge/www', (service) => {
      service.spec = { selector: read.cutover('to-green')?.status.switches?.[0]?.from ?? {} };
    });
    await world.run(60);
    expect(read.cutover('to-green')?.status.outcome).toBe('Succeeded');
    expectGolden('foreign-change', world.log);
  });

  it('a second cutover waits for the first, and is then superseded', async () => {
    await withBlueLive();
    world.apply(generation('green'));
    await world.run(90);
    world.log.length = 0;
    world.apply(aCutover({ from: 'blue', to: 'missing' }));
    await world.run(5);
    world.apply(
      aCutover({
        from: 'blue',
        to: 'green',
        metadata: { creationTimestamp: new Date(world.clock.now()).toISOString() },
      }),
    );
    await world.run(30);
    expect(read.platform()?.status.live?.name).toBe('blue');
    world.note('somebody deletes Cutover to-missing, which has not begun');
    world.server.edit(cutovers, 'to-missing', (cutover) => {
      cutover.metadata.deletionTimestamp = 'now';
    });
    await world.run(30);
    world.apply(aCutover({ name: 'too-late', from: 'blue', to: 'green' }));
    await world.run(30);
    expect(read.cutover('too-late')?.status.outcome).toBe('Superseded');
    expectGolden('second-cutover', world.log);
  });

  it('the answer of a launch is lost, and the operator dies: no machine too many', async () => {
    world = await aWorld();
    world.cloud.lag = 8_000;
    let answers = 0;
    world.cloud.launchFate = () => {
      if (answers++ > 0) return undefined;
      world.note('the operator dies before the answer');
      world.operator.crash();
      return 'lost';
    };
    world.apply(site());
    world.apply(generation('green'));
    await world.run(1);
    await world.restart();
    await world.run(120);
    expect(world.cloud.machines()).toHaveLength(3);
    expect(read.generation('green')?.status.stage).toBe('Staged');
    expectGolden('lost-answer', world.log);
  });
});

describe('a cutover during which the operator dies', () => {
  /** Runs the plain cutover; the process dies right after its `n`-th write. Returns how many writes there were. */
  async function dyingAfter(n: number): Promise<number> {
    let writes = 0;
    await withBlueLive();
    world.apply(generation('green'));
    await world.run(90);
    let dead = false;
    await world.restart({
      after(request, changed) {
        if (!changed || request.method === 'GET') return;
        if (++writes === n) {
          world.operator.crash();
          dead = true;
        }
      },
    });
    world.apply(aCutover({ from: 'blue', to: 'green' }));
    for (let second = 0; second < 800 && !dead; second++) await world.run(1);
    await world.restart();
    await world.run(dead ? 800 : 10);
    return writes;
  }
  const end = () => ({
    platform: {
      live: read.platform()?.status.live?.name,
      previous: read.platform()?.status.previous?.name,
      protected: read.platform()?.status.protected,
    },
    blue: read.generation('blue')?.status.stage,
    green: { stage: read.generation('green')?.status.stage, reservedBy: read.generation('green')?.status.reservedBy },
    outcome: read.cutover('to-green')?.status.outcome,
    switches: read.cutover('to-green')?.status.switches?.map(({ target, state }) => `${target} ${state}`),
    selector: world.server.read(services, 'edge/www')?.spec?.selector,
    addresses: { ...world.cloud.addresses },
    alive: world.cloud.alive().map(({ id }) => id),
    liveTimes: world.cloud
      .alive()
      .map(({ tags }) => tags[LIVE_TIME_TAG] === read.generation('green')?.status.liveTime)
      .every(Boolean),
  });

  it('ends the same, whichever write was its last', async () => {
    const writes = await dyingAfter(Number.POSITIVE_INFINITY);
    const expected = end();
    expect(expected).toMatchObject({
      outcome: 'Succeeded',
      blue: 'Retired',
      alive: ['i-4', 'i-5', 'i-6'],
      liveTimes: true,
    });
    expect(writes).toBeGreaterThanOrEqual(20);
    for (let n = 1; n <= writes; n++) {
      world.operator.crash();
      await dyingAfter(n);
      expect({ n, ...end() }).toEqual({ n, ...expected });
    }
  }, 120_000);
});
