import { describe, expect, it } from '@jest/globals';
import { aCondition, aCutover, aGeneration, anApiServer, aPlatform, at, EPOCH } from '../../../test/builders/index.ts';
import type { ClusterGeneration, Cutover, Platform } from '../../api/v1alpha1/index.ts';
import { holdOf } from '../../domain/protection.ts';
import { clusterGenerations, platforms } from '../../kinds.ts';
import { isConflict } from '../../kube/errors.ts';
import { writeStatus } from '../../kube/status.ts';
import { decide } from './decide.ts';
import type { Effect, RetirementInput } from './input.ts';

const moment = (seconds: number) => ({ now: EPOCH + seconds * 1000, scaled: (ms: number) => ms });

type GenerationChanges = NonNullable<Parameters<typeof aGeneration>[0]>;
type PlatformChanges = NonNullable<Parameters<typeof aPlatform>[0]>;

/** Blue gave way to green at 60 s, and is kept until 1000 s. */
const blue = (
  changes: GenerationChanges = {},
  standby: 'Running' | 'Stopped' | 'None' = 'Running',
): ClusterGeneration =>
  aGeneration({
    name: 'blue',
    live: true,
    ...changes,
    status: {
      retention: { until: at(1000), standby, cutover: { name: 'to-green', uid: 'uid-to-green' } },
      ...changes.status,
    },
  });
const probed = (seconds: number, effective = true) => ({ effective, lastProbeTime: at(seconds), probes: [] });
const us = (seconds: number, changes: PlatformChanges = {}): Platform =>
  aPlatform({
    live: 'green',
    ...changes,
    status: { protected: ['blue', 'green'], guard: probed(seconds), ...changes.status },
  });
const byUID = (...all: Cutover[]) => new Map(all.map((cutover) => [cutover.metadata.uid, cutover]));
const succeeded = (spec: Partial<Cutover['spec']> = {}) =>
  aCutover({ from: 'blue', spec, status: { outcome: 'Succeeded' } });

const look = (seconds: number, changes: Partial<RetirementInput> = {}) =>
  decide({
    name: 'blue',
    generation: blue(),
    platform: us(seconds),
    cutovers: byUID(succeeded()),
    unfinished: [],
    noMachines: false,
    ...moment(seconds),
    ...changes,
  });
const done = ({ effects }: { effects: Effect[] }) =>
  effects.map(({ do: what, object }) => `${what} ${object.metadata.name}`);
const nothing = { effects: [], requeueAfter: undefined };
const later = { effects: [], requeueAfter: 60_000 };
const retirement = ['writeGeneration blue', 'writePlatform us'];

describe('the clock of a generation that a cutover has left', () => {
  it('waits to the millisecond', () => {
    expect(look(999)).toEqual({ effects: [], requeueAfter: 1000 });
  });

  it('retires it, with the versions that were read, then stops protecting it', () => {
    const result = look(1000);
    expect(result).toMatchObject({
      effects: [
        {
          do: 'writeGeneration',
          object: { metadata: { name: 'blue', resourceVersion: '1' } },
          status: {
            retiredTime: at(1000),
            retiredBy: { name: 'to-green', uid: 'uid-to-green' },
            liveTime: at(0),
            retention: { until: at(1000) },
          },
          what: `blue is retired: Cutover to-green left it, and it was kept until ${at(1000)}. Its machines are removed now`,
        },
        {
          do: 'writePlatform',
          object: { metadata: { resourceVersion: '1' } },
          status: { protected: ['green'], live: { name: 'green' } },
          what: 'Platform us no longer protects blue: blue is retired',
        },
      ],
      requeueAfter: undefined,
    });
  });

  it('needs no Cutover: it may be long gone', () => {
    expect(done(look(1000, { cutovers: new Map() }))).toEqual(retirement);
    expect(look(100, { cutovers: new Map() }).requeueAfter).toBe(900_000);
  });

  it('is cut short by retireNow on that very Cutover, and by keeping nothing at all', () => {
    expect(done(look(100, { cutovers: byUID(succeeded({ retireNow: true })) }))).toEqual(retirement);
    expect(done(look(100, { generation: blue({}, 'None') }))).toEqual(retirement);
    const namesake = { ...succeeded({ retireNow: true }), metadata: { ...succeeded().metadata, uid: 'another' } };
    expect(look(100, { cutovers: byUID(namesake) })).toEqual({ effects: [], requeueAfter: 900_000 });
  });

  it('goes on where a crash left it: retired, and still listed', () => {
    expect(done(look(1001, { generation: blue({ retired: true }) }))).toEqual(['writePlatform us']);
    const unlisted = us(1001, { status: { protected: ['green'] } });
    expect(look(1001, { generation: blue({ retired: true }), platform: unlisted })).toEqual(nothing);
  });

  it.each<[string, Partial<RetirementInput>]>([
    ['without a Platform', { platform: undefined }],
    ['for one that is live', { platform: us(5000, { live: 'blue' }) }],
    [
      'for one whose name is the live one’s',
      { platform: us(5000, { status: { live: { name: 'blue', uid: 'x', time: at(0) } } }) },
    ],
    [
      'for one that is retired and live, which cannot be',
      { generation: blue({ retired: true }), platform: us(5000, { live: 'blue' }) },
    ],
    [
      'for one that was live before a restore, by the pointer',
      {
        generation: blue({ status: { formerUIDs: ['old'] } }),
        platform: us(5000, { status: { live: { name: 'was-blue', uid: 'old', time: at(0) } } }),
      },
    ],
    ['for one that was never live', { generation: { ...blue(), status: { ...blue().status, liveTime: undefined } } }],
    ['for one that no cutover has left', { generation: aGeneration({ name: 'blue', live: true }) }],
    [
      'for one that a cutover is taking back',
      {
        generation: blue({ reservedBy: 'back-to-blue' }),
        cutovers: byUID(succeeded(), aCutover({ name: 'back-to-blue', from: 'green', to: 'blue' })),
      },
    ],
  ])('has nothing to do %s', (_, changes) => {
    expect(look(5000, changes)).toEqual(nothing);
  });

  it('does not take a time that it cannot read for one that has come', () => {
    const cutover = { name: 'to-green', uid: 'uid-to-green' };
    const generation = blue({ status: { retention: { until: 'soon', standby: 'Running', cutover } } });
    expect(look(5000, { generation })).toEqual(later);
  });
});

