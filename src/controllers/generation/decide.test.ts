import { describe, expect, it } from '@jest/globals';
import {
  aCapacity,
  aClass,
  aCondition,
  aGeneration,
  aPlatform,
  aPool,
  aPoolSpec,
  aRefusal,
  aStandby,
  at,
  EPOCH,
} from '../../../test/builders/index.ts';
import type { ClusterGeneration } from '../../api/v1alpha1/index.ts';
import { decide } from './decide.ts';
import type { GenerationInput } from './input.ts';
import { isOwn } from './pools.ts';

const input = (changes: Partial<GenerationInput> = {}): GenerationInput => ({
  generation: aGeneration(),
  platform: aPlatform(),
  className: 'aws',
  generationClass: aClass(),
  templateErrors: new Map(),
  own: [],
  others: [],
  capacity: aCapacity(),
  present: [],
  now: EPOCH + 60_000,
  scaled: (ms) => ms,
  ...changes,
});
const condition = (status: ClusterGeneration['status'], type: string) =>
  status.conditions?.find((c) => c.type === type);
const readyPool = (changes: Parameters<typeof aPool>[0] = {}) =>
  aPool({
    instances: ['i-1', 'i-2', 'i-3'],
    ...changes,
    status: { machines: { launched: 3, registered: 3, ready: 3 }, conditions: [aCondition()], ...changes.status },
  });

describe('a new generation', () => {
  it('gets its pools once it is proved that it fits, with the finalizer first', () => {
    const { pools, finalizer, status, requeueAfter } = decide(input());
    expect(finalizer).toBe('add');
    expect(pools).toEqual([
      {
        do: 'create',
        pool: {
          metadata: {
            name: 'green.web',
            labels: aPool().metadata.labels,
            finalizers: ['generations.dev/machines'],
            ownerReferences: [
              {
                apiVersion: 'generations.dev/v1alpha1',
                kind: 'ClusterGeneration',
                name: 'green',
                uid: 'uid-green',
                controller: true,
              },
            ],
          },
          spec: {
            ...aPool().spec,
            placement: [
              { subnet: 'subnet-a', machines: 2 },
              { subnet: 'subnet-b', machines: 1 },
            ],
          },
        },
      },
    ]);
    expect(status).toMatchObject({
      stage: 'Planned',
      machines: { desired: 3, launched: 0, registered: 0, ready: 0, failed: 0 },
      capacity: { machines: 3, vcpus: 12, provedTime: at(60) },
    });
    expect(condition(status, 'CapacityProved')).toMatchObject({ status: 'True', reason: 'Fits' });
    expect(requeueAfter).toBe(15_000);
  });

  it('that does not fit gets no pool at all, and a message with the sum', () => {
    const { pools, status } = decide(input({ capacity: aCapacity({ free: { 'subnet-a': 2 } }) }));
    expect(pools).toEqual([]);
    expect(condition(status, 'CapacityProved')).toMatchObject({ status: 'False', reason: 'InsufficientAddresses' });
    expect(condition(status, 'Ready')?.message).toContain('3 more machines need 3 addresses and 2 are free');
    expect(condition(status, 'Stalled')?.status).toBe('True');
    expect(status.capacity).toBeUndefined();
  });

  it('is left as it is while the cloud cannot be asked', () => {
    const { pools, status } = decide(input({ capacity: aRefusal('Unauthorized') }));
    expect(pools).toEqual([]);
    expect(condition(status, 'CapacityProved')).toMatchObject({ status: 'Unknown', reason: 'Unauthorized' });
    expect(condition(status, 'Reconciling')?.status).toBe('True');
  });

  it('that is refused keeps what it has and takes no finalizer', () => {
    const decision = decide(input({ platform: undefined, own: [readyPool()] }));
    expect(decision).toMatchObject({ pools: [], finalizer: 'keep', requeueAfter: 15_000 });
    expect(condition(decision.status, 'Accepted')).toMatchObject({ status: 'False', reason: 'PlatformNotFound' });
    expect(condition(decision.status, 'Stalled')?.status).toBe('True');
  });
});

