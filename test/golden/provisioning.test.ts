import { afterEach, describe, expect, it } from '@jest/globals';
import { clusterGenerations, generationPools } from '../../src/kinds.ts';
import { aPoolSpec, aRefusal } from '../builders/index.ts';
import { expectGolden } from './golden.ts';
import { generation, plain } from './site.ts';
import { aWorld, type World } from './world.ts';

/** What the operator does over time, as anyone can read it: a change of behaviour is a change of these files. Here: machines. */

let world: World;
afterEach(() => world.operator.crash());

const read = (name: string) => world.server.read(clusterGenerations, name);

describe('a generation', () => {
  it('comes up', async () => {
    world = await aWorld({ free: { 'subnet-a': 2, 'subnet-b': 2 } });
    world.apply(plain());
    world.apply(generation('green'));
    await world.run(120);
    expect(read('green')?.status).toMatchObject({ stage: 'Staged', machines: { ready: 3 } });
    expectGolden('comes-up', world.log);
  });

  it('does not fit, until another one goes', async () => {
    world = await aWorld({ free: { 'subnet-a': 2, 'subnet-b': 2 } });
    world.apply(plain());
    world.apply(generation('half'));
    await world.run(90);
    world.apply(generation('green'));
    await world.run(60);
    expect(world.server.all(generationPools)).toHaveLength(1);
    await world.remove('half');
    await world.run(180);
    expect(read('green')?.status.stage).toBe('Staged');
    expectGolden('does-not-fit', world.log);
  });

  it('is deleted half-started', async () => {
    world = await aWorld();
    world.cloud.launchFate = ({ subnet }) => (subnet === 'subnet-b' ? aRefusal('CapacityUnavailable') : undefined);
    world.apply(plain());
    world.apply(generation('green', [aPoolSpec({ machines: 4 })]));
    await world.run(40);
    await world.remove('green');
    await world.run(60);
    expect(read('green')).toBeUndefined();
    expect(world.cloud.alive()).toEqual([]);
    expectGolden('deleted-half-started', world.log);
  });

  it('the answer of a launch is lost, and the operator dies: no machine too many', async () => {
    world = await aWorld();
    world.cloud.lag = 8_000;
    let answers = 0;
    world.cloud.launchFate = () => {
      if (answers++ > 0) return undefined;
      world.note('the operator dies before the answer');
      world.operator.crash();
      return 'lost';
    };
    world.apply(plain());
    world.apply(generation('green'));
    await world.run(1);
    await world.restart();
    await world.run(120);
    expect(world.cloud.machines()).toHaveLength(3);
    expect(read('green')?.status.stage).toBe('Staged');
    expectGolden('lost-answer', world.log);
  });
});
