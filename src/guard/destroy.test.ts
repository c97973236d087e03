import { describe, expect, it } from '@jest/globals';
import {
  aCloud,
  aCondition,
  aGeneration,
  aMachine,
  anApiServer,
  aPlatform,
  aPool,
  aRefusal,
  aStandby,
  at,
  CLUSTER,
  EPOCH,
  refusal,
} from '../../test/builders/index.ts';
import {
  type ClusterGeneration,
  type GenerationPool,
  LIVE_TIME_TAG,
  type Platform,
  RELEASED_TAG,
} from '../api/v1alpha1/index.ts';
import { tagsOfMachine } from '../domain/identity.ts';
import { clusterGenerations, generationPools, platforms } from '../kinds.ts';
import { manualClock } from '../runtime/clock.ts';
import { silent } from '../runtime/logger.ts';
import { type Interlock, interlock } from './destroy.ts';

/** An interlock over a world in memory, in which pool green.web has `machines` machines. */
async function world(
  options: {
    generation?: ClusterGeneration | null;
    platform?: Platform | null;
    pool?: GenerationPool;
    machines?: number;
    scale?: number;
  } = {},
) {
  const { generation = aGeneration(), platform = aPlatform(), pool = aPool(), machines = 3 } = options;
  const clock = manualClock({ now: EPOCH, scale: options.scale ?? 1 });
  const server = anApiServer(() => clock.now());
  const cloud = aCloud(() => clock.now());
  if (generation) server.seed(clusterGenerations, generation);
  if (platform) server.seed(platforms, platform);
  server.seed(generationPools, pool);
  if (machines > 0)
    await cloud.provider.launch(
      { token: 't', subnet: 'subnet-a', machines, template: pool.spec.template, tags: tagsOfMachine(pool, CLUSTER) },
      'planned',
    );
  cloud.calls.length = 0;
  const state = {
    leaseAge: 0,
    destroyed: 0,
    stopped: 0,
    refused: 0,
    before: (_: string) => {},
    after: (_: string) => {},
  };
  const told = (request: { method: string; resource: { plural: string } }) =>
    `${request.method} ${request.resource.plural}`;
  const guard: Interlock = interlock({
    client: server.client({
      before: (request) => state.before(told(request)),
      after: (request) => state.after(told(request)),
    }),
    clock,
    log: silent,
    cluster: CLUSTER,
    leaseAge: () => state.leaseAge,
    providerOf: async () => cloud.provider,
    destroyerOf: () => cloud.destroyer,
    observer: {
      destroyed: (_, count) => {
        state.destroyed += count;
      },
      stopped: (count) => {
        state.stopped += count;
      },
      refused: () => {
        state.refused++;
      },
    },
  });
  const ids = cloud.machines().map(({ id }) => id);
  return { clock, server, cloud, guard, state, ids, pool: server.read(generationPools, pool.metadata.name)! };
}

const retired = () => aGeneration({ retired: true });
const unguarded = aPlatform({
  status: { destruction: { machines: 30, time: at(0) }, guard: { effective: false, lastProbeTime: at(0), probes: [] } },
});
const full = (machines = 30) => aPlatform({ status: { destruction: { machines, time: at(0) } } });