describe('a generation with its pools', () => {
  it('is Ready when all pools are, and the same decision again changes nothing', () => {
    const generation = aGeneration();
    const first = decide(input({ generation, own: [readyPool()], capacity: undefined }));
    expect(first).toMatchObject({ pools: [], requeueAfter: 300_000, status: { stage: 'Staged' } });
    expect(condition(first.status, 'Ready')).toMatchObject({
      status: 'True',
      reason: 'AllReady',
      message: '3 machines are ready',
    });
    expect(condition(first.status, 'Deletable')).toMatchObject({ status: 'True', reason: 'NeverLive' });
    const again = decide(
      input({
        generation: { ...generation, status: first.status },
        own: [readyPool()],
        capacity: undefined,
        now: EPOCH + 9e6,
      }),
    );
    expect(again.status).toEqual(first.status);
  });

  it('says which pool it waits for, and why that one is stuck', () => {
    const slow = aPool({ status: { machines: { launched: 1, registered: 0, ready: 0 } } });
    expect(condition(decide(input({ own: [slow] })).status, 'Ready')?.message).toBe(
      '1 of 3 machines launched, 0 ready; waiting for pool green.web',
    );
    const failures = [{ reason: 'Throttled' as const, message: 'slow down', count: 1, since: at(0) }];
    const { status } = decide(input({ own: [aPool({ status: { ...slow.status, failures } })] }));
    expect(condition(status, 'Ready')).toMatchObject({
      reason: 'Throttled',
      message: '1 of 3 machines launched, 0 ready; pool green.web: slow down',
    });
    expect(condition(status, 'Throttled')?.status).toBe('True');
    expect(status.stage).toBe('Provisioning');
  });

  it('grows in place: only what is added finds a new place', () => {
    const generation = aGeneration({ live: true, spec: { pools: [aPoolSpec({ machines: 5 })] } });
    const { pools } = decide(
      input({ generation, own: [readyPool()], capacity: aCapacity({ free: { 'subnet-a': 1, 'subnet-b': 9 } }) }),
    );
    expect(pools).toMatchObject([
      {
        do: 'update',
        spec: {
          machines: 5,
          placement: [
            { subnet: 'subnet-a', machines: 3 },
            { subnet: 'subnet-b', machines: 2 },
          ],
        },
      },
    ]);
  });

  it('shrinks without asking the cloud', () => {
    const generation = aGeneration({ spec: { pools: [aPoolSpec({ machines: 1 })] } });
    const { pools } = decide(input({ generation, own: [readyPool()], capacity: undefined }));
    expect(pools).toMatchObject([
      { do: 'update', spec: { machines: 1, placement: [{ subnet: 'subnet-a', machines: 1 }] } },
    ]);
  });

  it('asks for the deletion of a pool that its spec has no more, once', () => {});

  it('leaves a pool alone that is being deleted, whatever its size', () => {
    const leaving = aPool({ deleting: true, spec: { machines: 9 } });
    expect(decide(input({ own: [leaving] })).pools).toEqual([]);
  });

  it('keeps the time of its proof while the placement stays', () => {
    const own = [readyPool()];
    const { status } = decide(input({ own }));
    const later = decide(input({ generation: aGeneration({ status }), own, now: EPOCH + 9e6 }));
    expect(later.status.capacity?.provedTime).toBe(at(60));
  });
});

describe('a generation that is being deleted', () => {
  const deleting = (changes: Parameters<typeof aGeneration>[0] = {}) => aGeneration({ deleting: true, ...changes });

  it('that was never live hands all its pools over, and asks nobody else', () => {
    const { pools, finalizer, status } = decide(
      input({ generation: deleting(), own: [readyPool()], platform: undefined, capacity: undefined }),
    );
    expect(pools).toMatchObject([{ do: 'delete' }]);
    expect(finalizer).toBe('keep');
    expect(status.machines).toMatchObject({ desired: 0 });
    expect(condition(status, 'Ready')).toMatchObject({
      reason: 'Deleting',
      message: 'it is being deleted; 3 machines in 1 pools are still to be removed',
    });
  });

  it('goes when its last pool is gone, not before', () => {
    expect(decide(input({ generation: deleting(), own: [aPool({ deleting: true })] }))).toMatchObject({
      finalizer: 'keep',
      pools: [],
    });
    expect(decide(input({ generation: deleting(), own: [] })).finalizer).toBe('remove');
  });

  it('is not asked for, of a platform that is frozen, and says why', () => {
    const frozen = aCondition({
      type: 'Consistent',
      status: 'False',
      reason: 'Unknown',
      message: 'the cloud knows more',
    });
    const platform = aPlatform({ status: { conditions: [frozen] } });
    const { pools, status } = decide(input({ generation: deleting(), platform, own: [readyPool()] }));
    expect(pools).toEqual([]);
    expect(condition(status, 'Ready')?.message).toBe('it is being deleted, and kept: the cloud knows more');
  });

  it('says what the interlock refuses one of its pools', () => {
    const refusal = { reason: 'i-1 is not ours', since: at(0), tries: 1, retryTime: at(5) };
    const own = [aPool({ deleting: true, status: { machines: { launched: 3, registered: 3, ready: 3 }, refusal } })];
    expect(condition(decide(input({ generation: deleting(), own })).status, 'Ready')?.message).toBe(
      'it is being deleted; 3 machines in 1 pools are still to be removed; pool green.web: i-1 is not ours',
    );
  });

  it('that is held says by what', () => {
    const { status } = decide(
      input({ generation: deleting({ live: true }), platform: aPlatform({ live: 'green' }), own: [readyPool()] }),
    );
    expect(condition(status, 'Ready')?.message).toBe(
      `it is being deleted, and kept: green is the live generation of Platform us since ${at(0)}`,
    );
    expect(condition(status, 'Deletable')).toMatchObject({ status: 'False', reason: 'Protected' });
  });
});

