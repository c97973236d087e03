import { describe, expect, it } from '@jest/globals';
import { aGeneration, aMachine, aNode, aPlatform, aPool, aStandby, at, EPOCH } from '../../../test/builders/index.ts';
import type { GenerationPool } from '../../api/v1alpha1/index.ts';
import type { MachineState } from '../../providers/provider.ts';
import { decide } from './decide.ts';
import type { PoolInput } from './input.ts';
import { NOTHING_LACKS } from './sight.ts';

const three = ['i-1', 'i-2', 'i-3'];
const guard = { effective: true, lastProbeTime: at(3_600), probes: [] };

/** Pool green.web an hour after blue went live; `states` of its three machines, each with a Node that is Ready while it runs. */
function input(states: MachineState[], changes: Partial<PoolInput> = {}): PoolInput {
  const pool = changes.pool ?? aPool({ instances: three });
  const machines = states.map((state, n) => aMachine({ id: `i-${n + 1}`, pool, state }));
  const nodes = machines.map(({ id, state }) => aNode({ machine: id, pool, ready: state === 'running' }));
  return {
    pool,
    generation: aStandby(),
    platform: aPlatform({ live: 'blue', status: { protected: ['blue', 'green'], guard } }),
    machines,
    standstill: {},
    revived: { bare: [], unknown: 0 },
    working: new Set(),
    twins: [],
    sight: NOTHING_LACKS,
    account: undefined,
    affordable: 1000,
    nodes: new Map(nodes.map((node) => [node.providerID, node])),
    now: EPOCH + 3_600_000,
    scaled: (ms) => ms,
    ...changes,
  };
}
const ready = ({ status }: { status: GenerationPool['status'] }) =>
  status.conditions?.find(({ type }) => type === 'Ready');
const reserved = { generation: aStandby({ reservedBy: 'back-to-green' }) };
const failure = (reason: 'CapacityUnavailable' | 'Unauthorized' | 'Unknown', retryTime = at(0)) => ({
  ...{ reason, message: 'not now', count: 1, since: at(0), retryTime },
});