describe('the interlock, asked to terminate', () => {
  it('ends machines of a generation that was never live at once, without any budget', async () => {
    const { guard, pool, ids, cloud, server, state } = await world({ machines: 35 });
    expect(await guard.terminate(pool, ids, 'a test')).toEqual({ terminated: ids });
    expect(cloud.alive()).toEqual([]);
    expect(server.requests.filter((request) => request.startsWith('PUT'))).toEqual([]);
    expect(state.destroyed).toBe(35);
    // In batches: what is bared is gone soon after.
    expect(
      cloud.calls.filter((call) => call.startsWith('terminate')).map((call) => call.split(' ').length - 1),
    ).toEqual([10, 10, 10, 5]);
    expect(cloud.calls.slice(0, 2)).toEqual(['unprotect i-1', 'unprotect i-2']);
  });

  it('ends those of a generation that was never live whatever the guard is worth: that is what must stay easy', async () => {
    const { guard, pool, ids } = await world({ platform: unguarded });
    expect(await guard.terminate(pool, ids, 'a test')).toEqual({ terminated: ids });
    expect(await guard.deletePool(pool)).toBeUndefined();
  });

  it('does not ask again for what the cloud has accepted and still shows, until it has shown it for too long', async () => {
    const { clock, guard, pool, ids, cloud } = await world({ machines: 2 });
    const seen = cloud.machines();
    await guard.terminate(pool, ids, 'a test');
    cloud.destroyer.describe = async () => seen;
    cloud.calls.length = 0;
    expect(await guard.terminate(pool, ids, 'a test')).toEqual({ terminated: [] });
    expect(cloud.calls).toEqual([]);
    await clock.advance(60_001);
    await guard.terminate(pool, ids, 'a test');
    expect(cloud.calls).toContain(`terminate ${ids.join(' ')}`);
  });

  const held: [string, { generation?: ClusterGeneration | null; platform?: Platform | null }, string][] = [
    [
      'is live',
      { generation: aGeneration({ live: true }), platform: aPlatform({ live: 'green' }) },
      'is the live generation of Platform us',
    ],
    ['is reserved', { generation: aGeneration({ reservedBy: 'to-green' }) }, 'is reserved by Cutover to-green'],
    ['was live and is not retired', { generation: aGeneration({ live: true }) }, 'no Cutover has retired it'],
    [
      'is retired and still listed',
      { generation: retired(), platform: aPlatform({ status: { protected: ['green'] } }) },
      'is in status.protected',
    ],
    [
      'was ever live and the guard is not seen to work',
      { generation: retired(), platform: unguarded },
      'What was ever live is removed only while the guard is seen to work',
    ],
    ['does not exist any more', { generation: null }, 'does not exist any more'],
    [
      'is a namesake',
      { generation: aGeneration({ metadata: { uid: 'another' } }) },
      'with UID uid-green does not exist any more',
    ],
  ];
  it.each(held)('refuses when the generation %s', async (_, objects, why) => {
    const { guard, pool, ids, cloud, state } = await world(objects);
    const result = await guard.terminate(pool, ids, 'a test');
    expect(result.terminated).toEqual([]);
    expect(result.refused).toContain(why);
    expect([cloud.calls, state.refused, state.destroyed]).toEqual([[], 1, 0]);
  });
  it.each(held)('refuses to delete the pool when the generation %s', async (_, objects, why) => {
    const { guard, pool, server, state } = await world(objects);
    expect(await guard.deletePool(pool)).toContain(why);
    expect(server.read(generationPools, 'green.web')?.metadata.deletionTimestamp).toBeUndefined();
    expect(server.requests.filter((request) => request.startsWith('DELETE'))).toEqual([]);
    expect(state.refused).toBe(1);
  });

  it('decides on what is so now, not on what its caller saw (S12)', async () => {
    const { guard, pool, ids, cloud, server } = await world({ generation: retired(), platform: full() });
    server.edit(clusterGenerations, 'green', (generation) => {
      generation.status.reservedBy = { name: 'back-to-green', uid: 'u' };
    });
    const deleting = { ...pool, metadata: { ...pool.metadata, deletionTimestamp: at(0) } };
    expect((await guard.terminate(deleting, ids, 'its pool is being deleted')).refused).toContain(
      'reserved by Cutover back-to-green',
    );
    expect(cloud.calls).toEqual([]);
  });

  it('refuses when the lease is stale: another may lead (S10)', async () => {
    const { guard, pool, ids, cloud, server, state } = await world();
    state.leaseAge = 10_001;
    expect((await guard.terminate(pool, ids, 'a test')).refused).toBe('this process may no longer be the leader');
    expect(await guard.deletePool(pool)).toBe('this process may no longer be the leader');
    expect(cloud.calls).toEqual([]);
    expect(server.read(generationPools, 'green.web')?.metadata.deletionTimestamp).toBeUndefined();
    state.leaseAge = 10_000;
    expect((await guard.terminate(pool, ids, 'a test')).terminated).toEqual(ids);
  });

  it('stops between two calls when the lease goes stale: what is bared stays', async () => {
    const { guard, pool, ids, cloud, state } = await world({ machines: 12 });
    cloud.onCall = (call) => {
      if (call === 'unprotect i-11') state.leaseAge = 20_000;
    };
    const { terminated } = await guard.terminate(pool, ids, 'a test');
    expect(terminated).toEqual(ids.slice(0, 10));
    expect(cloud.alive().map(({ id }) => id)).toEqual(['i-11', 'i-12']);
    expect(cloud.calls).not.toContain('unprotect i-12');
  });

  it('does not terminate what it has bared once the lease is stale', async () => {
    const { guard, pool, ids, cloud, state } = await world();
    cloud.onCall = (call) => {
      if (call === 'unprotect i-3') state.leaseAge = 20_000;
    };
    expect((await guard.terminate(pool, ids, 'a test')).terminated).toEqual([]);
    expect(cloud.alive()).toHaveLength(3);
  });

  it('leaves machines alone whose tags are not this pool’s, and says which (S6)', async () => {
    const { guard, pool, cloud, state } = await world();
    const foreign = aPool({ generation: 'blue' });
    await cloud.provider.launch(
      {
        token: 'f',
        subnet: 'subnet-a',
        machines: 1,
        template: pool.spec.template,
        tags: tagsOfMachine(foreign, CLUSTER),
      },
      'planned',
    );
    await cloud.provider.launch(
      {
        token: 'g',
        subnet: 'subnet-a',
        machines: 1,
        template: pool.spec.template,
        tags: tagsOfMachine(pool, 'uid-other-cluster'),
      },
      'planned',
    );
    const result = await guard.terminate(pool, ['i-1', 'i-4', 'i-5', 'i-unknown'], 'a test');
    expect(result).toEqual({ terminated: ['i-1'], refused: "i-4, i-5 at the cloud do not carry this pool's tags" });
    expect(cloud.alive().map(({ id }) => id)).toEqual(['i-2', 'i-3', 'i-4', 'i-5']);
    expect(state.refused).toBe(1);
  });

  it('does not touch what is dying or dead', async () => {
    const { guard, pool, cloud, clock } = await world();
    cloud.kill('i-1');
    await clock.advance(30_000);
    cloud.kill('i-2');
    cloud.calls.length = 0;
    expect((await guard.terminate(pool, ['i-1', 'i-2', 'i-3'], 'a test')).terminated).toEqual(['i-3']);
    expect(cloud.calls).toEqual(['unprotect i-3', 'terminate i-3']);
  });
});

