import { describe, expect, it } from '@jest/globals';
import {
  aCloud,
  aCondition,
  aGeneration,
  anApiServer,
  aPlatform,
  aPool,
  aRefusal,
  at,
  CLUSTER,
  EPOCH,
} from '../../test/builders/index.ts';
import { type ClusterGeneration, LIVE_TIME_TAG, type Platform, RELEASED_TAG } from '../api/v1alpha1/index.ts';
import { PROBE_INTERVAL } from '../domain/guard.ts';
import { tagsOfMachine } from '../domain/identity.ts';
import { clusterGenerations, platforms } from '../kinds.ts';
import type { EventInput } from '../kube/events.ts';
import { manualClock } from '../runtime/clock.ts';
import { silent } from '../runtime/logger.ts';
import { protectionSampler } from './cloud-sample.ts';

const override = { uid: 'uid-green', until: at(300), release: false };
const live = (changes: Parameters<typeof aGeneration>[0] = {}) => aGeneration({ live: true, ...changes });

/** A platform whose generation green has three machines at the cloud: i-1, i-2, i-3. */
async function world(
  options: {
    platform?: Platform;
    generation?: ClusterGeneration;
    /** Both as they are by now, while the caches still show the above. */
    now?: ClusterGeneration | null;
    machines?: number;
    scale?: number;
  } = {},
) {
  const { platform = aPlatform({ live: 'green' }), generation = live(), machines = 3, scale = 1 } = options;
  const clock = manualClock({ now: EPOCH, scale });
  const server = anApiServer(() => clock.now());
  const cloud = aCloud(() => clock.now());
  server.seed(platforms, platform);
  const now = options.now === undefined ? generation : options.now;
  if (now) server.seed(clusterGenerations, now);
  const pool = aPool();
  if (machines > 0)
    await cloud.provider.launch(
      {
        token: 't',
        subnet: 'subnet-a',
        machines,
        template: pool.spec.template,
        tags: { ...tagsOfMachine(pool, CLUSTER), [LIVE_TIME_TAG]: at(0) },
      },
      'planned',
    );
  cloud.calls.length = 0;
  const events: EventInput[] = [];
  const metric: string[] = [];
  const options_ = {
    client: server.client(),
    clock,
    log: silent,
    events: { record: (event: EventInput) => void events.push(event) },
    cluster: CLUSTER,
    providerOf: async () => cloud.provider,
    observer: { protectionLifted: (...names: string[]) => void metric.push(names.join('/')) },
  };
  let sampler = protectionSampler(options_);
  const looked: string[] = [];
  cloud.guardFate = (call, [id = '']) => void (call === 'protection' && looked.push(id));
  return {
    cloud,
    clock,
    events,
    metric,
    looked,
    sample: (of = platform) => sampler.sample(of, [generation]),
    restart: () => {
      sampler = protectionSampler(options_);
    },
    nextRound: (intervals = 1) => clock.advance(clock.scaled(PROBE_INTERVAL * intervals)),
    isProtected: async (id: string) => {
      const { termination, stop } = await cloud.provider.protection(id);
      return termination && stop;
    },
  };
}

