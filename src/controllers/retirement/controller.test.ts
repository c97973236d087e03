import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  aClass,
  aCloud,
  aCutover,
  aGeneration,
  anApiServer,
  aPlatform,
  aPoolSpec,
  aRefusal,
  at,
  type Cloud,
  EPOCH,
  type Operator,
  startOperator,
} from '../../../test/builders/index.ts';
import { LABEL } from '../../api/v1alpha1/index.ts';
import { clusterGenerations, cutovers, generationClasses, generationPools, platforms } from '../../kinds.ts';
import { nodes, pods } from '../../kube/resources.ts';
import type { Machine } from '../../providers/provider.ts';
import { type ManualClock, manualClock } from '../../runtime/clock.ts';

/**
 * A site in memory with the whole operator: blue has been live, green is. What people and cutovers say is written into
 * the statuses; the rest is the operator's.
 */
let clock: ManualClock;
let server: ReturnType<typeof anApiServer>;
let cloud: Cloud;
let operator: Operator;
let errors: string[] = [];

const start = async () => {
  operator = await startOperator({ server, cloud, clock });
  errors = operator.errors;
};
const restart = async () => {
  operator.crash();
  await start();
};

/** Nodes come and go with their machines. */
const register = ({ id, providerID }: Machine) =>
  clock.setTimer(cloud.boot + 10_000, () => {
    if (cloud.machines().find((machine) => machine.id === id)?.state !== 'running') return;
    server.seed(nodes, {
      metadata: { name: `node-${id}`, uid: `uid-node-${id}`, creationTimestamp: '' },
      spec: { providerID },
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    });
  });
const unregister = ({ id }: Machine) => {
  if (server.read(nodes, `node-${id}`))
    server.edit(nodes, `node-${id}`, (node) => {
      (node.metadata as { deletionTimestamp?: string }).deletionTimestamp = 'now';
    });
};

beforeEach(async () => {
  clock = manualClock({ now: EPOCH });
  server = anApiServer(() => clock.now());
  cloud = aCloud(() => clock.now());
  cloud.onLaunch = register;
  cloud.onStart = register;
  cloud.onEnd = unregister;
  cloud.onStop = unregister;
  server.seed(generationClasses, aClass());
  server.seed(platforms, aPlatform({ live: 'green', status: { protected: ['blue', 'green'] } }));
  for (const name of ['blue', 'green'])
    server.seed(clusterGenerations, aGeneration({ name, live: true, spec: { pools: [aPoolSpec()] } }));
  server.seed(cutovers, aCutover({ from: 'blue', status: { outcome: 'Succeeded' } }));
  await start();
  await pass(120);
});
afterEach(() => {
  operator.crash();
  expect(errors).toEqual([]);
});

const pass = async (seconds: number) => {
  for (let second = 0; second < seconds; second++) await clock.advance(1000);
};
/** Lets time go by until it is so; throws after `seconds`. */
const until = async (what: string, so: () => boolean, seconds = 300) => {
  for (let second = 0; second < seconds && !so(); second++) await clock.advance(1000);
  if (!so()) throw new Error(`not within ${seconds} s: ${what}; cloud: ${cloud.calls.slice(-10).join(', ')}`);
};
const generation = (name: string) => server.read(clusterGenerations, name);
const platform = () => server.read(platforms, 'us')!;
const condition = (name: string, type = 'Ready') =>
  generation(name)?.status.conditions?.find((one) => one.type === type);
const states = (name: string) => [
  ...new Set(
    cloud
      .machines()
      .filter(({ tags }) => tags[LABEL.generation] === name)
      .map(({ state }) => state),
  ),
];
const protections = async (name: string) =>
  Promise.all(
    cloud
      .alive()
      .filter(({ tags }) => tags[LABEL.generation] === name)
      .map(({ id }) => cloud.provider.protection(id)),
  );
const retain = (standby: 'Running' | 'Stopped' | 'None', seconds: number) =>
  server.edit(clusterGenerations, 'blue', ({ status }) => {
    status.retention = { until: at(seconds), standby, cutover: { name: 'to-green', uid: 'uid-to-green' } };
  });