describe('a failed read leads to no call at the cloud at all (S5)', () => {
  const broken = refusal(500, 'InternalError', 'etcdserver: request timed out');
  it.each(['GET clustergenerations', 'GET platforms'])('of %s', async (what) => {
    const { guard, pool, ids, cloud, state } = await world({ generation: retired(), platform: full() });
    state.before = (request) => {
      if (request === what) throw broken;
    };
    await expect(guard.terminate(pool, ids, 'a test')).rejects.toBe(broken);
    await expect(guard.deletePool(pool)).rejects.toBe(broken);
    expect(cloud.calls).toEqual([]);
  });

  it('of the machines at the cloud', async () => {
    const { guard, pool, ids, cloud } = await world();
    cloud.destroyFate = (call) => {
      if (call === 'describe') throw aRefusal('Unknown');
    };
    await expect(guard.terminate(pool, ids, 'a test')).rejects.toThrow('the cloud says Unknown');
    expect(cloud.calls).toEqual([]);
  });

  it('and an answer without the machines neither', async () => {
    const { guard, pool, cloud } = await world();
    expect(await guard.terminate(pool, ['i-7', 'i-8'], 'a test')).toEqual({ terminated: [] });
    expect(cloud.calls).toEqual([]);
  });
});

describe('the interlock, told that two people override', () => {
  const until = at(600);
  const broken = (changes: { uid?: string; until?: string; release?: boolean } = {}) => {
    const release = changes.release === undefined ? {} : { release: changes.release };
    const ended = changes.until ?? until;
    return {
      generation: aGeneration({ live: true, status: { override: { until: ended, ...release } } }),
      platform: aPlatform({
        live: 'green',
        status: {
          destruction: { machines: 30, time: at(0) },
          override: { generation: 'green', uid: changes.uid ?? 'uid-green', until: ended, ...release },
        },
      }),
    };
  };

  it('ends machines of the live generation, at the pace of the budget', async () => {
    const { guard, pool, ids, server } = await world({ ...broken(), machines: 2 });
    expect((await guard.terminate(pool, ids, 'a test')).terminated).toEqual(ids);
    expect(server.read(platforms, 'us')?.status.destruction?.machines).toBe(28);
  });

  it.each([
    ['is of a namesake', broken({ uid: 'another' }), 'is the live generation'],
    ['is over', broken({ until: at(0) }), 'is the live generation'],
    ['ends later than any right clock would say', broken({ until: at(7200) }), 'is the live generation'],
    ['lets go of the machines', broken({ release: true }), 'are let go, not terminated'],
    ['is half written', { ...broken(), generation: aGeneration({ live: true }) }, 'is the live generation'],
  ])('refuses when the override %s', async (_, objects, why) => {
    const { guard, pool, ids, cloud } = await world(objects);
    expect((await guard.terminate(pool, ids, 'a test')).refused).toContain(why);
    expect(cloud.calls).toEqual([]);
  });

  it('stops between two machines when somebody withdraws it', async () => {
    const { guard, pool, ids, cloud, server, state } = await world({ ...broken(), machines: 3 });
    cloud.destroyFate = (call) => {
      if (call === 'terminate')
        server.edit(platforms, 'us', (platform) => {
          delete platform.status.override;
        });
    };
    const result = await guard.terminate(pool, ids, 'a test');
    expect(result.terminated).toEqual(['i-1']);
    expect(result.refused).toContain('is the live generation');
    expect(cloud.calls).toEqual(['unprotect i-1', 'terminate i-1']);
    expect(state.refused).toBe(1);
  });
});

