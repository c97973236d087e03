import { describe, expect, it } from '@jest/globals';
import {
  aGeneration,
  aMachine,
  aNode,
  aPlatform,
  aPool,
  aRefusal,
  aTemplate,
  at,
  EPOCH,
} from '../../../test/builders/index.ts';
import type { GenerationPool } from '../../api/v1alpha1/index.ts';
import { LABEL, RELEASED_TAG } from '../../api/v1alpha1/index.ts';
import { labelsOfMember } from '../../domain/identity.ts';
import type { NodeView } from '../nodes.ts';
import { decide } from './decide.ts';
import type { PoolInput } from './input.ts';
import { NOTHING_LACKS } from './sight.ts';

/** A pool of three with `machines` of them at the cloud, each with a Ready Node. */
function input(changes: Partial<PoolInput> & { ids?: string[]; nodeless?: string[] } = {}): PoolInput {
  const { ids = [], nodeless = [], ...rest } = changes;
  const pool = rest.pool ?? aPool({ instances: ids });
  const nodes = ids.filter((id) => !nodeless.includes(id)).map((machine) => aNode({ machine, pool }));
  return {
    pool,
    generation: aGeneration(),
    platform: aPlatform(),
    machines: ids.map((id) => aMachine({ id, pool })),
    standstill: {},
    revived: { bare: [], unknown: 0 },
    working: new Set(),
    twins: [],
    sight: NOTHING_LACKS,
    account: undefined,
    affordable: 1000,
    nodes: byProvider(nodes),
    now: EPOCH + 60_000,
    scaled: (ms) => ms,
    ...rest,
  };
}
const byProvider = (nodes: NodeView[]) => new Map(nodes.map((node) => [node.providerID, node]));
const three = ['i-1', 'i-2', 'i-3'];
const conditionOf = (status: GenerationPool['status'], type: string) => status.conditions?.find((c) => c.type === type);

describe('a pool that lacks machines', () => {
  it('journals the launches before it asks for them', () => {
    const { status, launch } = decide(input());
    expect(launch).toEqual([{ token: 'uid-green.web-0', subnet: 'subnet-a', machines: 3, time: at(60) }]);
    expect(status).toMatchObject({
      launches: launch,
      launchCount: 1,
      machines: { launched: 0, registered: 0, ready: 0 },
    });
    expect(conditionOf(status, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'Launching',
      message: '0 of 3 machines launched, 0 ready',
    });
  });

  it('repeats an unanswered launch with its token and counts it once', () => {
    const journal = [{ token: 'uid-green.web-4', subnet: 'subnet-a', machines: 3, time: at(1) }];
    const { status, launch } = decide(input({ pool: aPool({ status: { launches: journal, launchCount: 5 } }) }));
    expect(launch).toEqual(journal);
    expect(status).toMatchObject({ launches: journal, launchCount: 5 });
  });

  it('waits after a refusal, and looks again when the wait is over', () => {
    const failures = [
      { reason: 'Throttled' as const, message: 'slow down', count: 2, since: at(50), retryTime: at(63) },
    ];
    const waiting = decide(input({ pool: aPool({ status: { failures } }) }));
    expect([waiting.launch, waiting.requeueAfter]).toEqual([[], 3_000]);
    expect(conditionOf(waiting.status, 'Launched')).toMatchObject({
      status: 'False',
      reason: 'Throttled',
      message: 'slow down',
    });
    expect(decide(input({ pool: aPool({ status: { failures } }), now: EPOCH + 63_000 })).launch).toHaveLength(1);
  });

  it.each([
    ['is being deleted', { pool: aPool({ deleting: true }) }],
    ['is of a retired generation', { generation: aGeneration({ retired: true }) }],
  ])('launches nothing when it %s', (_, changes) => {
    expect(decide(input(changes)).launch).toEqual([]);
  });

  it('asks for nothing while the account’s budget affords nothing, and looks again soon', () => {
    expect(decide(input({ affordable: 0 }))).toMatchObject({ launch: [], requeueAfter: 2_000 });
  });

  it('does nothing while the cloud cannot be asked, and claims nothing but that (S5, S11)', () => {
    const pool = aPool({
      deleting: true,
      instances: three,
      status: { machines: { launched: 3, registered: 3, ready: 3 } },
    });
    const decision = decide(input({ pool, machines: aRefusal('Unauthorized', { retryAfter: 45_000 }) }));
    expect(decision).toMatchObject({
      launch: [],
      label: [],
      terminate: undefined,
      release: false,
      requeueAfter: 45_000,
    });
    expect(decision.status.machines).toEqual(pool.status.machines);
    expect(conditionOf(decision.status, 'Ready')).toMatchObject({ status: 'Unknown', reason: 'Unauthorized' });
  });
});

