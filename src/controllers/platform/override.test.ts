import { describe, expect, it } from '@jest/globals';
import { aGeneration, aMachine, aPlatform, aPlatformInput, aPool, at, EPOCH } from '../../../test/builders/index.ts';
import type { Platform } from '../../api/v1alpha1/index.ts';
import { overrideOf } from '../../domain/override.ts';
import { decide } from './decide.ts';
import type { PlatformInput } from './input.ts';

type Override = NonNullable<Platform['spec']['override']>;

const asked: Override = {
  generation: 'green',
  reason: 'subnet fire',
  release: false,
  requestedBy: 'alice@example.com',
  approvedBy: 'bob@example.com',
};
const site = (override: Override | undefined, status: Partial<Platform['status']> = {}) =>
  aPlatform({ live: 'green', spec: override ? { override } : {}, status });
const input = (changes: Partial<PlatformInput> = {}) =>
  aPlatformInput({ platform: site(asked), generations: [aGeneration({ live: true })], ...changes });

/** What becomes of both objects, a write at a time; ends when nothing is written any more. */
function writes(start: PlatformInput) {
  const log: string[] = [];
  let now = start;
  for (let round = 0; round < 10; round++) {
    const { status, effects, say } = decide(now);
    const before = JSON.stringify(now.platform.status.override);
    if (JSON.stringify(status.override) !== before)
      log.push(`platform ${status.override ? `until ${status.override.until}` : 'cleared'}`);
    log.push(...say.map(({ reason }) => `say ${reason}`));
    for (const { object, status } of effects)
      log.push(`generation ${object.metadata.name} ${status.override ? `until ${status.override.until}` : 'cleared'}`);
    const settled = effects.length === 0 && JSON.stringify(status) === JSON.stringify(now.platform.status);
    now = {
      ...now,
      platform: { ...now.platform, status },
      generations: now.generations.map((object) => ({
        ...object,
        status: effects.find((effect) => effect.object === object)?.status ?? object.status,
      })),
    };
    if (settled) return { log, end: now };
  }
  throw new Error(`it does not settle: ${log.join('; ')}`);
}
const overridden = ({ platform }: PlatformInput) =>
  platform.status.conditions?.find(({ type }) => type === 'Overridden');
const inForce = () => writes(input()).end;

describe('an override that two people ask for', () => {
  it('is put in force, the record first, and said aloud with both names and the reason', () => {
    const { log, end } = writes(input());
    expect(log).toEqual([`platform until ${at(600)}`, 'say OverrideInForce', `generation green until ${at(600)}`]);
    expect(overrideOf(end.generations[0]!, end.platform, end)).toEqual({ until: at(600), release: false });
    expect(overridden(end)).toMatchObject({
      status: 'True',
      reason: 'InForce',
      message: `the protection of ClusterGeneration green is lifted until ${at(600)}. Override requested by alice@example.com, approved by bob@example.com, because: subnet fire`,
    });
    expect(end.platform.status.lastOverride).toMatchObject({ state: 'InForce', uid: 'uid-green' });
    const [said] = decide(input()).say;
    expect(said).toMatchObject({ type: 'Warning', note: overridden(end)?.message });
    expect(said?.about.map(({ kind }) => kind)).toEqual(['Platform', 'ClusterGeneration']);
    expect(decide(end).requeueAfter).toBeLessThanOrEqual(600_000);
  });

  it('says of the machines that they are let go', () => {
    const { end } = writes(input({ platform: site({ ...asked, release: true }) }));
    expect(overrideOf(end.generations[0]!, end.platform, end)?.release).toBe(true);
    expect(overridden(end)?.message).toContain('Its machines are let go, not terminated');
  });

  it('lasts ten minutes, at the time scale', () => {
    expect(writes(input({ scaled: (ms) => ms / 60 })).log[0]).toBe(`platform until ${at(10)}`);
  });

  it('is looked at again when it ends', () => {
    const end = { ...inForce(), now: EPOCH + 590_000 };
    expect(decide(end).requeueAfter).toBe(10_000);
  });

  it.each<[string, Override, string]>([
    ['AwaitingApproval', { ...asked, approvedBy: undefined }, 'another person approves it'],
    ['NotTwoPeople', { ...asked, approvedBy: asked.requestedBy }, 'takes two different people'],
    [
      'NotTwoPeople',
      { ...asked, approvedBy: 'system:serviceaccount:ci:deployer' },
      'not alice@example.com and system:serviceaccount:ci:deployer',
    ],
    ['NotTwoPeople', { ...asked, requestedBy: 'system:admin' }, 'takes two different people'],
    [
      'GenerationNotFound',
      { ...asked, generation: 'grene' },
      'ClusterGeneration grene of this Platform does not exist',
    ],
  ])('is not put in force: %s', (reason, override, message) => {
    const { log, end } = writes(input({ platform: site(override) }));
    expect(log).toEqual([]);
    expect(overridden(end)).toMatchObject({ status: 'False', reason, message: expect.stringContaining(message) });
  });

  it('is not put in force while the platform is frozen', () => {
    const cloud = { machines: [aMachine({ pool: aPool({ generation: 'stranger' }) })] };
    const { end } = writes(input({ cloud, platform: site({ ...asked, approvedBy: undefined }) }));
    const approved = { ...end.platform, spec: site(asked).spec };
    expect(writes({ ...end, platform: approved }).log).toEqual([]);
    expect(overridden(writes({ ...end, platform: approved }).end)?.reason).toBe('Frozen');
  });
});