const frozen = [aCondition({ type: 'Consistent', status: 'False', message: 'strangers' })];
const { protected: _, ...unknown } = us(1000).status;
const troubles: [string, Platform][] = [
  ['a guard with a hole', us(1000, { status: { guard: probed(1000, false) } })],
  ['a guard that was last probed long ago', us(0)],
  ['a frozen platform', us(1000, { status: { conditions: frozen } })],
  ['a platform that nobody has compared with the cloud', { ...us(1000), status: unknown }],
];

describe.each(troubles)('%s', (_, platform) => {
  it('retires nothing and gives up no protection, and is looked at again', () => {
    const retired = blue({ retired: true });
    const holder = aGeneration({ name: 'blue', reservedBy: 'gone' });
    expect(look(1000, { platform })).toEqual(later);
    expect(look(1000, { platform, cutovers: byUID(succeeded({ retireNow: true })) })).toEqual(later);
    expect(look(1000, { platform, generation: holder })).toEqual(later);
    if (!platform.status.protected) return;
    expect(look(1000, { platform, generation: retired })).toEqual(later);
    expect(look(1000, { platform, generation: undefined, noMachines: true })).toEqual(later);
  });
});

describe('a name that a platform protects and no generation has', () => {
  const missing = (changes: Partial<RetirementInput> = {}) =>
    look(1000, { generation: undefined, cutovers: new Map(), noMachines: true, ...changes });

  it('is taken off', () => {
    expect(missing()).toMatchObject({
      effects: [{ do: 'writePlatform', status: { protected: ['green'] } }],
      requeueAfter: undefined,
    });
  });

  it.each<[string, Partial<RetirementInput>]>([
    ['it is live', { platform: us(1000, { live: 'blue' }) }],
    ['an unfinished cutover leaves it', { unfinished: [aCutover({ from: 'blue' })] }],
    ['an unfinished cutover goes there', { unfinished: [aCutover({ to: 'blue' })] }],
    ['it is not listed', { platform: us(1000, { status: { protected: ['green'] } }) }],
  ])('stays when %s', (_, changes) => expect(missing(changes)).toEqual(nothing));

  it('stays while the cloud has machines of it, or cannot be seen', () => {
    expect(missing({ noMachines: false })).toEqual(later);
  });
});