describe('a standby that is kept stopped', () => {
  it('has its running machines handed to the interlock, and only those', () => {
    const decision = decide(input(['running', 'pending', 'stopping']));
    expect(decision).toMatchObject({
      stop: { ids: ['i-1'], because: 'its generation is kept as a stopped standby' },
      ...{ start: [], launch: [], terminate: undefined, requeueAfter: 10_000 },
    });
    expect(ready(decision)).toMatchObject({
      ...{ status: 'True', reason: 'StandbyStopping' },
      message: '1 of 3 machines are stopped and kept for a rollback',
    });
  });

  it('is quiet and Ready once all are off, though nothing is ready', () => {
    const decision = decide(input(['stopped', 'stopped', 'stopped']));
    expect(decision).toMatchObject({ stop: undefined, start: [], launch: [], requeueAfter: 60_000 });
    expect(decision.status.machines).toMatchObject({ launched: 3, ready: 0 });
    expect(ready(decision)).toMatchObject({ status: 'True', reason: 'StandbyStopped' });
    const again = decide(input(['stopped', 'stopped', 'stopped'], { pool: { ...aPool(), status: decision.status } }));
    expect(JSON.stringify(again.status)).toBe(JSON.stringify(decision.status));
  });

  it('lets a Job finish where it runs, and says so', () => {
    const working = new Set(['node-i-2', 'node-of-another-pool']);
    const decision = decide(input(['running', 'running', 'stopped'], { working }));
    expect(decision.stop?.ids).toEqual(['i-1']);
    const last = decide(input(['stopped', 'running', 'stopped'], { working }));
    expect(last).toMatchObject({ stop: undefined, requeueAfter: 10_000 });
    expect(ready(last)).toMatchObject({
      ...{ status: 'True', reason: 'StandbyStopping' },
      message: '2 of 3 machines are stopped and kept for a rollback; 1 run until the Jobs on them have ended',
    });
  });

  it('misses no Node, and calls nobody late', () => {
    const decision = decide(input(['stopped', 'stopped', 'running'], { nodes: new Map() }));
    expect(decision).toMatchObject({ stop: { ids: ['i-3'] }, launch: [], terminate: undefined });
    expect(decision.status.failures).toEqual([]);
  });

  it('does not believe a Node that still says Ready', () => {
    const nodes = three.map((machine) => aNode({ machine, ready: true }));
    const { status } = decide(
      input(['stopped', 'stopping', 'running'], { nodes: new Map(nodes.map((node) => [node.providerID, node])) }),
    );
    expect(status.machines).toMatchObject({ registered: 3, ready: 1 });
  });

  it('has no machine replaced that is gone, and says so', () => {
    const decision = decide(input(['stopped', 'stopped', 'terminated']));
    expect(decision).toMatchObject({ launch: [], stop: undefined, requeueAfter: 60_000 });
    expect(ready(decision)?.message).toBe(
      '2 of 2 machines are stopped and kept for a rollback; 1 more would have to be launched',
    );
    expect(decision.status.conditions?.find(({ type }) => type === 'Launched')?.status).toBe('False');
  });

  it('gives up launches that must have shown by now: a token used much later would make machines anew', () => {
    const entry = (seconds: number) => ({ token: `t-${seconds}`, subnet: 'subnet-a', machines: 1, time: at(seconds) });
    const pool = aPool({ instances: three, status: { launches: [entry(3_000), entry(3_400)], launchCount: 2 } });
    const { launch, status } = decide(input(['stopped', 'stopped', 'stopped'], { pool }));
    expect(launch).toEqual([]);
    expect(status.launches?.map(({ token }) => token)).toEqual(['t-3400']);
  });

  it('waits after a refusal, says why, and forgets it when all is done', () => {
    const refused = (retryTime: string) =>
      aPool({ instances: three, status: { failures: [failure('Unauthorized', retryTime)] } });
    const waiting = decide(input(['running', 'stopped', 'stopped'], { pool: refused(at(3_605)) }));
    expect(waiting).toMatchObject({ stop: undefined, requeueAfter: 5_000 });
    expect(ready(waiting)?.message).toContain('not now');
    const again = decide(input(['running', 'stopped', 'stopped'], { pool: refused(at(3_599)) }));
    expect(again.stop?.ids).toEqual(['i-1']);
    expect(decide(input(['stopped', 'stopped', 'stopped'], { pool: refused(at(0)) })).status.failures).toEqual([]);
  });

  it('has nothing done to it while its platform is frozen', () => {
    const standstill = { launch: 'strangers', end: 'strangers' };
    const decision = decide(input(['running', 'stopped', 'stopped'], { standstill }));
    expect(decision).toMatchObject({ stop: undefined, start: [], launch: [] });
    expect(ready(decision)?.message).toContain('strangers');
    expect(decide(input(['stopped', 'stopped', 'stopped'], { ...reserved, standstill })).start).toEqual([]);
  });

  it('is terminated like any other once it is retired, and never started', () => {
    const decision = decide(
      input(['stopped', 'running', 'stopped'], {
        generation: aStandby({ retired: true }),
        platform: aPlatform({ live: 'blue', status: { protected: ['blue'], guard } }),
      }),
    );
    expect(decision).toMatchObject({ terminate: { ids: three }, stop: undefined, start: [] });
  });
});

describe('a standby that a rollback has reserved', () => {
  it('is started, and not Ready until its Nodes are', () => {
    const off = decide(input(['stopped', 'stopped', 'stopping'], reserved));
    expect(off).toMatchObject({ start: [['i-1', 'i-2']], stop: undefined, launch: [], requeueAfter: 10_000 });
    expect(ready(off)).toMatchObject({
      ...{ status: 'False', reason: 'StandbyStarting' },
      message: '3 of 3 machines launched, 0 ready; 3 of them are still off',
    });
    const booting = decide(input(['pending', 'running', 'running'], reserved));
    expect(booting).toMatchObject({ start: [] });
    expect(ready(booting)).toMatchObject({ status: 'False', reason: 'StandbyStarting' });
    const up = decide(input(['running', 'running', 'running'], reserved));
    expect(up).toMatchObject({ start: [], stop: undefined, requeueAfter: 60_000 });
    expect(ready(up)).toMatchObject({ status: 'True', reason: 'AllReady' });
  });

  it('is not Ready either while a machine is without its protection, which it gets', () => {
    const bare = decide(
      input(['running', 'running', 'running'], { ...reserved, revived: { bare: ['i-2'], unknown: 0 } }),
    );
    expect(bare).toMatchObject({ protect: ['i-2'], requeueAfter: 10_000 });
    expect(ready(bare)).toMatchObject({ status: 'False', reason: 'Protecting' });
    const unseen = decide(input(['running', 'running', 'running'], { ...reserved, revived: { bare: [], unknown: 1 } }));
    expect(ready(unseen)?.status).toBe('False');
  });

  it('has missing machines launched again', () => {
    expect(decide(input(['stopped', 'stopped', 'terminated'], reserved)).launch).toMatchObject([{ machines: 1 }]);
  });

  it('counts a start as a launch: a machine has its time to register again', () => {
    const started = (seconds: number) => {
      const machines = [aMachine({ id: 'i-1', launchTime: EPOCH + seconds * 1000 })];
      const pool = aPool({ instances: ['i-1'], spec: { machines: 1 } });
      return decide(input([], { ...reserved, pool, machines, nodes: new Map() })).status.failures;
    };
    expect(started(3_001)).toEqual([]);
    expect(started(2_999)).toMatchObject([{ reason: 'RegistrationTimeout', count: 1 }]);
  });

  it('is started one by one where the cloud had no room for all', () => {
    const pool = aPool({ instances: three, status: { failures: [failure('CapacityUnavailable')] } });
    expect(decide(input(['stopped', 'stopped', 'stopped'], { ...reserved, pool })).start).toEqual([['i-2']]);
    const waiting = aPool({ instances: three, status: { failures: [failure('CapacityUnavailable', at(3_700))] } });
    expect(decide(input(['stopped', 'stopped', 'stopped'], { ...reserved, pool: waiting })).start).toEqual([]);
  });
});