/** A cutover that is there and does nothing by itself. */
const waiting = (name: string, from: string, to: string) =>
  aCutover({ name, from, to, spec: { mode: to === 'blue' ? 'Rollback' : 'Planned', paused: true } });
const reserve = (name: string, cutover: string) =>
  server.edit(clusterGenerations, name, ({ status }) => {
    status.reservedBy = { name: cutover, uid: `uid-${cutover}` };
  });
const settled = () => condition('blue')?.status === 'True' && condition('green')?.status === 'True';

describe('a standby that is kept stopped', () => {
  it('is stopped, started for a rollback, stopped again, and retired at its time', async () => {
    expect(settled()).toBe(true);
    retain('Stopped', 3600);
    await until('half of it stopped', () => cloud.calls.filter((call) => call.startsWith('stop ')).length === 1);
    await restart();
    await until('all of it stopped', () => states('blue').join() === 'stopped');
    await pass(120);
    expect(generation('blue')?.status).toMatchObject({
      stage: 'Retained',
      machines: { desired: 3, launched: 3, ready: 0 },
    });
    expect(condition('blue')).toMatchObject({ status: 'True', reason: 'StandbyStopped' });
    expect(await protections('blue')).toEqual(Array(3).fill({ termination: true, stop: false }));
    expect(states('green')).toEqual(['running']);

    server.seed(cutovers, waiting('back', 'green', 'blue'));
    reserve('blue', 'back');
    await until('an estimate', () => generation('blue')?.status.estimatedReadyTime !== undefined, 20);
    expect(condition('blue')).toMatchObject({ status: 'False', reason: 'StandbyStarting' });
    await until('it is up', () => condition('blue')?.status === 'True');
    expect(await protections('blue')).toEqual(Array(3).fill({ termination: true, stop: true }));
    expect(generation('blue')?.status).toMatchObject({ stage: 'Retained', machines: { ready: 3 } });

    server.edit(cutovers, 'back', ({ status }) => {
      status.outcome = 'Aborted';
    });
    await until('the reservation is cleared', () => generation('blue')?.status.reservedBy === undefined, 70);
    await until('it is stopped again', () => states('blue').join() === 'stopped');

    await until('its time has come', () => generation('blue')?.status.retiredTime !== undefined, 3600);
    expect(Date.parse(generation('blue')?.status.retiredTime ?? '') - EPOCH).toBeGreaterThanOrEqual(3_600_000);
    await until('it is torn down', () => states('blue').join() === 'terminated');
    await until('its pool is gone', () => server.read(generationPools, 'blue.web') === undefined);
    expect(platform().status.protected).toEqual(['green']);
    expect(generation('blue')?.status).toMatchObject({ stage: 'Retired', retiredBy: { name: 'to-green' } });
    expect(states('green')).toEqual(['running']);
    expect(cloud.machines()).toHaveLength(6);
  }, 60_000);

  it('is stopped where nothing is left to do, and elsewhere when the Job there has ended', async () => {
    const [first] = cloud.machines().filter(({ tags }) => tags[LABEL.generation] === 'blue');
    const pod = (phase: string, state: object) => ({
      metadata: {
        name: 'report-1',
        namespace: 'tasks',
        uid: 'uid-report-1',
        creationTimestamp: at(0),
        labels: { [LABEL.platform]: 'us', [LABEL.role]: 'web' },
        ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'report', uid: 'uid-report', controller: true }],
      },
      spec: { nodeName: `node-${first?.id}`, containers: [{ name: 'main' }] },
      status: { phase, containerStatuses: [{ name: 'main', state }] },
    });
    server.seed(pods, pod('Running', { running: {} }));
    await pass(5);
    retain('Stopped', 36_000);
    await pass(120);
    expect(states('blue').toSorted()).toEqual(['running', 'stopped']);
    expect(cloud.machines().find(({ id }) => id === first?.id)?.state).toBe('running');
    expect(condition('blue')?.reason).toBe('StandbyStopping');
    server.seed(pods, pod('Succeeded', { terminated: { exitCode: 0 } }));
    await until('all of it stopped', () => states('blue').join() === 'stopped', 60);
  }, 60_000);

  it('has its protection put back by the next process when one died between lifting it and stopping', async () => {
    retain('Stopped', 36_000);
    cloud.onCall = (call) => {
      if (call.startsWith('allow stop of')) operator.crash();
    };
    await until('a crash', () => operator.dead());
    cloud.onCall = () => {};
    reserve('blue', 'back');
    server.seed(cutovers, waiting('back', 'green', 'blue'));
    await start();
    await until('all is protected', () => cloud.calls.some((call) => call.startsWith('protect ')), 60);
    await pass(30);
    expect(await protections('blue')).toEqual(Array(3).fill({ termination: true, stop: true }));
    expect(states('blue')).toEqual(['running']);
    expect(condition('blue')?.status).toBe('True');
  }, 60_000);
});

