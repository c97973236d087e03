import { describe, expect, it } from '@jest/globals';
import {
  aCutover,
  aCutoverInput,
  aGeneration,
  anApiServer,
  aPlatform,
  at,
  EPOCH,
} from '../../../test/builders/index.ts';
import { holdOf } from '../../domain/protection.ts';
import { clusterGenerations, platforms } from '../../kinds.ts';
import { isConflict } from '../../kube/errors.ts';
import { writeStatus } from '../../kube/status.ts';
import type { CutoverInput } from './input.ts';
import { retirement } from './retirement.ts';
import { reserve } from './steps/reserve.ts';

const moment = { now: EPOCH, scaled: (ms: number) => ms };

/** Blue gave way to green at 60 s, and is kept until 1000 s. */
const succeeded = (changes: Parameters<typeof aCutover>[0] = {}) =>
  aCutover({
    from: 'blue',
    ...changes,
    status: {
      outcome: 'Succeeded',
      retainUntil: at(1000),
      generations: { from: { name: 'blue', uid: 'uid-blue' }, to: { name: 'green', uid: 'uid-green' } },
      steps: [{ name: 'Point', state: 'Done', endTime: at(60) }],
      ...changes?.status,
    },
  });
const probed = (seconds: number, effective = true) => ({ effective, lastProbeTime: at(seconds), probes: [] });
const afterwards = (seconds: number) =>
  aPlatform({ live: 'green', status: { protected: ['blue', 'green'], guard: probed(seconds) } });
const after = afterwards(990);
const clock = (seconds: number, changes: Partial<CutoverInput> = {}) =>
  retirement(
    aCutoverInput({
      cutover: succeeded(),
      platform: afterwards(seconds),
      now: EPOCH + seconds * 1000,
      ...changes,
    }),
  );
const whats = ({ effects }: ReturnType<typeof retirement>) => effects.map(({ what }) => what);
const blue = (changes: Parameters<typeof aGeneration>[0] = {}) => aGeneration({ name: 'blue', live: true, ...changes });

describe('the clock of a cutover that has succeeded', () => {
  it('waits to the millisecond', () => {
    expect(clock(999)).toEqual({ effects: [], requeueAfter: 1000 });
  });

  it('retires the old generation, then stops protecting it', () => {
    const result = clock(1000);
    expect(result).toMatchObject({
      effects: [
        {
          do: 'writeGeneration',
          object: { metadata: { name: 'blue', resourceVersion: '1' } },
          status: { retiredTime: at(1000), retiredBy: { name: 'to-green', uid: 'uid-to-green' }, liveTime: at(0) },
        },
        { do: 'writePlatform', status: { protected: ['green'], live: { name: 'green' } } },
      ],
      requeueAfter: undefined,
    });
  });

  it('is cut short by retireNow', () => {
    expect(whats(clock(100, { cutover: succeeded({ spec: { retireNow: true } }) }))).toEqual([
      'retire blue',
      'no longer protect blue',
    ]);
  });

  it('goes on where a crash left it: retired, and still listed', () => {
    expect(whats(clock(1001, { from: blue({ retired: true }) }))).toEqual(['no longer protect blue']);
    const unlisted = aPlatform({ live: 'green' });
    expect(clock(1001, { from: blue({ retired: true }), platform: unlisted })).toEqual({
      effects: [],
      requeueAfter: undefined,
    });
  });

  it('stops protecting the name of one that is gone', () => {
    expect(whats(clock(1, { from: undefined }))).toEqual(['no longer protect blue']);
  });

  it.each<[string, Partial<CutoverInput>]>([
    ['after the first cutover', { cutover: succeeded({ from: '' }) }],
    ['without a Platform', { platform: undefined }],
    ['for a namesake', { from: blue({ metadata: { uid: 'another' } }) }],
    ['for one that was live again since: a later clock counts', { from: blue({ status: { liveTime: at(70) } }) }],
  ])('has nothing to do %s', (_, changes) => {
    expect(clock(5000, changes)).toEqual({ effects: [], requeueAfter: undefined });
  });

  it.each<[string, Partial<CutoverInput>]>([
    ['one that is live', { platform: aPlatform({ live: 'blue' }) }],
    ['one that a cutover is taking back', { from: blue({ reservedBy: 'back-to-blue' }) }],
  ])('never retires %s', (_, changes) => {
    expect(clock(5000, changes)).toEqual({ effects: [], requeueAfter: 60_000 });
  });
});