describe('a retired generation', () => {
  it('loses its pools and stays as the record', () => {
    const generation = aGeneration({ retired: true });
    const { pools, status, finalizer } = decide(input({ generation, own: [readyPool()] }));
    expect(pools).toMatchObject([{ do: 'delete' }]);
    expect(finalizer).toBe('keep');
    expect(status).toMatchObject({ stage: 'Retired', retiredTime: at(60), machines: { desired: 0, launched: 3 } });
    expect(condition(status, 'Ready')).toMatchObject({ status: 'True', reason: 'Retired' });
    expect(condition(status, 'Retired')).toMatchObject({ message: `retired at ${at(60)} by Cutover to-next` });
    expect(decide(input({ generation, own: [] }))).toMatchObject({
      finalizer: 'remove',
      pools: [],
      requeueAfter: 300_000,
    });
  });

  it('never gets a pool again, not even for a new spec', () => {
    const generation = aGeneration({ retired: true, spec: { pools: [aPoolSpec({ machines: 50 })] } });
    expect(decide(input({ generation })).pools).toEqual([]);
  });
});

describe('the pools of a generation', () => {
  it('are told from those of a namesake and of one whose name begins alike', () => {
    const green = aGeneration();
    expect(isOwn(green, aPool())).toBe(true);
    expect(isOwn(green, aPool({ spec: { generationUID: 'another' } }))).toBe(false);
    expect(isOwn(green, aPool({ generation: 'green-2' }))).toBe(false);
  });
});

describe('a generation of a platform that is frozen', () => {
  it('gets no pools, and says why', () => {
    const why = { type: 'Consistent', status: 'False' as const, reason: 'UnknownMachines', message: 'strangers' };
    const platform = aPlatform({ status: { conditions: [aCondition(why)] } });
    const { pools, status } = decide(input({ platform }));
    expect(pools).toEqual([]);
    expect(status.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      reason: 'Frozen',
      message: 'strangers',
    });
  });
});

describe('a generation that is restored', () => {
  it('has its places where its machines are, however little room there is', () => {
    const present = [
      { pool: 'web', subnet: 'subnet-b', machines: 2 },
      { pool: 'web', subnet: 'subnet-a', machines: 1 },
    ];
    const { pools } = decide(input({ present, capacity: aCapacity({ free: { 'subnet-a': 0, 'subnet-b': 0 } }) }));
    expect(pools).toMatchObject([
      {
        do: 'create',
        pool: {
          spec: {
            placement: [
              { subnet: 'subnet-a', machines: 1 },
              { subnet: 'subnet-b', machines: 2 },
            ],
          },
        },
      },
    ]);
  });

  it('owns the pools that came with it', () => {
    const green = aGeneration({ metadata: { uid: 'new' }, status: { formerUIDs: ['uid-green'] } });
    expect(isOwn(green, aPool())).toBe(true);
  });
});

describe('what a person may have meant', () => {
  const platform = aPlatform({ live: 'green', status: { neverLive: ['half'] } });
  const of = (changes: Parameters<typeof input>[0]) => decide(input(changes)).status.neverLive;

  it('stands in the status of a generation that is held, and of no other', () => {
    expect(of({ platform, generation: aGeneration({ live: true }) })).toEqual(['half']);
    expect(of({ platform, generation: aGeneration({ live: true, deleting: true }) })).toEqual(['half']);
    expect(of({ platform, generation: aGeneration({ name: 'half', status: { neverLive: ['old'] } }) })).toBeUndefined();
  });
});