describe('the interlock, after a restore', () => {
  const frozen = (changes: Parameters<typeof aPlatform>[0] = {}) => {
    const why = { type: 'Consistent', status: 'False' as const, reason: 'UnknownMachines', message: 'strangers' };
    return aPlatform({ ...changes, status: { ...changes?.status, conditions: [aCondition(why)] } });
  };

  it('refuses everything while the platform is frozen, an override or not', async () => {
    const override = { generation: 'green', uid: 'uid-green', until: at(600) };
    const inForce = { live: true, status: { override: { until: at(600) } } };
    for (const objects of [
      { platform: frozen(), generation: aGeneration() },
      { platform: frozen({ status: { override } }), generation: aGeneration(inForce) },
    ]) {
      const { guard, pool, ids, cloud } = await world(objects);
      expect((await guard.terminate(pool, ids, 'a test')).refused).toBe('strangers');
      expect(await guard.deletePool(pool)).toBe('strangers');
      expect(cloud.calls).toEqual([]);
    }
  });

  it('refuses machines of which the cloud says that they went live, unknown to Kubernetes', async () => {
    const { guard, pool, ids, cloud } = await world();
    const seen = cloud
      .machines()
      .map((machine) => ({ ...machine, tags: { ...machine.tags, [LIVE_TIME_TAG]: at(99) } }));
    cloud.destroyer.describe = async () => seen;
    expect((await guard.terminate(pool, ids, 'a test')).refused).toContain(
      'tags say that green (UID uid-green) is live',
    );
    expect(cloud.calls).toEqual([]);
  });

  it('takes machines with a former UID for the pool’s own, paced as what may have been live', async () => {
    const pool = aPool({ spec: { generationUID: 'uid-before' } });
    const generation = aGeneration({ status: { formerUIDs: ['uid-before'] } });
    const { guard, ids, server } = await world({ pool, generation, platform: full() });
    expect((await guard.terminate(aPool(), ids, 'a test')).terminated).toEqual(ids);
    expect(server.read(platforms, 'us')?.status.destruction?.machines).toBe(27);
    const stranger = await world({ pool, platform: full() });
    expect((await stranger.guard.terminate(aPool(), stranger.ids, 'a test')).refused).toContain('do not carry');
  });

  it('leaves alone what was let go', async () => {
    const { guard, pool, ids, cloud } = await world();
    await cloud.provider.tag(ids, { [RELEASED_TAG]: at(1) });
    expect((await guard.terminate(pool, ids, 'a test')).refused).toContain('do not carry this pool');
    expect(cloud.alive()).toHaveLength(3);
  });
});