describe('a sample of the protection at the cloud', () => {
  it.each([1, 60])('looks at one machine a round, at each in its turn (time scale %i)', async (scale) => {
    const { sample, nextRound, looked, events } = await world({ scale });
    for (let round = 0; round < 6; round++) {
      expect(await sample()).toMatchObject({ outcome: 'Protected' });
      await nextRound(2.3);
    }
    expect(looked.slice(0, 3).toSorted()).toEqual(['i-1', 'i-2', 'i-3']);
    expect(looked.slice(3)).toEqual(looked.slice(0, 3));
    expect(events).toEqual([]);
  });

  const retained = (standby: 'Running' | 'Stopped') =>
    aGeneration({
      live: true,
      status: { retention: { until: at(9000), standby, cutover: { name: 'to-blue', uid: 'uid-to-blue' } } },
    });
  const afterwards = aPlatform({ live: 'blue', status: { protected: ['blue', 'green'] } });
  const unstoppable = { termination: true, stop: false };

  it('takes a standby that may be stopped for protected, and one that is to run not', async () => {
    for (const standby of ['Stopped', 'Running'] as const) {
      const { sample, cloud, events, isProtected } = await world({
        generation: retained(standby),
        platform: afterwards,
        machines: 1,
      });
      cloud.lift('i-1', unstoppable);
      expect((await sample()).outcome).toBe(standby === 'Stopped' ? 'Protected' : 'Lifted');
      expect(await isProtected('i-1')).toBe(standby === 'Running');
      expect(events).toHaveLength(standby === 'Stopped' ? 0 : 2);
    }
  });

  it('still asks for the termination protection of a standby, stopped or not', async () => {
    const { sample, cloud, isProtected } = await world({
      generation: retained('Stopped'),
      platform: afterwards,
      machines: 1,
    });
    cloud.halt('i-1');
    cloud.lift('i-1');
    expect(await sample()).toMatchObject({ outcome: 'Lifted', restored: ['i-1'] });
    expect(await isProtected('i-1')).toBe(true);
  });

  it('does not miss the stop protection of a machine that is off', async () => {
    const { sample, cloud } = await world({ machines: 1 });
    cloud.lift('i-1', unstoppable);
    cloud.halt('i-1');
    expect((await sample()).outcome).toBe('Protected');
  });

  it('begins at another machine after each restart', async () => {
    const { sample, nextRound, looked, restart } = await world();
    for (let round = 0; round < 3; round++) {
      await sample();
      restart();
      await nextRound();
    }
    expect(looked.toSorted()).toEqual(['i-1', 'i-2', 'i-3']);
  });

  it('remembers of each platform how far it is', async () => {
    const { sample, looked } = await world();
    const elsewhere = aPlatform({ name: 'eu', live: 'green', metadata: { uid: 'uid-eu' } });
    for (let round = 0; round < 3; round++) {
      await sample();
      await sample(elsewhere);
    }
    expect(looked).toHaveLength(6);
    expect(looked[0]).not.toBe(looked[2]);
    expect(looked.filter((_, index) => index % 2 === 0)).toEqual(looked.filter((_, index) => index % 2 === 1));
  });

  it.each([
    ['termination protection', { termination: false, stop: true }, 'the termination protection of'],
    ['stop protection', { termination: true, stop: false }, 'the stop protection of'],
    ['both', { termination: false, stop: false }, 'the termination and stop protection of'],
  ])('puts %s back within a round of all machines, and says that somebody lifted it', async (_what, left, words) => {
    const { sample, nextRound, cloud, events, metric, isProtected } = await world();
    cloud.lift('i-2', left);
    const found = [];
    for (let round = 0; round < 3; round++) {
      found.push(await sample());
      await nextRound();
    }
    expect(found.filter(({ outcome }) => outcome === 'Lifted')).toEqual([
      { outcome: 'Lifted', machines: ['i-2'], restored: ['i-2'] },
    ]);
    expect(await isProtected('i-2')).toBe(true);
    expect(cloud.calls).toEqual(['protect i-2']);
    expect(events.map(({ regarding, type, reason }) => [regarding.kind, type, reason])).toEqual([
      ['Platform', 'Warning', 'ProtectionLifted'],
      ['ClusterGeneration', 'Warning', 'ProtectionLifted'],
    ]);
    expect(events[0]?.note).toContain(`${words} i-2 (role web) of ClusterGeneration green`);
    expect(events[0]?.note).toContain('It is protected again.');
    expect(metric).toEqual(['us/green']);
  });

  it('looks at the whole generation once one of its machines was bare, ten at a time', async () => {
    const { sample, nextRound, cloud, looked, isProtected } = await world({ machines: 25 });
    for (const { id } of cloud.machines()) cloud.lift(id);
    const before = looked.length;
    await sample();
    expect(looked.length - before).toBe(1);
    for (const most of [10, 10, 10]) {
      await nextRound();
      const already = looked.length;
      await sample();
      expect(looked.length - already).toBeLessThanOrEqual(most);
    }
    for (const { id } of cloud.machines()) expect([id, await isProtected(id)]).toEqual([id, true]);
  });

  it('tries again the next round, and says so, when the cloud did not take the protection', async () => {
    const { sample, nextRound, cloud, events, isProtected } = await world();
    const told = cloud.guardFate;
    for (const { id } of cloud.machines()) cloud.lift(id);
    cloud.guardFate = (call, ids) => {
      told(call, ids);
      if (call === 'protect') throw aRefusal('Throttled', { message: 'not so fast' });
    };
    expect(await sample()).toMatchObject({ outcome: 'Lifted', restored: [] });
    expect(events[0]?.note).toContain('could not be protected again yet: not so fast');
    cloud.guardFate = told;
    await nextRound();
    const again = await sample();
    expect(again).toMatchObject({ outcome: 'Lifted' });
    expect('restored' in again && again.restored.toSorted()).toEqual(['i-1', 'i-2', 'i-3']);
    expect(await isProtected('i-1')).toBe(true);
  });

  it.each(['Throttled', 'Unauthorized', 'Unknown'] as const)('knows nothing when the cloud says %s', async (reason) => {
    const { sample, cloud, events } = await world();
    cloud.lift('i-1');
    cloud.guardFate = () => {
      throw aRefusal(reason, { message: 'no answer' });
    };
    expect(await sample()).toEqual({ outcome: 'Unknown', reason: 'no answer' });
    expect(events).toEqual([]);
    expect(cloud.calls).toEqual([]);
  });

  it('reports what it found before the cloud stopped answering', async () => {
    const { sample, nextRound, cloud } = await world();
    const told = cloud.guardFate;
    for (const { id } of cloud.machines()) cloud.lift(id);
    await sample();
    await nextRound();
    let asked = 0;
    cloud.guardFate = (call, ids) => {
      told(call, ids);
      if (call === 'protection' && ++asked > 1) throw aRefusal('Throttled');
    };
    const found = await sample();
    expect(found).toMatchObject({ outcome: 'Lifted', machines: [expect.any(String)] });
  });

  it('asks nothing about the machines of a generation that nothing holds', async () => {
    const { sample, looked } = await world({ generation: aGeneration(), platform: aPlatform({ live: 'blue' }) });
    expect(await sample()).toMatchObject({ outcome: 'Unknown' });
    expect(looked).toEqual([]);
  });

  it('knows nothing where there is no machine', async () => {
    const { sample } = await world({ machines: 0 });
    expect(await sample()).toEqual({ outcome: 'Unknown', reason: 'no protected generation has a machine' });
  });

  const untouched: [string, Parameters<typeof world>[0]][] = [
    ['was never live', { generation: aGeneration(), platform: aPlatform({ live: 'blue' }) }],
    ['was retired', { generation: aGeneration({ retired: true }), platform: aPlatform({ live: 'blue' }) }],
    [
      'is under an override in force',
      {
        generation: live({ status: { override } }),
        platform: aPlatform({ live: 'green', status: { override: { ...override, generation: 'green' } } }),
      },
    ],
    [
      'has just been retired, which the caches do not show yet',
      { platform: aPlatform({ live: 'blue' }), now: aGeneration({ retired: true }) },
    ],
    ['has just been deleted and made anew', { now: live({ metadata: { uid: 'another' } }) }],
    ['has just been deleted', { now: null }],
  ];
  it.each(untouched)('leaves a machine alone whose generation %s', async (_what, options) => {
    const { sample, nextRound, cloud, events, isProtected } = await world(options);
    for (const { id } of cloud.machines()) cloud.lift(id);
    for (let round = 0; round < 3; round++) {
      await sample();
      await nextRound();
    }
    expect(await isProtected('i-1')).toBe(false);
    expect(cloud.calls).toEqual([]);
    expect(events).toEqual([]);
  });

  it.each([
    ['live', {}],
    ['reserved by a cutover', { generation: aGeneration({ reservedBy: 'to-green' }), platform: aPlatform() }],
    ['retained for a rollback', { platform: aPlatform({ live: 'blue', status: { protected: ['blue', 'green'] } }) }],
    [
      'under an override that has expired',
      { generation: live({ status: { override: { ...override, until: at(0) } } }) },
    ],
  ])('watches over a generation that is %s', async (_what, options) => {
    const { sample, cloud } = await world(options);
    for (const { id } of cloud.machines()) cloud.lift(id);
    expect(await sample()).toMatchObject({ outcome: 'Lifted' });
  });

  it('leaves alone what ends, what was let go of, and what is not this cluster’s', async () => {
    for (const become of [{ [RELEASED_TAG]: 'true' }, { 'generations.dev/cluster': 'another' }]) {
      const { sample, cloud } = await world({ machines: 1 });
      await cloud.provider.tag(['i-1'], become);
      cloud.lift('i-1');
      expect(await sample()).toMatchObject({ outcome: 'Unknown' });
    }
    for (const lag of [0, 5_000]) {
      const { sample, cloud, clock, events } = await world({ machines: 1 });
      await clock.advance(lag);
      cloud.lag = lag;
      cloud.lift('i-1');
      cloud.kill('i-1');
      expect(await sample()).not.toMatchObject({ outcome: 'Lifted' });
      expect(events).toEqual([]);
    }
  });
});