describe('a generation that two people override', () => {
  it('says that it can be deleted, and why', () => {
    const until = at(600);
    const platform = aPlatform({
      live: 'green',
      status: { override: { generation: 'green', uid: 'uid-green', until } },
    });
    const generation = aGeneration({ live: true, status: { override: { until } } });
    const { status } = decide(input({ platform, generation }));
    expect(status.conditions?.find(({ type }) => type === 'Deletable')).toMatchObject({
      status: 'True',
      reason: 'Overridden',
      message: `by two people, until ${until}`,
    });
  });
});

describe('a generation that a cutover has left', () => {
  const platform = aPlatform({ live: 'blue', status: { protected: ['blue', 'green'] } });
  const pool = (reason: string, ready: number, status: 'True' | 'False' = 'True') =>
    readyPool({
      status: {
        machines: { launched: 3, registered: 3, ready },
        conditions: [aCondition({ status, reason, message: 'so it is' })],
      },
    });
  const look = (generation: ClusterGeneration, own: ReturnType<typeof pool>, now = EPOCH + 60_000) =>
    decide(input({ generation, platform, own: [own], capacity: undefined, now }));

  it('is Retained and Ready while its machines are stopped, and when they are', () => {
    const stopping = look(aStandby(), pool('StandbyStopping', 1)).status;
    expect(stopping.stage).toBe('Retained');
    expect(condition(stopping, 'Ready')).toMatchObject({
      ...{ status: 'True', reason: 'StandbyStopping' },
      message: `its machines are being stopped, and kept for a rollback until ${at(9000)}; pool green.web: so it is`,
    });
    const { status, requeueAfter, pools } = look(aStandby(), pool('StandbyStopped', 0));
    expect(condition(status, 'Ready')).toMatchObject({ status: 'True', reason: 'StandbyStopped' });
    expect(condition(status, 'Provisioned')?.status).toBe('True');
    expect([status.estimatedReadyTime, requeueAfter, pools]).toEqual([undefined, 300_000, []]);
    expect(condition(status, 'Deletable')).toMatchObject({ status: 'False' });
  });

  it('says when it will be Ready while it is started, once, and again only when that did not come true', () => {
    const reserved = aStandby({ reservedBy: 'back-to-green' });
    const first = look(reserved, pool('StandbyStopped', 0)).status;
    expect(condition(first, 'Ready')).toMatchObject({ status: 'False', reason: 'StandbyStarting' });
    expect([first.stage, first.estimatedReadyTime]).toEqual(['Retained', at(240)]);
    const later = look({ ...reserved, status: first }, pool('StandbyStarting', 1, 'False'), EPOCH + 200_000).status;
    expect(later.estimatedReadyTime).toBe(at(240));
    const late = look({ ...reserved, status: first }, pool('StandbyStarting', 2, 'False'), EPOCH + 241_000).status;
    expect(late.estimatedReadyTime).toBe(at(421));
    const ready = look({ ...reserved, status: first }, pool('AllReady', 3)).status;
    expect(ready).not.toHaveProperty('estimatedReadyTime');
    expect(condition(ready, 'Ready')).toMatchObject({ status: 'True', reason: 'AllReady' });
  });

  it('is Retained with running machines, too, and says when one of them is missing', () => {
    const retention = { until: at(9000), standby: 'Running' as const, cutover: { name: 'x', uid: 'x' } };
    const generation = aStandby({ status: { retention } });
    expect(condition(look(generation, readyPool()).status, 'Ready')?.reason).toBe('AllReady');
    const { status } = look(generation, pool('WaitingForNodes', 2, 'False'));
    expect(status.stage).toBe('Retained');
    expect(condition(status, 'Ready')).toMatchObject({ status: 'False', reason: 'Provisioning' });
  });

  it('is Staged again, and deletable, when an aborted cutover has given it back', () => {
    const { status } = decide(input({ platform: aPlatform({ live: 'blue' }), own: [readyPool()] }));
    expect(status.stage).toBe('Staged');
    expect(condition(status, 'Live')?.reason).toBe('NeverLive');
    expect(condition(status, 'Deletable')).toMatchObject({ status: 'True', reason: 'NeverLive' });
  });
});
