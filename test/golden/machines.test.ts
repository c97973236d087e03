import { afterEach, describe, expect, it } from '@jest/globals';
import { ANNOTATION, LABEL } from '../../src/api/v1alpha1/index.ts';
import { clusterGenerations, generationClasses, generationPools } from '../../src/kinds.ts';
import { nodes } from '../../src/kube/resources.ts';
import { aPoolSpec, aRefusal } from '../builders/index.ts';
import { expectGolden } from './golden.ts';
import { generation, plain } from './site.ts';
import { aWorld, type World } from './world.ts';

/** Machines that fail, over time. */

let world: World;
afterEach(() => world.operator.crash());

const pool = () => world.server.all(generationPools)[0];

describe('machines that end right after their launch', () => {
  const KEY = { code: 'Client.InternalError', message: 'Client error on launch' };

  it('are launched again ever more slowly, across a restart, until they live', async () => {
    world = await aWorld();
    const { cloud, clock } = world;
    const registers = cloud.onLaunch;
    cloud.onLaunch = ({ id }) => clock.setTimer(1_000, () => cloud.kill(id, KEY));
    world.apply(plain());
    world.apply(generation('green', [aPoolSpec({ machines: 2 })]));
    await world.run(200);
    await world.restart();
    await world.run(400);
    // At 0, 30, 90, 210 and 450 s or a look later, two machines each.
    expect(cloud.machines().length).toBeLessThanOrEqual(10);
    expect(pool()?.status.failures).toMatchObject([{ reason: 'EndedEarly', count: 5 }]);
    world.note('the key may be used');
    cloud.onLaunch = registers;
    await world.run(1_200);
    expect(pool()?.status).toMatchObject({ machines: { ready: 2 }, failures: [] });
    expect(cloud.machines().length).toBeLessThanOrEqual(12);
    expectGolden('machines-end-at-once', world.log);
  });

  it('count as such when each has registered before it ends', async () => {
    world = await aWorld();
    const { cloud, clock } = world;
    const registers = cloud.onLaunch;
    cloud.onLaunch = (machine) => {
      registers(machine);
      clock.setTimer(90_000, () => cloud.kill(machine.id, KEY));
    };
    world.apply(plain());
    world.apply(generation('green', [aPoolSpec({ machines: 1 })]));
    await world.run(900);
    // Each lives for 90 s: the waits are 0, 60, 120 and 240 s.
    expect(pool()?.status.failures).toMatchObject([{ reason: 'EndedEarly', count: 5 }]);
    expect(cloud.machines().length).toBeLessThanOrEqual(5);
  });

  it('of a live platform much later are replaced at once', async () => {
    world = await aWorld();
    world.apply(plain());
    world.apply(generation('green', [aPoolSpec({ machines: 2 })]));
    await world.run(900);
    world.cloud.kill('i-1', KEY);
    await world.run(70);
    expect(world.cloud.machines()).toHaveLength(3);
    expect(pool()?.status.failures).toEqual([]);
  });
});