describe('a pool whose machines are all there', () => {
  it('is quiet: the same status again, and a look every minute', () => {
    const first = decide(input({ ids: three }));
    expect(first).toMatchObject({ launch: [], label: [], terminate: undefined, release: false, requeueAfter: 60_000 });
    expect(conditionOf(first.status, 'Ready')).toMatchObject({ status: 'True', message: '3 machines are ready' });
    const pool = { ...aPool(), status: first.status };
    const later = decide(input({ pool, ids: three, now: EPOCH + 999_000 }));
    expect(later.status).toEqual(first.status);
    expect(JSON.stringify(later.status)).toBe(JSON.stringify(first.status));
  });

  it('counts only labelled Nodes that are Ready as ready', () => {
    const pool = aPool({ instances: three });
    const nodes = [
      aNode({ pool }),
      aNode({ machine: 'i-2', pool, ready: false }),
      aNode({ machine: 'i-3', pool, labels: {} }),
    ];
    const { status, label } = decide(input({ pool, ids: three, nodes: byProvider(nodes) }));
    expect(status.machines).toEqual({ launched: 3, registered: 3, ready: 1 });
    expect(label.map(({ name }) => name)).toEqual(['node-i-3']);
  });

  it('forgets failures once it is complete', () => {
    const failures = [
      { reason: 'CapacityUnavailable' as const, message: '', count: 2, since: at(0), retryTime: at(10) },
    ];
    expect(
      decide(input({ pool: aPool({ instances: three, status: { failures } }), ids: three })).status.failures,
    ).toEqual([]);
  });
});

describe('a new Node', () => {
  const pool = aPool({
    instances: ['i-1'],
    spec: {
      template: aTemplate({
        labels: { disk: 'fast' },
        taints: [{ key: 'dedicated', value: 'web', effect: 'NoSchedule' }],
      }),
    },
  });
  const labelled = (node: Partial<NodeView>) =>
    decide(input({ pool, ids: ['i-1'], nodes: byProvider([aNode({ pool, ...node })]) })).label;

  it('gets the pool’s labels and taints in one write', () => {
    expect(labelled({ labels: {} })).toEqual([
      { name: 'node-i-1', labels: { disk: 'fast', ...labelsOfMember(pool) }, taints: pool.spec.template.taints },
    ]);
  });

  it('keeps a taint that it has, and gets one back only the first time: people may take it off', () => {
    expect(
      labelled({ labels: {}, taints: [{ key: 'dedicated', value: 'other', effect: 'NoSchedule' }] })[0]?.taints,
    ).toEqual([]);
    expect(labelled({ labels: { disk: 'fast', ...labelsOfMember(pool) } })).toEqual([]);
    expect(labelled({})).toEqual([{ name: 'node-i-1', labels: { disk: 'fast' }, taints: [] }]);
  });

  it('that claims to be another generation’s is left alone (S6)', () => {
    expect(labelled({ labels: { [LABEL.generationUID]: 'uid-blue' } })).toEqual([]);
  });

  it('is matched only to machines that the cloud shows with the pool’s tags', () => {
    const nodes = byProvider([aNode({ machine: 'i-1', pool, labels: {} })]);
    expect(decide(input({ pool, machines: [], nodes })).label).toEqual([]);
  });
});