describe('the interlock, asked to stop', () => {
  const afterwards = (changes: Parameters<typeof aPlatform>[0] = {}) =>
    aPlatform({
      live: 'blue',
      ...changes,
      status: { protected: ['blue', 'green'], destruction: { machines: 30, time: at(0) }, ...changes?.status },
    });
  const standby = async (options: Parameters<typeof world>[0] = {}) => {
    const site = await world({ generation: aStandby(), platform: afterwards(), ...options });
    await site.clock.advance(60_000);
    return site;
  };

  it('stops the machines of a standby one by one, and lifts no more than it must', async () => {
    const { guard, pool, ids, cloud, server, state } = await standby();
    expect(await guard.stop(pool, ids, 'a test')).toEqual({ stopped: ids });
    expect(cloud.calls).toEqual(ids.flatMap((id) => [`allow stop of ${id}`, `stop ${id}`]));
    expect(await cloud.provider.protection('i-1')).toEqual({ termination: true, stop: false });
    expect(cloud.alive().map((machine) => machine.state)).toEqual(['stopping', 'stopping', 'stopping']);
    expect(server.read(platforms, 'us')?.status.destruction?.machines).toBe(27);
    expect([state.stopped, state.destroyed]).toEqual([3, 0]);
  });

  const override = (release: boolean) => ({
    generation: aStandby({ status: { override: { until: at(600), ...(release && { release }) } } }),
    platform: afterwards({
      status: { override: { generation: 'green', uid: 'uid-green', until: at(600), ...(release && { release }) } },
    }),
  });
  const frozen = [aCondition({ type: 'Consistent', status: 'False', reason: 'UnknownMachines', message: 'strangers' })];
  const { protected: _, ...unknown } = afterwards().status;
  it.each<[string, Parameters<typeof world>[0], string]>([
    ['is live', { platform: afterwards({ live: 'green' }) }, 'is the live generation of Platform us'],
    [
      'has the name of the live one',
      { platform: afterwards({ status: { live: { name: 'green', uid: 'another', time: at(0) } } }) },
      'is the live generation',
    ],
    ['is reserved', { generation: aStandby({ reservedBy: 'back-to-green' }) }, 'is reserved by Cutover back-to-green'],
    ['is retired', { generation: aStandby({ retired: true }) }, 'removed, not stopped'],
    [
      'is kept running',
      {
        generation: aStandby({
          status: { retention: { until: at(9000), standby: 'Running', cutover: { name: 'x', uid: 'x' } } },
        }),
      },
      'is not kept as a stopped standby',
    ],
    ['was never left', { generation: aGeneration({ live: true }) }, 'is not kept as a stopped standby'],
    ['was never live', { generation: aGeneration() }, 'is not kept as a stopped standby'],
    ['does not exist any more', { generation: null }, 'does not exist any more'],
    ['is a namesake', { generation: aStandby({ metadata: { uid: 'another' } }) }, 'does not exist any more'],
    ['has no Platform', { platform: null }, 'Platform us does not exist'],
    ['has a frozen Platform', { platform: afterwards({ status: { conditions: frozen } }) }, 'strangers'],
    ['has a Platform that knows nothing yet', { platform: { ...afterwards(), status: unknown } }, 'has not compared'],
    [
      'has a guard that is not seen to work',
      {
        platform: afterwards({
          status: { guard: { effective: false, lastProbeTime: at(0), probes: [] } },
        }),
      },
      'stopped only while the guard is seen to work',
    ],
    ['is to be let go', override(true), 'let go, not stopped'],
  ])('refuses when the generation %s', async (_, objects, why) => {
    const { guard, pool, ids, cloud, state } = await standby(objects);
    const result = await guard.stop(pool, ids, 'a test');
    expect(result.stopped).toEqual([]);
    expect(result.refused).toContain(why);
    expect([cloud.calls, state.refused, state.stopped]).toEqual([[], 1, 0]);
  });

  it('is not asked to stop anything by an override that lets people end machines', async () => {
    const { guard, pool, ids } = await standby({ ...override(false), platform: afterwards({ live: 'green' }) });
    expect((await guard.stop(pool, ids, 'a test')).refused).toContain('is the live generation');
  });

  it('refuses to terminate what it may stop', async () => {
    const { guard, pool, ids, cloud } = await standby();
    expect((await guard.terminate(pool, ids, 'a test')).refused).toContain('no Cutover has retired it');
    expect(cloud.calls).toEqual([]);
  });

  it('refuses when the lease is stale, and stops nothing that it has bared once it is', async () => {
    const { guard, pool, ids, cloud, state } = await standby();
    cloud.onCall = (call) => {
      if (call.startsWith('allow stop')) state.leaseAge = 60_000;
    };
    expect((await guard.stop(pool, ids, 'a test')).stopped).toEqual([]);
    expect(cloud.calls).toEqual(['allow stop of i-1']);
    expect((await guard.stop(pool, ids, 'a test')).refused).toContain('may no longer be the leader');
  });

  it('stops between two machines when a rollback reserves the generation', async () => {
    const { guard, pool, ids, cloud, server } = await standby();
    cloud.onCall = (call) => {
      if (call === 'stop i-1')
        server.edit(clusterGenerations, 'green', (generation) => {
          generation.status.reservedBy = { name: 'back', uid: 'uid-back' };
        });
    };
    const result = await guard.stop(pool, ids, 'a test');
    expect(result).toMatchObject({ stopped: ['i-1'], refused: expect.stringContaining('reserved by Cutover back') });
    expect(cloud.calls).toEqual(['allow stop of i-1', 'stop i-1']);
  });

  it('leaves machines alone that do not run, or are not this pool’s', async () => {
    const { guard, pool, cloud, clock } = await standby();
    await cloud.provider.launch(
      {
        token: 'u',
        subnet: 'subnet-a',
        machines: 1,
        template: pool.spec.template,
        tags: tagsOfMachine(aPool({ generation: 'blue' }), CLUSTER),
      },
      'planned',
    );
    await clock.advance(60_000);
    cloud.halt('i-1');
    cloud.kill('i-2');
    cloud.calls.length = 0;
    const result = await guard.stop(pool, ['i-1', 'i-2', 'i-3', 'i-4'], 'a test');
    expect(result).toMatchObject({
      stopped: ['i-3'],
      refused: expect.stringContaining('i-4 at the cloud do not carry'),
    });
  });

  it('keeps to the pace of the platform, and does not pay twice for what the cloud still shows running', async () => {
    const { guard, pool, ids, cloud, server } = await standby({
      machines: 12,
      platform: afterwards({ status: { destruction: { machines: 2, time: at(60) } } }),
    });
    const seen = cloud.machines();
    cloud.destroyer.describe = async () => seen;
    const first = await guard.stop(pool, ids, 'a test');
    expect(first).toMatchObject({ stopped: ['i-1', 'i-2'], retryAfter: expect.any(Number) });
    expect(server.read(platforms, 'us')?.status.destruction?.machines).toBe(0);
    expect((await guard.stop(pool, ['i-1', 'i-2'], 'a test')).stopped).toEqual([]);
  });

  it('ends a stopped machine later: a stop is not an end', async () => {
    const { guard, pool, ids, cloud, server } = await standby();
    await guard.stop(pool, ids, 'a test');
    server.edit(clusterGenerations, 'green', (generation) => {
      generation.status.retiredTime = at(61);
    });
    server.edit(platforms, 'us', (platform) => {
      platform.status.protected = ['blue'];
    });
    expect((await guard.terminate(pool, ids, 'a test')).terminated).toEqual(ids);
    expect(cloud.alive()).toEqual([]);
  });
});

