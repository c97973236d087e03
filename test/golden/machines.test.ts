import { afterEach, describe, expect, it } from '@jest/globals';
import { generationPools } from '../../src/kinds.ts';
import { aPoolSpec } from '../builders/index.ts';
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