describe('a machine that never registers', () => {
  const late = { ids: three, nodeless: ['i-3'] };
  it('is given ten minutes, then named and replaced', () => {
    expect(decide(input({ ...late, now: EPOCH + 600_000 })).terminate).toBeUndefined();
    const { terminate, status } = decide(input({ ...late, now: EPOCH + 600_001 }));
    expect(terminate).toEqual({ ids: ['i-3'], because: 'it never registered as a Node' });
    expect(status.failures).toEqual([
      {
        reason: 'RegistrationTimeout',
        count: 1,
        since: new Date(EPOCH + 600_001).toISOString(),
        message:
          '1 machines run at the cloud and have not registered a Node: i-3. Look at their console output, user data and security groups',
      },
    ]);
  });

  it('is given 90 real seconds in a drill: the API server takes Nodes in no faster there', () => {
    const drill = { ...late, scaled: (ms: number) => ms / 60 };
    expect(decide(input({ ...drill, now: EPOCH + 90_000 })).terminate).toBeUndefined();
    expect(decide(input({ ...drill, now: EPOCH + 90_001 })).terminate?.ids).toEqual(['i-3']);
  });

  it('is kept while nearly all Nodes that there were are missing at once: that is the list, not the machine', () => {
    const sight = { ...NOTHING_LACKS, nodesLack: true };
    expect(decide(input({ ...late, sight, now: EPOCH + 700_000 })).terminate).toBeUndefined();
  });

  it('is none that had registered since its last start: its Node is gone, and that is said instead', () => {
    const [first, second, third] = aPool({ instances: three }).status.instances!;
    const pool = aPool({ status: { instances: [first!, second!, { ...third!, registeredTime: at(60) }] } });
    const { terminate, status } = decide(input({ ...late, pool, now: EPOCH + 7_000_000 }));
    expect(terminate).toBeUndefined();
    expect(status.failures).toMatchObject([{ reason: 'NodeLost', count: 1, message: expect.stringContaining('i-3') }]);
    const started = three.map((id) => aMachine({ id, pool, launchTime: EPOCH + 120_000 }));
    expect(decide(input({ ...late, pool, machines: started, now: EPOCH + 7_000_000 })).terminate?.ids).toEqual(['i-3']);
  });

  it('of a generation that is held is named and kept (S2)', () => {
    const generation = aGeneration({ reservedBy: 'to-green' });
    const { terminate, status } = decide(input({ ...late, generation, now: EPOCH + 700_000 }));
    expect(terminate).toBeUndefined();
    expect(status.failures?.[0]?.reason).toBe('RegistrationTimeout');
  });
});

describe('machines that are too many', () => {
  const four = [...three, 'i-4'];
  const times = [at(0), at(5), at(9), at(1)];
  const pool = aPool({
    spec: { machines: 2 },
    status: { instances: four.map((id, n) => ({ id, subnet: 'subnet-a', time: times[n]! })) },
  });

  it('are first those without a Node, then the youngest', () => {
    const { terminate } = decide(input({ pool, ids: four, nodeless: ['i-4'] }));
    expect(terminate).toEqual({ ids: ['i-4', 'i-3'], because: 'its pool was made smaller' });
  });

  it('are not decided while a launch has no answer: it may be among them', () => {
    const launches = [{ token: 't', subnet: 'subnet-a', machines: 1, time: at(0) }];
    const { terminate } = decide(input({ pool: { ...pool, status: { ...pool.status, launches } }, ids: four }));
    expect(terminate).toBeUndefined();
  });

  it.each([
    ['is live', { generation: aGeneration({ live: true }), platform: aPlatform({ live: 'green' }) }],
    ['is unknown', { generation: undefined }],
    ['is reserved', { generation: aGeneration({ reservedBy: 'x' }) }],
  ])('are kept when the generation %s', (_, changes) => {
    expect(decide(input({ pool, ids: four, ...changes })).terminate).toBeUndefined();
  });

  it('are all of them once the generation is retired', () => {
    const { terminate } = decide(input({ pool, ids: four, generation: aGeneration({ retired: true }) }));
    expect(terminate).toEqual({ ids: four, because: 'its generation is retired' });
  });
});