describe('a generation that an aborted cutover has made one that was never live again', () => {
  it('loses its machines as easily as before: an empty tag says nothing', async () => {
    const { guard, pool, ids, cloud } = await world();
    await cloud.provider.tag(ids, { [LIVE_TIME_TAG]: '' });
    expect((await guard.terminate(pool, ids, 'a test')).terminated).toEqual(ids);
  });
});

describe('the destructive budget of a generation that was ever live (S7)', () => {
  it('is written before the first machine is bared', async () => {
    const { guard, pool, ids, cloud, server } = await world({ generation: retired(), platform: full(2) });
    const order: string[] = [];
    server.subscribe(({ resource, after }) => {
      if (resource.plural === 'platforms') order.push(`budget ${(after as Platform).status.destruction?.machines}`);
    });
    cloud.onCall = (call) => order.push(call);
    expect(await guard.terminate(pool, ids, 'a test')).toEqual({ terminated: ['i-1', 'i-2'], retryAfter: 2000 });
    expect(order).toEqual(['budget 0', 'unprotect i-1', 'terminate i-1', 'unprotect i-2', 'terminate i-2']);
  });

  it('starts empty and refills at the platform’s pace; a new process refills nothing', async () => {
    const { guard, pool, ids, clock } = await world({ generation: retired() });
    const take = async () => (await guard.terminate(pool, ids, 'a test')).terminated;
    expect(await take()).toEqual([]);
    await clock.advance(1_999);
    expect(await take()).toEqual([]);
    await clock.advance(1);
    expect(await take()).toEqual(['i-1']);
    expect(await take()).toEqual([]);
    await clock.advance(4_000);
    expect(await take()).toEqual(['i-2', 'i-3']);
  });

  it('runs at the time scale', async () => {
    const { guard, pool, ids, clock } = await world({ generation: retired(), scale: 60 });
    await guard.terminate(pool, ids, 'a test');
    await clock.advance(100);
    expect((await guard.terminate(pool, ids, 'a test')).terminated).toEqual(ids);
  });

  it('is handed out ten machines at a time, whatever is in it', async () => {
    const { guard, pool, ids } = await world({ generation: retired(), platform: full(), machines: 25 });
    expect(await guard.terminate(pool, ids, 'a test')).toEqual({ terminated: ids.slice(0, 10), retryAfter: 0 });
  });

  it.each([
    ['conflicts', refusal(409, 'Conflict', 'the object has been modified'), { terminated: [], retryAfter: 200 }],
    ['fails', refusal(500, 'InternalError', 'etcd is gone'), undefined],
    ['is refused', refusal(403, 'Forbidden', 'no'), undefined],
  ])('that cannot be written because the write %s touches nothing', async (_, error, result) => {
    const { guard, pool, ids, cloud, state } = await world({ generation: retired(), platform: full() });
    state.before = (request) => {
      if (request === 'PUT platforms') throw error;
    };
    if (result) expect(await guard.terminate(pool, ids, 'a test')).toEqual(result);
    else await expect(guard.terminate(pool, ids, 'a test')).rejects.toBe(error);
    expect(cloud.calls).toEqual([]);
  });

  it('is spent when the answer of its write is lost, and nothing is touched', async () => {
    const { guard, pool, ids, cloud, state, server } = await world({ generation: retired(), platform: full() });
    state.after = (request) => {
      if (request === 'PUT platforms') throw refusal(0, 'Unreachable', 'no answer');
    };
    await expect(guard.terminate(pool, ids, 'a test')).rejects.toThrow('no answer');
    expect(cloud.calls).toEqual([]);
    expect(server.read(platforms, 'us')?.status.destruction?.machines).toBe(27);
  });

  it('stops the act when the live pointer moved between the check and the write', async () => {
    const { guard, pool, ids, cloud, state, server } = await world({ generation: retired(), platform: full() });
    cloud.destroyFate = (call) => {
      if (call === 'describe')
        server.edit(platforms, 'us', (platform) => {
          platform.status.protected = ['green'];
          platform.status.live = { name: 'green', uid: 'uid-green', time: at(9) };
        });
    };
    expect(await guard.terminate(pool, ids, 'a test')).toEqual({ terminated: [], retryAfter: 200 });
    expect([cloud.calls, state.destroyed]).toEqual([[], 0]);
  });

  it('needs a Platform: without one nobody says how fast', async () => {
    const { guard, pool, ids, cloud } = await world({ generation: retired(), platform: null });
    expect(await guard.terminate(pool, ids, 'a test')).toEqual({ terminated: [], retryAfter: 60_000 });
    expect(cloud.calls).toEqual([]);
  });
});