describe('a reservation whose cutover cannot give it back', () => {
  const green = (changes: GenerationChanges = {}) => aGeneration({ reservedBy: 'to-green', ...changes });
  const held = { cutover: { name: 'to-green', uid: 'uid-to-green' } };
  const quiesced = { ...held, stop: ['always-on'], time: at(1) };
  const meanwhile = (changes: PlatformChanges = {}) =>
    us(1000, { live: 'blue', ...changes, status: { ...held, ...changes.status } });
  const stuck = (changes: Partial<RetirementInput> = {}) =>
    look(1000, { name: 'green', generation: green(), platform: meanwhile(), cutovers: new Map(), ...changes });

  it('is cleared when the cutover is gone; what never was live is no longer protected, and the platform let go before', () => {
    expect(stuck()).toMatchObject({
      effects: [
        {
          do: 'writePlatform',
          object: { metadata: { resourceVersion: '1' } },
          what: 'Platform us is no longer held by Cutover to-green, which does not exist any more; green is no longer protected: it never was live',
        },
        {
          do: 'writeGeneration',
          object: { metadata: { resourceVersion: '1' } },
          what: 'green is no longer reserved by Cutover to-green, which does not exist any more',
        },
      ],
      requeueAfter: undefined,
    });
    const [platform, generation] = stuck().effects;
    expect(platform?.status).toMatchObject({ protected: ['blue'], live: { name: 'blue' } });
    expect(platform?.status).not.toHaveProperty('cutover');
    expect(generation?.status).not.toHaveProperty('reservedBy');
  });

  it('is cleared when the cutover has ended and its last write was lost', () => {
    const aborted = aCutover({ from: 'blue', status: { outcome: 'Aborted' } });
    const result = stuck({ cutovers: byUID(aborted), platform: meanwhile({ status: { quiesced } }) });
    expect(done(result)).toEqual(['writePlatform us', 'writeGeneration green']);
    expect(result.effects[0]?.status).not.toHaveProperty('quiesced');
    expect(result.effects[1]?.what).toContain('to-green, which has ended: Aborted');
  });

  it('leaves what another cutover holds back, and holds', () => {
    const other = { cutover: { name: 'other', uid: 'uid-other' } };
    const platform = meanwhile({ status: { ...other, quiesced: { ...quiesced, ...other } } });
    const { effects } = stuck({ platform, cutovers: byUID(aCutover({ name: 'other', from: 'blue' })) });
    expect(effects[0]).toMatchObject({
      ...{
        do: 'writePlatform',
        status: { protected: ['blue'], ...other, quiesced: { ...other, stop: ['always-on'] } },
      },
    });
  });

  it('lets tasks go on that nobody else will let go on', () => {
    const platform = us(1000, { live: 'blue', status: { protected: ['blue'], quiesced } });
    const { effects } = stuck({ generation: aGeneration(), platform });
    expect(effects).toMatchObject([
      { do: 'writePlatform', what: expect.stringContaining('its tasks are no longer held back by Cutover to-green') },
    ]);
    expect(effects[0]?.status).not.toHaveProperty('quiesced');
    expect(effects[0]?.status).toMatchObject({ protected: ['blue'], live: { name: 'blue' } });
  });

  it('is cleared when a namesake is all that is left of the cutover', () => {
    const namesake = { ...aCutover({ from: 'blue' }), metadata: { ...aCutover().metadata, uid: 'another' } };
    expect(done(stuck({ cutovers: byUID(namesake) }))).toEqual(['writePlatform us', 'writeGeneration green']);
  });

  it('stays while the cutover is there and has not ended', () => {
    expect(stuck({ cutovers: byUID(aCutover({ from: 'blue' })) })).toEqual(nothing);
  });

  it('stays for the cutover that supersedes it, which takes it over', () => {
    const heir = aCutover({ name: 'heir', from: 'blue', spec: { supersedes: held.cutover } });
    const superseded = aCutover({ from: 'blue', status: { outcome: 'Superseded' } });
    expect(stuck({ unfinished: [heir], cutovers: byUID(superseded) })).toEqual(nothing);
  });

  it('is cleared piece by piece: what is gone already is not written again', () => {
    const later = us(1000, { live: 'blue', status: { protected: ['blue'] } });
    expect(done(stuck({ platform: later }))).toEqual(['writeGeneration green']);
    const unreserved = aGeneration();
    expect(done(stuck({ generation: unreserved }))).toEqual(['writePlatform us']);
    expect(stuck({ generation: unreserved }).effects[0]?.status).toMatchObject({ protected: ['blue', 'green'] });
  });

  const begun = { generations: { to: { name: 'green', uid: 'uid-green' } } };
  it.each<[string, Partial<RetirementInput>]>([
    ['was live before', { generation: green({ live: true }) }],
    ['is kept for a rollback', { generation: green({ live: true, status: { retention: blue().status.retention } }) }],
    ['is kept, whatever its times say', { generation: green({ status: { retention: blue().status.retention } }) }],
    ['is live', { platform: meanwhile({ live: 'green' }) }],
    ['was restored', { generation: green({ status: { formerUIDs: ['old'] } }) }],
    [
      'was rebound',
      { platform: meanwhile({ status: { rebound: [{ generation: 'green', uid: 'uid-green', time: at(1) }] } }) },
    ],
    ['is adopted', { generation: green({ spec: { adopt: true } }) }],
    [
      'is what another cutover has begun with',
      { unfinished: [aCutover({ name: 'other', from: 'blue', status: begun })] },
    ],
    [
      'is what another cutover has begun to leave',
      { unfinished: [aCutover({ name: 'other', from: 'green', to: 'red', status: begun })] },
    ],
  ])('leaves the protection of one that %s', (_, changes) => {
    const { effects } = stuck(changes);
    expect(done({ effects })).toContain('writeGeneration green');
    expect(effects.find((effect) => effect.do === 'writePlatform')?.status.protected).toEqual(['blue', 'green']);
  });

  it('is all that one that never was live needs to be deleted', () => {
    const { effects } = stuck();
    const generation = { ...green(), status: effects[1]?.status } as ClusterGeneration;
    const platform = { ...meanwhile(), status: effects[0]?.status } as Platform;
    expect(holdOf(generation, platform, moment(1000))).toBeUndefined();
    // After the first write alone its own word still protects it.
    expect(holdOf(green(), platform, moment(1000))).toContain('reserved by Cutover to-green');
  });

  it('does not keep the protection for a cutover between other generations', () => {
    const other = aCutover({ name: 'other', from: 'blue', to: 'red', status: begun });
    expect(stuck({ unfinished: [other] }).effects[0]).toMatchObject({
      do: 'writePlatform',
      status: { protected: ['blue'] },
    });
  });

  it('lets the clock of a retained generation go on', () => {
    const kept = blue({ reservedBy: 'back-to-blue' });
    expect(done(look(5000, { generation: kept }))).toEqual(['writeGeneration blue']);
  });
});