describe('a pool that is being deleted', () => {
  const leaving = (changes: Partial<GenerationPool['status']> = {}, deletedAt = at(0)) =>
    aPool({ deleting: true, metadata: { deletionTimestamp: deletedAt }, status: changes });

  it('hands all its machines to the interlock, which decides again', () => {
    const decision = decide(input({ pool: aPool({ deleting: true, instances: three }), ids: three }));
    expect(decision.terminate).toEqual({ ids: three, because: 'its pool is being deleted' });
    expect(decision.release).toBe(false);
    expect(conditionOf(decision.status, 'Ready')).toMatchObject({
      reason: 'Deleting',
      message: '3 machines are still to be removed',
    });
  });

  it('waits after the cloud refused to let its machines go, says so, and forgets what came before', () => {
    const failure = (since: string) => ({
      reason: 'Unauthorized' as const,
      message: 'no right to terminate',
      count: 1,
      since,
      retryTime: at(90),
    });
    const refused = (since: string) =>
      decide(
        input({
          pool: aPool({ deleting: true, instances: three, status: { failures: [failure(since)] } }),
          ids: three,
        }),
      );
    expect(refused(at(30))).toMatchObject({ terminate: undefined });
    expect(conditionOf(refused(at(30)).status, 'Ready')).toMatchObject({
      reason: 'Unauthorized',
      message: '3 machines are still to be removed: no right to terminate',
    });
    expect(refused(at(-30)).terminate?.ids).toEqual(three);
    expect(refused(at(-30)).status.failures).toEqual([]);
  });

  it('goes when the cloud shows every machine terminated, not before', () => {
    const release = (machines: PoolInput['machines']) => decide(input({ pool: leaving(), machines })).release;
    expect(release([aMachine({ state: 'shutting-down' })])).toBe(false);
    expect(release([aMachine({ state: 'terminated' })])).toBe(true);
    expect(release([])).toBe(true);
  });

  it('stays while a machine that it counts is not shown: an answer that leaves it out proves nothing', () => {
    expect(decide(input({ pool: aPool({ deleting: true, instances: ['i-1'] }), machines: [] })).release).toBe(false);
  });

  it('stays while a launch without an answer can still bring a machine: a minute from the last moment it may have been sent', () => {
    const launches = [{ token: 't', subnet: 'subnet-a', machines: 1, time: at(-600) }];
    const release = (now: number) =>
      decide(input({ pool: leaving({ launches }), machines: [], now: EPOCH + now })).release;
    expect(release(1_000)).toBe(false);
    expect(release(60_000)).toBe(false);
    expect(release(60_001)).toBe(true);
  });
});

describe('a pool of a platform that is frozen', () => {
  const standstill = { launch: 'strangers', end: 'strangers' };

  it('launches nothing, new or journalled, and says why', () => {
    const journal = [{ token: 'uid-green.web-4', subnet: 'subnet-a', machines: 3, time: at(1) }];
    for (const pool of [aPool(), aPool({ status: { launches: journal, launchCount: 5 } })]) {
      const { status, launch } = decide(input({ pool, standstill }));
      expect(launch).toEqual([]);
      expect(status.launches ?? []).toEqual(pool.status.launches ?? []);
      expect(conditionOf(status, 'Ready')).toMatchObject({ status: 'False', reason: 'Frozen', message: 'strangers' });
    }
  });

  it('ends nothing and goes nowhere', () => {
    const leaving = aPool({ deleting: true, instances: three });
    expect(decide(input({ pool: leaving, ids: three, standstill }))).toMatchObject({
      terminate: undefined,
      letGo: [],
      release: false,
    });
    expect(decide(input({ pool: aPool({ deleting: true }), standstill })).release).toBe(false);
    const small = aPool({ instances: three, spec: { machines: 1 } });
    expect(decide(input({ pool: small, ids: three, standstill })).terminate).toBeUndefined();
    const { status } = decide(input({ pool: leaving, ids: three, standstill }));
    expect(conditionOf(status, 'Ready')).toMatchObject({
      reason: 'Frozen',
      message: expect.stringContaining('strangers'),
    });
  });

  it('that is complete is Ready all the same', () => {
    expect(conditionOf(decide(input({ ids: three, standstill })).status, 'Ready')?.status).toBe('True');
  });

  it('without a Platform launches nothing, and still goes', () => {
    const alone = { platform: undefined, standstill: { launch: 'Platform us does not exist: create it' } };
    expect(decide(input(alone)).launch).toEqual([]);
    const leaving = aPool({ deleting: true, instances: three });
    expect(decide(input({ pool: leaving, ids: three, ...alone })).terminate?.ids).toEqual(three);
  });
});