describe('a throttled cloud', () => {
  it('in the middle of baring loses nothing: what is bared is terminated, the rest comes later', async () => {
    const { guard, pool, ids, cloud } = await world({ machines: 5 });
    cloud.destroyFate = (call, [id]) => {
      if (call === 'unprotect' && id === 'i-4') throw aRefusal('Throttled', { retryAfter: 700 });
    };
    expect(await guard.terminate(pool, ids, 'a test')).toEqual({ terminated: ['i-1', 'i-2', 'i-3'], retryAfter: 700 });
    cloud.destroyFate = () => {};
    expect((await guard.terminate(pool, ids, 'a test')).terminated).toEqual(['i-4', 'i-5']);
    expect(cloud.alive()).toEqual([]);
  });

  it('at the termination itself claims nothing (S11)', async () => {
    const { guard, pool, ids, cloud, state } = await world();
    cloud.destroyFate = (call) => {
      if (call === 'terminate') throw aRefusal('Throttled', { retryAfter: 700 });
    };
    expect(await guard.terminate(pool, ids, 'a test')).toEqual({ terminated: [], retryAfter: 700 });
    expect(state.destroyed).toBe(0);
  });

  it('is told from other trouble, which is thrown', async () => {
    const { guard, pool, ids, cloud } = await world();
    cloud.destroyFate = (call, [id]) => {
      if (call === 'unprotect' && id === 'i-2') throw aRefusal('Unauthorized');
    };
    await expect(guard.terminate(pool, ids, 'a test')).rejects.toThrow('the cloud says Unauthorized');
    expect(cloud.calls.filter((call) => call.startsWith('terminate'))).toEqual([]);
  });
});