describe('an override in force', () => {
  it.each<[string, (now: PlatformInput) => PlatformInput, string[], string]>([
    [
      'ends with its time',
      (now) => ({ ...now, now: EPOCH + 600_000 }),
      ['generation green cleared', 'platform cleared', 'say OverrideExpired'],
      'Expired',
    ],
    [
      'ends when anybody takes it out',
      (now) => ({ ...now, platform: { ...now.platform, spec: site(undefined).spec } }),
      ['generation green cleared', 'platform cleared', 'say OverrideWithdrawn'],
      'Withdrawn',
    ],
    [
      'ends when it is changed into another',
      (now) => ({ ...now, platform: { ...now.platform, spec: site({ ...asked, generation: 'blue' }).spec } }),
      ['generation green cleared', 'platform cleared', 'say OverrideWithdrawn'],
      'Withdrawn',
    ],
    [
      'ends when its generation is gone',
      (now) => ({ ...now, generations: [] }),
      ['platform cleared', 'say OverrideDone'],
      'Done',
    ],
    [
      'ends when a namesake has taken its place, which keeps its protection',
      (now) => ({ ...now, generations: [aGeneration({ metadata: { uid: 'another' } })] }),
      ['platform cleared', 'say OverrideDone'],
      'Done',
    ],
    [
      'is not believed when it ends in hours',
      (now) => ({ ...now, now: EPOCH - 7_200_000 }),
      ['generation green cleared', 'platform cleared', 'say OverrideExpired'],
      'Expired',
    ],
  ])('%s', (_, change, log, state) => {
    const result = writes(change(inForce()));
    expect(result.log).toEqual(log);
    expect(result.end.platform.status.lastOverride?.state).toBe(state);
    expect(result.end.platform.status.override).toBeUndefined();
    expect(overridden(result.end)?.status).toBe('False');
  });

  it('does not come into force again by itself, only with another reason', () => {
    const expired = writes({ ...inForce(), now: EPOCH + 600_000 }).end;
    expect(writes({ ...expired, now: EPOCH + 700_000 }).log).toEqual([]);
    expect(overridden(expired)).toMatchObject({
      reason: 'Expired',
      message: expect.stringContaining('another reason'),
    });
    const anew = { ...expired.platform, spec: site({ ...asked, reason: 'still burning' }).spec };
    expect(writes({ ...expired, platform: anew, now: EPOCH + 700_000 }).log[0]).toBe(`platform until ${at(1300)}`);
  });

  it('does not come into force for a namesake of the one that is gone', () => {
    const done = writes({ ...inForce(), generations: [] }).end;
    expect(writes({ ...done, generations: [aGeneration({ metadata: { uid: 'another' } })] }).log).toEqual([]);
  });

  it('is written to the generation, or cleared there, by whoever comes after a crash', () => {
    const half = { ...inForce(), generations: [aGeneration({ live: true })] };
    expect(writes(half).log).toEqual([`generation green until ${at(600)}`]);
    const leftover = input({ platform: site(undefined), generations: [inForce().generations[0]!] });
    expect(writes(leftover).log).toEqual(['generation green cleared']);
  });

  it('leaves a platform without its live generation ready for another first cutover', () => {
    const { status } = writes({ ...inForce(), generations: [] }).end.platform;
    expect(status).toMatchObject({ protected: [], previous: { name: 'green', uid: 'uid-green', time: at(0) } });
    expect(status.live).toBeUndefined();
  });

  it('of one that is not live takes only its name off the list', () => {
    const platform = aPlatform({ live: 'blue', spec: { override: asked }, status: { protected: ['blue', 'green'] } });
    const generations = [aGeneration({ name: 'blue', live: true }), aGeneration({ live: true })];
    const begun = writes(input({ platform, generations })).end;
    const { status } = writes({ ...begun, generations: begun.generations.slice(0, 1) }).end.platform;
    expect(status).toMatchObject({ protected: ['blue'], live: { name: 'blue' } });
  });
});