describe('a machine of the live generation without the time it became live', () => {
  const bare = async (options: Parameters<typeof world>[0] = {}, before: Record<string, string> = {}) => {
    const { sample, cloud } = await world({ machines: 0, ...options });
    const tags = { ...tagsOfMachine(aPool(), CLUSTER), ...before };
    const launch = { token: 'later', subnet: 'subnet-a', machines: 1, template: aPool().spec.template, tags };
    await cloud.provider.launch(launch, 'recovery');
    await sample();
    return cloud.machines()[0]?.tags[LIVE_TIME_TAG];
  };

  it('is told it', async () => expect(await bare()).toBe(at(0)));
  it('is told it after it was taken back', async () => expect(await bare({}, { [LIVE_TIME_TAG]: '' })).toBe(at(0)));

  const frozen = [aCondition({ type: 'Consistent', status: 'False' })];
  it.each([
    ['the platform is frozen', { platform: aPlatform({ live: 'green', status: { conditions: frozen } }) }],
    ['it is only retained', { platform: aPlatform({ live: 'blue', status: { protected: ['blue', 'green'] } }) }],
  ])('is not told while %s', async (_what, options) => expect(await bare(options)).toBeUndefined());

  it('keeps a time that it has, whatever it is', async () => {
    const { sample, cloud } = await world({ machines: 1 });
    await cloud.provider.tag(['i-1'], { [LIVE_TIME_TAG]: at(99) });
    await sample();
    expect(cloud.machines()[0]?.tags[LIVE_TIME_TAG]).toBe(at(99));
  });
});