describe('what the interlock refuses', () => {
  const pool = (refusal?: GenerationPool['status']['refusal']) =>
    aPool({ deleting: true, instances: three, status: refusal ? { refusal } : {} });
  const asked = { reason: 'i-1 is not ours', since: at(10), tries: 3, retryTime: at(80) };

  it('is not asked for while that is known beforehand: it is said, and looked at again when something changes', () => {
    const unguarded = { generation: aGeneration({ retired: true }), now: EPOCH + 200_000 };
    const { terminate, status, requeueAfter } = decide(input({ pool: pool(), ids: three, ...unguarded }));
    expect([terminate, requeueAfter]).toEqual([undefined, 60_000]);
    expect(status.refusal).toEqual({
      reason: `the guard of Platform us was last probed at ${at(0)}. What was ever live is removed only while the guard is seen to work`,
      since: at(200),
      tries: 0,
    });
    expect(conditionOf(status, 'Ready')).toMatchObject({ status: 'False', reason: 'Refused' });
    // Later it is the same, to the letter: nothing is written.
    const later = decide(input({ pool: pool(status.refusal), ids: three, ...unguarded, now: EPOCH + 300_000 }));
    expect(later.status.refusal).toEqual(status.refusal);
  });

  it('is asked for as soon as nothing stands against it', () => {
    const { terminate, status } = decide(input({ pool: pool({ reason: 'x', since: at(1), tries: 0 }), ids: three }));
    expect([terminate?.ids, status.refusal]).toEqual([three, undefined]);
  });

  it('is asked for again when its time has come, and not before; the rest goes on', () => {
    const waiting = decide(input({ pool: pool(asked), ids: three }));
    expect([waiting.terminate, waiting.status.refusal, waiting.requeueAfter]).toEqual([undefined, asked, 20_000]);
    const due = decide(input({ pool: pool(asked), ids: three, now: EPOCH + 80_000 }));
    expect([due.terminate?.ids, due.status.refusal]).toEqual([three, asked]);
    const surplus = aPool({ instances: ['i-1'], status: { refusal: asked } });
    expect(decide(input({ pool: surplus, ids: ['i-1'] })).launch).toMatchObject([{ machines: 2 }]);
  });

  it('is forgotten when nothing is too much any more', () => {
    const whole = aPool({ instances: three, status: { refusal: asked } });
    expect(decide(input({ pool: whole, ids: three })).status.refusal).toBeUndefined();
  });
});

describe('a pool whose machines are let go', () => {
  const until = at(600);
  const released = {
    generation: aGeneration({ live: true, deleting: true, status: { override: { until, release: true } } }),
    platform: aPlatform({
      live: 'green',
      status: { override: { generation: 'green', uid: 'uid-green', until, release: true } },
    }),
  };
  const pool = aPool({ deleting: true, instances: three });

  it('tags them instead of ending them', () => {
    expect(decide(input({ pool, ids: three, ...released }))).toMatchObject({
      letGo: three,
      terminate: undefined,
      release: false,
    });
  });

  it('goes when all of them are tagged, though they live on', () => {
    const machines = three.map((id) => {
      const machine = aMachine({ id, pool });
      return { ...machine, tags: { ...machine.tags, [RELEASED_TAG]: at(1) } };
    });
    expect(decide(input({ pool, machines, ...released }))).toMatchObject({
      letGo: [],
      terminate: undefined,
      release: true,
    });
  });

  it('keeps them when the override is over, and says why: the interlock would refuse', () => {
    const late = decide(input({ pool, ids: three, ...released, now: Date.parse(until) }));
    expect(late).toMatchObject({ letGo: [], terminate: undefined });
    expect(conditionOf(late.status, 'Ready')).toMatchObject({
      reason: 'Refused',
      message: `3 machines are still to be removed: green is the live generation of Platform us since ${at(0)}`,
    });
  });

  it('keeps them while it is not deleted itself', () => {
    const kept = aPool({ instances: three });
    expect(decide(input({ pool: kept, ids: three, ...released }))).toMatchObject({ letGo: [], terminate: undefined });
  });
});

describe('a Node from before a restore', () => {
  const generation = aGeneration({ metadata: { uid: 'new' }, status: { formerUIDs: ['uid-green'] } });
  const pool = aPool({ instances: ['i-1'], spec: { generationUID: 'new', machines: 1 } });
  const before = aNode({ machine: 'i-1', pool: aPool() });

  it('keeps its label, gets what else it lacks, and counts', () => {
    const nodes = byProvider([before]);
    const machines = [aMachine({ id: 'i-1', pool: aPool() })];
    expect(decide(input({ pool, generation, machines, nodes }))).toMatchObject({
      label: [],
      status: { machines: { ready: 1 } },
    });
    const { [LABEL.role]: _, ...labels } = before.labels;
    expect(
      decide(input({ pool, generation, machines, nodes: byProvider([{ ...before, labels }]) })).label,
    ).toMatchObject([{ labels: { [LABEL.role]: 'web' } }]);
  });
});