describe('a guard that is not seen to work', () => {
  const open = aPlatform({ live: 'green', status: { protected: ['blue', 'green'], guard: probed(990, false) } });
  const stale = aPlatform({ live: 'green', status: { protected: ['blue', 'green'], guard: probed(0) } });

  it.each([
    ['has a hole', open],
    ['was last probed long ago', stale],
  ])('that %s retires nothing, and looks again', (_, platform) => {
    const later = { effects: [], requeueAfter: 60_000 };
    expect(clock(1000, { platform })).toEqual(later);
    expect(clock(1000, { platform, cutover: succeeded({ spec: { retireNow: true } }) })).toEqual(later);
  });

  it('stops protecting nothing either', () => {
    expect(clock(1001, { from: blue({ retired: true }), platform: open })).toEqual({
      effects: [],
      requeueAfter: 60_000,
    });
  });
});

describe('the killer schedule: two leaders, each sure of itself', () => {
  /** Both have read the same objects, a moment ago: one is about to retire blue, the other to go back to it. */
  async function world() {
    const server = anApiServer(() => EPOCH);
    server.seed(clusterGenerations, blue());
    server.seed(clusterGenerations, aGeneration({ live: true }));
    server.seed(platforms, after);
    const client = server.client();
    const read = async () => ({
      from: await client.get(clusterGenerations, 'blue'),
      platform: await client.get(platforms, 'us'),
    });
    const { from, platform } = await read();
    const retire = retirement(aCutoverInput({ cutover: succeeded(), platform, from, now: EPOCH + 1_000_000 })).effects;
    const back = aCutover({ name: 'back-to-blue', from: 'green', to: 'blue' });
    const action = reserve.act(
      aCutoverInput({ cutover: back, platform, to: from, from: await client.get(clusterGenerations, 'green') }),
    );
    const goBack = 'effects' in action ? action.effects : [];
    /** As apply does: one effect after the other, and none after one that fails. Returns how many were done. */
    const perform = async (effects: typeof retire) => {
      let done = 0;
      try {
        for (const effect of effects) {
          if (effect.do === 'writeGeneration')
            await writeStatus(client, clusterGenerations, effect.object, effect.status);
          if (effect.do === 'writePlatform') await writeStatus(client, platforms, effect.object, effect.status);
          done++;
        }
      } catch (error) {
        expect(isConflict(error)).toBe(true);
      }
      return done;
    };
    return { retire, goBack, perform, now: read };
  }

  it('retires first: the way back fails before any traffic moves', async () => {
    const { retire, goBack, perform, now } = await world();
    expect(await perform(retire)).toBe(2);
    expect(await perform(goBack)).toBe(0);
    const { from, platform } = await now();
    expect(from.status.reservedBy).toBeUndefined();
    expect(holdOf(from, platform, moment)).toBeUndefined();
  });

  it('goes back first: the retirement fails, and blue stays untouchable', async () => {
    const { retire, goBack, perform, now } = await world();
    expect(await perform(goBack)).toBeGreaterThanOrEqual(1);
    expect(await perform(retire)).toBe(0);
    const { from, platform } = await now();
    expect(from.status.retiredTime).toBeUndefined();
    expect(holdOf(from, platform, moment)).toContain('reserved by Cutover back-to-blue');
  });

  it('goes back between the two writes of the retirement: too late, it is retired for ever', async () => {
    const { retire, goBack, perform, now } = await world();
    expect(await perform(retire.slice(0, 1))).toBe(1);
    expect(await perform(goBack)).toBe(0);
    const { from, platform } = await now();
    expect(from.status).toMatchObject({ retiredTime: at(1000) });
    expect(from.status.reservedBy).toBeUndefined();
    // Until the list has shrunk it keeps its machines.
    expect(holdOf(from, platform, moment)).toBe('blue is in status.protected of Platform us');
  });
});