describe('the killer schedule: two leaders, each sure of itself', () => {
  /** Both have read the same objects, a moment ago: one is about to retire blue, the other to go back to it. */
  async function world() {
    const server = anApiServer(() => EPOCH);
    server.seed(clusterGenerations, blue());
    server.seed(platforms, us(1000));
    const client = server.client();
    const read = async () => ({
      generation: await client.get(clusterGenerations, 'blue'),
      platform: await client.get(platforms, 'us'),
    });
    const { generation, platform } = await read();
    const retire = look(1000, { generation, platform }).effects;
    // A cutover writes its target's own object before it moves anything.
    const goBack: Effect[] = [
      {
        ...{ do: 'writeGeneration', object: generation, reason: 'Reserved', what: 'reserve blue' },
        status: { ...generation.status, reservedBy: { name: 'back-to-blue', uid: 'uid-back-to-blue' } },
      },
    ];
    /** As apply does: one effect after the other, and none after one that fails. Returns how many were done. */
    const perform = async (effects: readonly Effect[]) => {
      let count = 0;
      try {
        for (const effect of effects) {
          if (effect.do === 'writeGeneration')
            await writeStatus(client, clusterGenerations, effect.object, effect.status);
          else await writeStatus(client, platforms, effect.object, effect.status);
          count++;
        }
      } catch (error) {
        expect(isConflict(error)).toBe(true);
      }
      return count;
    };
    return { retire, goBack, perform, now: read };
  }

  it('retires first: the way back fails before any traffic moves', async () => {
    const { retire, goBack, perform, now } = await world();
    expect(await perform(retire)).toBe(2);
    expect(await perform(goBack)).toBe(0);
    const { generation, platform } = await now();
    expect(generation.status.reservedBy).toBeUndefined();
    expect(holdOf(generation, platform, moment(0))).toBeUndefined();
  });

  it('goes back first: the retirement fails, and blue stays untouchable', async () => {
    const { retire, goBack, perform, now } = await world();
    expect(await perform(goBack)).toBe(1);
    expect(await perform(retire)).toBe(0);
    const { generation, platform } = await now();
    expect(generation.status.retiredTime).toBeUndefined();
    expect(holdOf(generation, platform, moment(0))).toContain('reserved by Cutover back-to-blue');
  });

  it('goes back between the two writes of the retirement: too late, it is retired for ever', async () => {
    const { retire, goBack, perform, now } = await world();
    expect(await perform(retire.slice(0, 1))).toBe(1);
    expect(await perform(goBack)).toBe(0);
    const { generation, platform } = await now();
    expect(generation.status).toMatchObject({ retiredTime: at(1000) });
    expect(generation.status.reservedBy).toBeUndefined();
    // Until the list has shrunk it keeps its machines.
    expect(holdOf(generation, platform, moment(0))).toBe('blue is in status.protected of Platform us');
  });
});