describe('the interlock, asked to delete a pool', () => {
  it('deletes it with its UID and version as preconditions (S4)', async () => {
    const { guard, pool, server, state } = await world();
    expect(await guard.deletePool(pool)).toBeUndefined();
    expect(server.read(generationPools, 'green.web')?.metadata.deletionTimestamp).toBe(at(0));
    expect(state.destroyed).toBe(1);
  });

  it('fails on a change between its look and the deletion', async () => {
    const { guard, pool, server, state } = await world();
    state.before = (request) => {
      if (request === 'DELETE generationpools')
        server.edit(generationPools, 'green.web', (changed) => {
          changed.spec.machines = 9;
        });
    };
    await expect(guard.deletePool(pool)).rejects.toThrow('the object has been modified');
    expect(server.read(generationPools, 'green.web')?.metadata.deletionTimestamp).toBeUndefined();
  });

  it('has nothing to do for one that is gone, another by that name, or on its way out', async () => {
    const { guard, pool, server } = await world();
    expect(await guard.deletePool({ ...pool, metadata: { ...pool.metadata, name: 'green.none' } })).toBeUndefined();
    expect(await guard.deletePool({ ...pool, metadata: { ...pool.metadata, uid: 'another' } })).toBeUndefined();
    expect(server.requests.filter((request) => request.startsWith('DELETE'))).toEqual([]);
    await guard.deletePool(pool);
    await guard.deletePool(pool);
    expect(server.requests.filter((request) => request.startsWith('DELETE'))).toEqual([
      'DELETE generationpools green.web',
    ]);
  });
});

describe('a machine’s tags', () => {
  it('of the builders are those of the pool', () => {
    expect(aMachine().tags).toEqual(tagsOfMachine(aPool(), CLUSTER));
  });
});
