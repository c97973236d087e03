import { describe, expect, it } from '@jest/globals';
import {
  aCondition,
  aGeneration,
  aMachine,
  aPlatform,
  aPlatformInput,
  aPool,
  at,
} from '../../../test/builders/index.ts';
import { LIVE_TIME_TAG, type Platform } from '../../api/v1alpha1/index.ts';
import { freezeOf } from '../../domain/freeze.ts';
import type { Machine } from '../../providers/provider.ts';
import { decide } from './decide.ts';
import type { PlatformInput } from './input.ts';

/** Machines of a generation as they were tagged before the restore, with the UID that it had then. */
const machinesOf = (generation: string, liveTime?: string): Machine[] =>
  [1, 2].map((n) => {
    const machine = aMachine({ id: `i-${generation}-${n}`, pool: aPool({ generation }) });
    return { ...machine, tags: { ...machine.tags, ...(liveTime && { [LIVE_TIME_TAG]: liveTime }) } };
  });
const reborn = (name: string, formerUIDs: string[] = []) =>
  aGeneration({ name, metadata: { uid: `new-${name}` }, status: formerUIDs.length > 0 ? { formerUIDs } : {} });
const lost = (changes: Parameters<typeof aPlatform>[0] = {}): Platform => {
  const platform = aPlatform(changes);
  delete platform.status.protected;
  return platform;
};
const rebind = (generation: string, approvedBy: string | undefined = 'bob@example.com') => ({
  rebind: { generation, uid: `uid-${generation}`, requestedBy: 'alice@example.com', approvedBy },
});
const consistent = (status: Platform['status']) => status.conditions?.find(({ type }) => type === 'Consistent');

const both = [...machinesOf('blue', at(10)), ...machinesOf('green', at(20))];
const restored = (changes: Partial<PlatformInput> = {}) =>
  aPlatformInput({
    platform: lost(),
    generations: [reborn('blue'), reborn('green')],
    cloud: { machines: both },
    traffic: [{ target: 'www', name: 'green' }],
    ...changes,
  });
const rebound = [reborn('blue', ['uid-blue']), reborn('green', ['uid-green'])];