describe('stopped machines that are to run', () => {
  /** i-1 and i-2 in a zone, i-3 in another. */
  const starting = (failures: ReturnType<typeof failure>[] = [], states: MachineState[] = ['stopped', 'stopped']) => {
    const pool = aPool({ instances: three, status: { failures } });
    const machines = [...states, 'stopped' as const].map((state, n) =>
      aMachine({ id: `i-${n + 1}`, pool, state, subnet: n < 2 ? 'subnet-a' : 'subnet-b' }),
    );
    return decide(input([], { ...reserved, pool, machines })).start;
  };

  it('are started together where they are in one subnet: what one zone has no room for, another may have', () => {
    expect(starting()).toEqual([['i-1', 'i-2'], ['i-3']]);
  });

  it.each(['CapacityUnavailable', 'Unauthorized', 'Unknown'] as const)(
    'are started one by one after %s, another one each time: a call fails as a whole',
    (reason) => {
      const refused = (count: number) => starting([{ ...failure(reason), count }]);
      expect([1, 2, 3].map(refused)).toEqual([
        [['i-2'], ['i-3']],
        [['i-1'], ['i-3']],
        [['i-2'], ['i-3']],
      ]);
    },
  );

  it('are no more than a call takes', () => {
    const ids = Array.from({ length: 150 }, (_, n) => `i-${n}`);
    const pool = aPool({ instances: ids, spec: { machines: 150 } });
    const machines = ids.map((id) => aMachine({ id, pool, state: 'stopped' }));
    expect(decide(input([], { ...reserved, pool, machines })).start.map(({ length }) => length)).toEqual([100, 50]);
  });
});

describe('a machine that is found stopped', () => {
  const halted = (seconds: number) =>
    aMachine({ id: 'i-1', state: 'stopped', launchTime: EPOCH + 3_600_000 - seconds * 1000 });

  it.each<[string, Partial<PoolInput>, string[][]]>([
    [
      'of the live generation is started',
      { generation: aGeneration({ live: true }), platform: aPlatform({ live: 'green' }) },
      [['i-1']],
    ],
    ['of a generation that was never live is started', { generation: aGeneration() }, [['i-1']]],
    ['of a pool that goes is not', { pool: aPool({ instances: ['i-1'], deleting: true }) }, []],
    ['of nobody known is not', { generation: undefined }, []],
  ])('%s', (_, changes, start) => {
    const pool = changes.pool ?? aPool({ instances: ['i-1'], spec: { machines: 1 } });
    expect(decide(input([], { ...changes, pool, machines: [halted(300)] })).start).toEqual(start);
  });

  it('is not started again within a minute: it may halt itself each time', () => {
    const pool = aPool({ instances: ['i-1'], spec: { machines: 1 } });
    const start = (seconds: number) =>
      decide(input([], { generation: aGeneration(), pool, machines: [halted(seconds)] })).start;
    expect([start(60), start(61)]).toEqual([[], [['i-1']]]);
  });
});
