import { describe, expect, it } from '@jest/globals';
import { aGeneration, aPlatform, aPool, at, EPOCH, aPlatformInput as input } from '../../../test/builders/index.ts';
import { decide } from './decide.ts';
import type { PlatformInput } from './input.ts';

const bare = (changes: Parameters<typeof aPlatform>[0] = {}) => {
  const platform = aPlatform(changes);
  delete platform.status.protected;
  return platform;
};
/** The guard was just probed: its next round is not what wakes it. */
const probed = (platform = aPlatform()): PlatformInput['platform'] => ({
  ...platform,
  status: { ...platform.status, guard: { effective: true, lastProbeTime: at(0), probes: [] } },
});
const ready = (changes: Partial<PlatformInput>) =>
  decide(input(changes)).status.conditions?.find(({ type }) => type === 'Ready');
const pool = (machines: number, ready: number) =>
  aPool({ spec: { machines }, status: { machines: { launched: machines, registered: ready, ready } } });
const live = {
  platform: aPlatform({ live: 'green', roles: ['load-balancer', 'web'] }),
  generations: [aGeneration({ live: true })],
};

describe('a platform without a status', () => {
  it('that is new protects nothing and points nowhere', () => {
    const { status } = decide(input({ platform: bare() }));
    expect(status.protected).toEqual([]);
    expect(status.live).toBeUndefined();
  });

  it('gets back what its generations say of themselves', () => {
    const generations = [
      aGeneration({ name: 'gone', retired: true }),
      aGeneration({ name: 'old', live: true, status: { liveTime: at(10) } }),
      aGeneration({ name: 'now', live: true, status: { liveTime: at(20) } }),
      aGeneration({ name: 'next', reservedBy: 'to-next' }),
      aGeneration({ name: 'idle' }),
    ];
    const { status } = decide(input({ platform: bare(), generations }));
    expect(status.protected).toEqual(['next', 'now', 'old']);
    expect(status.live).toEqual({ name: 'now', uid: 'uid-now', time: at(20) });
  });

  it('points at the one that a cutover has just made live: traffic had moved before it wrote so', () => {
    const generations = [
      aGeneration({ name: 'old', live: true, status: { liveTime: at(10) } }),
      aGeneration({ name: 'next', live: true, status: { liveTime: at(20) }, reservedBy: 'to-next' }),
    ];
    const { status } = decide(input({ platform: bare(), generations }));
    expect(status.live?.name).toBe('next');
    expect(status.protected).toEqual(['next', 'old']);
  });
});

describe('a platform with a status', () => {
  it('keeps its pointers whatever the generations say: they are the cutovers’ to write', () => {
    const generations = [aGeneration({ name: 'other', live: true, status: { liveTime: at(99) } })];
    const { status } = decide(input({ platform: aPlatform({ live: 'green' }), generations }));
    expect(status.live?.name).toBe('green');
    expect(status.protected).toEqual(['green']);
  });

  it('awaiting its first cutover is Ready', () => {
    expect(ready({})).toMatchObject({ status: 'True', reason: 'AwaitingFirstCutover' });
    expect(decide(input({ platform: probed() })).requeueAfter).toBe(50_000);
  });

  it('that was decommissioned is Ready, and says by which Cutover', () => {
    const decommissioned = { cutover: { name: 'the-end', uid: 'uid-the-end' }, time: at(30) };
    const platform = probed();
    const { status } = decide(input({ platform: { ...platform, status: { ...platform.status, decommissioned } } }));
    const reasons = ['Ready', 'Live'].map((type) => status.conditions?.find((one) => one.type === type)?.reason);
    expect(reasons).toEqual(['Decommissioned', 'Decommissioned']);
    expect(status.conditions?.find(({ type }) => type === 'Live')?.message).toContain('the-end');
  });

  it('reports each role of the live generation', () => {
    const { status } = decide(input({ ...live, livePools: [pool(3, 2), pool(4, 4)] }));
    expect(status.roles).toEqual([
      { name: 'load-balancer', machines: { desired: 0, ready: 0 }, restored: true },
      { name: 'web', machines: { desired: 7, ready: 6 }, restored: false },
    ]);
  });

  it('whose machines are all there says so, and nothing of what users reach: it has no traffic targets', () => {
    expect(ready({ ...live, livePools: [pool(3, 3)] })).toMatchObject({ status: 'True', reason: 'MachinesReady' });
  });

  it.each<[string, Partial<PlatformInput>, string]>([
    ['MachinesMissing', { ...live, livePools: [pool(3, 1)] }, 'machines of the live generation are missing: web 1/3'],
    ['ClassNotFound', { classExists: false }, 'GenerationClass aws does not exist: create it'],
    ['LiveGenerationLost', { ...live, generations: [] }, 'green is live and does not exist any more'],
    [
      'LiveGenerationLost',
      { ...live, generations: [aGeneration({ live: true, metadata: { uid: 'namesake' } })] },
      'green is live and does not exist any more',
    ],
    [
      'NotImplemented',
      { platform: aPlatform({ spec: { recovery: 'Manual' } }) },
      expect.stringContaining('spec.recovery') as never,
    ],
  ])('is not Ready: %s', (reason, changes, message) => {
    expect(ready(changes)).toMatchObject({ status: 'False', reason, message });
    const platform = probed(changes.platform);
    expect(decide(input({ ...changes, platform })).requeueAfter).toBe(30_000);
  });

  it('that has not changed is the same object', () => {
    const { status } = decide(input({ ...live, livePools: [pool(3, 1)] }));
    const platform = { ...live.platform, status };
    expect(decide(input({ ...live, platform, livePools: [pool(3, 1)], now: EPOCH + 9e6 })).status).toEqual(status);
  });
});

describe('what a person may have meant', () => {
  it('is listed, the newest first', () => {
    const generations = [
      aGeneration({ name: 'older', metadata: { creationTimestamp: at(1) } }),
      aGeneration({ name: 'newer', metadata: { creationTimestamp: at(2) } }),
      aGeneration({ name: 'held', reservedBy: 'to-held' }),
      aGeneration({ live: true }),
    ];
    expect(decide(input({ platform: aPlatform({ live: 'green' }), generations })).status.neverLive).toEqual([
      'newer',
      'older',
    ]);
    expect(decide(input()).status.neverLive).toBeUndefined();
  });

  it('is at most what the API takes', () => {
    const generations = Array.from({ length: 20 }, (_, n) => aGeneration({ name: `ga-${n}` }));
    expect(decide(input({ generations })).status.neverLive).toHaveLength(16);
  });
});