describe('a platform restored from a backup', () => {
  it('is frozen, and says nothing of what it protects, so that nothing can be deleted', () => {
    const { status, effects } = decide(restored());
    expect(consistent(status)).toMatchObject({ status: 'False', reason: 'UnknownMachines' });
    expect(freezeOf({ ...lost(), status })).toContain('2 of blue with UID uid-blue');
    expect(status.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({ reason: 'UnknownMachines' });
    expect(status.protected).toBeUndefined();
    expect(effects).toEqual([]);
  });

  it('stays so while half of its machines are known', () => {
    const { status } = decide(restored({ generations: [reborn('blue'), rebound[1]!] }));
    expect(consistent(status)?.status).toBe('False');
    expect(status.protected).toBeUndefined();
  });

  it('stays unknown while the cloud cannot be looked at', () => {
    const cloud = { machines: [], trouble: { reason: 'Unauthorized', message: 'who are you' } };
    const { status } = decide(restored({ cloud }));
    expect(consistent(status)).toMatchObject({ status: 'Unknown', reason: 'Unauthorized' });
    expect(status.protected).toBeUndefined();
    expect(status.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({ status: 'False' });
  });

  it('without any generation has nothing to lose, whatever the cloud', () => {
    const cloud = { machines: [], trouble: { reason: 'ClassNotFound', message: 'create it' } };
    expect(decide(restored({ cloud, generations: [] })).status.protected).toEqual([]);
  });

  it('that came back before its generations protects them by name while it is frozen, and once they are rebound', () => {
    const early = restored({ platform: aPlatform() });
    const { status } = decide(early);
    expect(consistent(status)?.reason).toBe('UnknownMachines');
    expect(status.protected).toEqual(['blue', 'green']);
    expect(decide({ ...early, generations: [...rebound, aGeneration({ name: 'red' })] }).status.protected).toEqual([
      'blue',
      'green',
    ]);
    const gone = rebound.map((one) => ({ ...one, status: { ...one.status, liveTime: at(1), retiredTime: at(2) } }));
    expect(decide({ ...early, generations: gone, cloud: { machines: [] } }).status.protected).toEqual([]);
  });

  it('that was frozen stays so while the cloud cannot be looked at', () => {
    const why = { type: 'Consistent', status: 'False' as const, reason: 'UnknownMachines', message: 'strangers' };
    const platform = aPlatform({ status: { conditions: [aCondition(why)] } });
    const cloud = { machines: [], trouble: { reason: 'Throttled', message: 'slower' } };
    expect(consistent(decide(aPlatformInput({ platform, cloud })).status)).toMatchObject(why);
  });

  it('with nothing at the cloud is one that is new', () => {
    const { status } = decide(restored({ cloud: { machines: [] } }));
    expect(status).toMatchObject({ protected: [] });
    expect(consistent(status)?.status).toBe('True');
  });
});

describe('the live generation of a platform whose machines are known again', () => {
  const known = ['blue', 'green'].map((name) => ({ generation: name, uid: `uid-${name}`, time: at(30) }));
  const first = decide(restored({ generations: rebound, platform: lost({ status: { rebound: known } }) }));
  const listed = (changes: Partial<PlatformInput> = {}) =>
    restored({ generations: rebound, platform: { ...lost(), status: first.status }, ...changes });

  it('is protected with all that is rebound, before anything points at it', () => {
    expect(first.status.protected).toEqual(['blue', 'green']);
    expect(first.status.live).toBeUndefined();
    expect(first.effects).toEqual([]);
    expect(consistent(first.status)?.status).toBe('True');
  });

  it('is what traffic and the newest tag agree on: it says so itself, then the Platform does', () => {
    const second = decide(listed());
    expect(second.effects).toMatchObject([{ object: { metadata: { name: 'green' } }, status: { liveTime: at(20) } }]);
    expect(second.status.live).toBeUndefined();
    const marked = { ...rebound[1]!, status: { ...rebound[1]!.status, liveTime: at(20) } };
    const third = decide(listed({ generations: [rebound[0]!, marked] }));
    expect(third.status.live).toEqual({ name: 'green', uid: 'new-green', time: at(20) });
    expect(third.effects).toEqual([]);
    expect(consistent(third.status)?.status).toBe('True');
  });

  it('is known by the machines behind an address, too', () => {
    const decision = decide(listed({ traffic: [{ target: 'ips', uid: 'uid-green' }] }));
    expect(decision.effects).toMatchObject([{ object: { metadata: { name: 'green' } } }]);
  });

  it.each<[string, Partial<PlatformInput>]>([
    [
      'one target points elsewhere',
      {
        traffic: [
          { target: 'www', name: 'green' },
          { target: 'ips', uid: 'uid-blue' },
        ],
      },
    ],
    ['one target points nowhere', { traffic: [{ target: 'www', name: 'green' }, { target: 'ips' }] }],
    ['traffic goes to the older', { traffic: [{ target: 'www', name: 'blue' }] }],
    ['no machine was ever tagged', { cloud: { machines: [...machinesOf('blue'), ...machinesOf('green')] } }],
    [
      'a cutover has begun to say it',
      {
        generations: [
          { ...rebound[0]!, status: { reservedBy: { name: 'c', uid: 'c' }, observedGeneration: 1 } },
          rebound[1]!,
        ],
      },
    ],
  ])('is not inferred when %s', (_, changes) => {
    const { status, effects } = decide(listed(changes));
    expect([effects, status.live]).toEqual([[], undefined]);
    expect(status.protected).toEqual(['blue', 'green']);
  });

  it('that could not be told is asked for, with how to say it', () => {
    const { status } = decide(listed({ traffic: [{ target: 'www', name: 'blue' }] }));
    expect(status.conditions?.find(({ type }) => type === 'Live')).toMatchObject({
      reason: 'PointerLost',
      message: expect.stringContaining('from: ""'),
    });
  });

  it('is not brought back once it was removed on purpose', () => {
    const previous = { name: 'red', uid: 'uid-red', time: at(40) };
    const platform = { ...lost(), status: { ...first.status, previous } };
    expect(decide(listed({ platform })).effects).toEqual([]);
  });
});

describe('rebinding', () => {
  const asked = (spec: object, changes: Partial<PlatformInput> = {}) =>
    decide(restored({ platform: lost({ spec: spec as Platform['spec'] }), ...changes }));

  it('gives the generation its former UID first, then records it and says so', () => {
    const first = asked(rebind('green'));
    expect(first.effects).toMatchObject([
      { object: { metadata: { name: 'green' } }, status: { formerUIDs: ['uid-green'] } },
    ]);
    expect(first.say).toEqual([]);
    const second = asked(rebind('green'), { generations: [reborn('blue'), rebound[1]!] });
    expect(second.status.rebound).toEqual([{ generation: 'green', uid: 'uid-green', time: at(0) }]);
    expect(second.say).toMatchObject([
      { reason: 'Rebound', note: expect.stringContaining('approved by bob@example.com') },
    ]);
    const third = asked(rebind('green'), {
      generations: [reborn('blue'), rebound[1]!],
      platform: lost({ spec: rebind('green'), status: { rebound: second.status.rebound } }),
    });
    expect([third.effects, third.say, third.status.rebound]).toEqual([[], [], second.status.rebound]);
  });

  it.each<[string, object, Partial<PlatformInput>, string]>([
    [
      'one person',
      { rebind: { ...rebind('green').rebind, approvedBy: undefined } },
      {},
      'another person than alice@example.com approves',
    ],
    ['the same one', rebind('green', 'alice@example.com'), {}, 'two different people'],
    ['a service account', rebind('green', 'system:serviceaccount:a:b'), {}, 'two different people'],
    ['a generation that is not there', rebind('red'), {}, 'ClusterGeneration red of this Platform does not exist'],
    [
      'machines that are not there',
      { rebind: { ...rebind('green').rebind, uid: 'typo' } },
      {},
      'no machine with UID typo',
    ],
    [
      'machines of another name',
      { rebind: { ...rebind('green').rebind, uid: 'uid-blue' } },
      {},
      'are tagged with generation blue',
    ],
    [
      'machines that have an owner',
      { rebind: { ...rebind('green').rebind, uid: 'uid-blue' } },
      { generations: [rebound[0]!, reborn('green')] },
      'is that of ClusterGeneration blue',
    ],
    [
      'a cloud that cannot be seen',
      rebind('green'),
      { cloud: { machines: both, trouble: { reason: 'Throttled', message: 'slower' } } },
      'slower',
    ],
  ])('is not carried out for %s, and says why', (_, spec, changes, message) => {
    const { effects, status, say } = asked(spec, changes);
    expect([effects, say, status.rebound]).toEqual([[], [], undefined]);
    expect(consistent(status)?.message).toContain(`spec.rebind is not carried out: `);
    expect(consistent(status)?.message).toContain(message);
  });
});

describe('an older backup, in which another generation is live', () => {
  const generations = [aGeneration({ name: 'blue', live: true }), aGeneration({ name: 'green', ready: true })];
  const old = (changes: Partial<Platform['status']> = {}, spec: object = {}) =>
    aPlatformInput({
      platform: aPlatform({ live: 'blue', spec: spec as Platform['spec'], status: changes }),
      generations,
      cloud: { machines: both },
      now: Date.parse(at(60)),
    });

  it('is frozen, says so, and protects what the cloud says is live as well', () => {
    const { status } = decide(old());
    expect(consistent(status)).toMatchObject({ status: 'False', reason: 'PointerDisagrees' });
    expect(status.protected).toEqual(['blue', 'green']);
    expect(status.live?.name).toBe('blue');
  });

  it('goes on once two people acknowledge it', () => {
    const { status } = decide(old({}, rebind('green')));
    expect(status.rebound).toEqual([{ generation: 'green', uid: 'uid-green', time: at(60) }]);
    expect(consistent(status)?.status).toBe('True');
  });

  it('is not acknowledged by what was said before, even if it still stands there', () => {
    const before = [{ generation: 'green', uid: 'uid-green', time: at(15) }];
    const { status } = decide(old({ rebound: before }, rebind('green')));
    expect(consistent(status)).toMatchObject({
      status: 'False',
      message: expect.stringContaining('Take spec.rebind out'),
    });
    expect(status.rebound).toEqual(before);
    // Taken out, it is forgotten, and may be said again.
    expect(decide(old({ rebound: before })).status.rebound).toEqual([]);
  });
});