describe('a zone that cannot have a type', () => {
  const UNSUPPORTED = 'Unsupported: Your requested instance type is not supported in your requested Availability Zone.';
  const cannot = (...subnets: string[]) => {
    world.cloud.launchFate = ({ subnet }) =>
      subnets.includes(subnet) ? aRefusal('SubnetUnsuitable', { message: UNSUPPORTED }) : undefined;
  };
  const green = () => world.server.read(clusterGenerations, 'green');
  const proved = () => green()?.status.conditions?.find(({ type }) => type === 'CapacityProved');

  it('is left out: its machines are placed elsewhere', async () => {
    world = await aWorld();
    cannot('subnet-b');
    world.apply(plain());
    world.apply(generation('green', [aPoolSpec({ machines: 3 })]));
    await world.run(120);
    expect(green()?.status).toMatchObject({ stage: 'Staged', machines: { ready: 3 } });
    expect(proved()).toMatchObject({ status: 'True', message: expect.stringContaining('subnet-b') });
    expect(world.cloud.machines().every(({ subnet }) => subnet === 'subnet-a')).toBe(true);
    expectGolden('zone-without-type', world.log);
  });

  it('is said by name when there is no other, asked again ever more slowly, and left with the class', async () => {
    world = await aWorld();
    cannot('subnet-a', 'subnet-b');
    world.apply(plain());
    world.apply(generation('green', [aPoolSpec({ machines: 3 })]));
    await world.run(1_200);
    expect(proved()).toMatchObject({ status: 'False', reason: 'SubnetUnsuitable' });
    expect(proved()?.message).toContain(UNSUPPORTED);
    // Each at 0, 5 and 15 minutes.
    expect(world.cloud.calls.filter((call) => call.startsWith('launch')).length).toBeLessThanOrEqual(6);
    world.note('the class has another subnet in their place');
    world.cloud.free['subnet-c'] = 100;
    world.server.edit(generationClasses, 'aws', (aws) => {
      aws.metadata.generation = 2;
      aws.spec.subnets = [{ id: 'subnet-c', zone: 'us-east-1c' }];
    });
    await world.run(120);
    expect(green()?.status).toMatchObject({ stage: 'Staged', machines: { ready: 3 } });
    expect(proved()).toMatchObject({ status: 'True' });
  });

  it('is left by what a live generation lacks', async () => {
    world = await aWorld();
    world.apply(plain());
    world.apply(generation('green', [aPoolSpec({ machines: 2 })]));
    await world.run(900);
    cannot('subnet-b');
    const lost = world.cloud.machines().find(({ subnet }) => subnet === 'subnet-b');
    world.cloud.kill(lost?.id ?? '');
    await world.run(180);
    expect(green()?.status.machines).toMatchObject({ ready: 2 });
    expect(world.cloud.alive().map(({ subnet }) => subnet)).toEqual(['subnet-a', 'subnet-a']);
  });
});

describe('a second Node of a machine', () => {
  const node = (name: string) => world.server.read(nodes, name);
  const second = (name: string, machine: string, ready: boolean, labels = {}) => {
    const found = world.cloud.machines().find(({ id }) => id === machine);
    world.server.seed(nodes, {
      metadata: { name, uid: `uid-${name}`, creationTimestamp: new Date(world.clock.now()).toISOString(), labels },
      spec: { providerID: found?.providerID ?? '' },
      status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
    });
  };

  it('that is not Ready changes nothing, whichever the operator sees first, and is named once', async () => {
    world = await aWorld();
    world.apply(plain());
    world.apply(generation('green', [aPoolSpec({ machines: 2 })]));
    await world.run(120);
    world.note('a Node with the providerID of a machine that has one');
    second('aaa-renamed', 'i-1', false);
    await world.run(120);
    const named = () => world.operator.events.filter(({ reason }) => reason === 'StaleNode');
    expect(named()).toMatchObject([{ note: expect.stringContaining('kubectl delete node aaa-renamed') }]);
    await world.restart();
    await world.run(120);
    expect(named()).toEqual([]);
    expect(pool()?.status).toMatchObject({ machines: { ready: 2 }, staleNodes: ['aaa-renamed'] });
    expect(node('aaa-renamed')?.metadata.labels).toEqual({});
  });

  it('that takes over from a host that was renamed is the machine’s, and the former one is called stale', async () => {
    world = await aWorld();
    world.apply(plain());
    world.apply(generation('green', [aPoolSpec({ machines: 2 })]));
    await world.run(120);
    world.server.edit(nodes, 'node-i-1', (one) => {
      one.status = { conditions: [{ type: 'Ready', status: 'False' }] };
    });
    second('zzz-renamed', 'i-1', true);
    await world.run(30);
    expect(node('zzz-renamed')?.metadata.labels).toMatchObject({ [LABEL.generation]: 'green' });
    expect(node('node-i-1')?.metadata.annotations).toMatchObject({ [ANNOTATION.stale]: 'zzz-renamed' });
    expect(pool()?.status.machines).toMatchObject({ ready: 2 });
    world.server.edit(nodes, 'node-i-1', (one) => {
      one.metadata.deletionTimestamp = 'now';
    });
    await world.run(30);
    expect(pool()?.status).toMatchObject({ machines: { ready: 2 } });
    expect(pool()?.status.staleNodes).toBeUndefined();
  });
});