describe('a generation that was live', () => {
  it('is retired at once when it is not to be kept, whoever dies between the two writes', async () => {
    let writes = 0;
    const off = server.subscribe(({ resource, after }) => {
      if (
        resource === clusterGenerations &&
        (after as { status?: { retiredTime?: string } })?.status?.retiredTime &&
        ++writes === 1
      )
        operator.crash();
    });
    retain('None', 0);
    await until('a crash', () => operator.dead());
    off();
    expect(platform().status.protected).toEqual(['blue', 'green']);
    await start();
    await until('no longer listed', () => platform().status.protected?.join() === 'green', 90);
    await until('it is torn down', () => states('blue').join() === 'terminated');
  }, 60_000);

  it('that is gone leaves no name behind, once the cloud shows that it has no machine left', async () => {
    const { observe } = cloud.provider;
    cloud.provider.observe = async () => {
      throw aRefusal('Unauthorized');
    };
    server.edit(clusterGenerations, 'blue', (object) => {
      delete object.metadata.finalizers;
      object.metadata.deletionTimestamp = at(0);
    });
    server.edit(generationPools, 'blue.web', (object) => {
      delete object.metadata.finalizers;
      object.metadata.deletionTimestamp = at(0);
    });
    for (const { id, tags } of cloud.alive()) if (tags[LABEL.generation] === 'blue') cloud.kill(id);
    await pass(120);
    expect(platform().status.protected).toEqual(['blue', 'green']);
    cloud.provider.observe = observe;
    await until('no longer listed', () => platform().status.protected?.join() === 'green', 300);
  }, 60_000);
});

describe('what a cutover held that is lost', () => {
  it('is given back: the generation is Staged and deletable, the platform free', async () => {
    server.seed(clusterGenerations, aGeneration({ name: 'red', spec: { pools: [aPoolSpec()] } }));
    server.seed(cutovers, waiting('to-red', 'green', 'red'));
    reserve('red', 'to-red');
    server.edit(platforms, 'us', ({ status }) => {
      status.protected = ['blue', 'green', 'red'];
      status.cutover = { name: 'to-red', uid: 'uid-to-red' };
      status.quiesced = { cutover: { name: 'to-red', uid: 'uid-to-red' }, stop: [], time: at(0) };
    });
    await until('it is Staged', () => generation('red')?.status.stage === 'Staged');
    expect(generation('red')?.status.reservedBy).toBeDefined();
    server.edit(cutovers, 'to-red', (object) => {
      delete object.metadata.finalizers;
      object.metadata.deletionTimestamp = at(0);
    });
    await until('the reservation is cleared', () => generation('red')?.status.reservedBy === undefined, 90);
    await pass(20);
    expect(platform().status).toMatchObject({ protected: ['blue', 'green'], live: { name: 'green' } });
    expect(platform().status).not.toHaveProperty('cutover');
    expect(platform().status).not.toHaveProperty('quiesced');
    expect(condition('red', 'Deletable')).toMatchObject({ status: 'True', reason: 'NeverLive' });
    expect(operator.events.map(({ note }) => note)).toContain(
      'red is no longer reserved by Cutover to-red, which does not exist any more',
    );
  }, 60_000);
});
