import { afterEach, describe, expect, it } from '@jest/globals';
import {
  aClass,
  aCloud,
  aGeneration,
  anApiServer,
  aPlatform,
  aPool,
  aPoolSpec,
  aRefusal,
  EPOCH,
  type Operator,
  startOperator,
} from '../../../test/builders/index.ts';
import { clusterGenerations, generationClasses, generationPools, platforms } from '../../kinds.ts';
import { manualClock } from '../../runtime/clock.ts';

/** A pool with two machines in each of two zones, all halted; the operator is the real one, the cloud refuses what a test wants refused. */
let operator: Operator | undefined;
afterEach(() => operator?.crash());

async function halted() {
  const clock = manualClock({ now: EPOCH });
  const server = anApiServer(clock.now);
  const cloud = aCloud(clock.now);
  cloud.boot = 5_000;
  const placement = ['subnet-a', 'subnet-b'].map((subnet) => ({ subnet, machines: 2 }));
  server.seed(generationClasses, aClass());
  server.seed(platforms, aPlatform());
  server.seed(clusterGenerations, aGeneration({ spec: { pools: [aPoolSpec({ machines: 4 })] } }));
  server.seed(generationPools, aPool({ spec: { machines: 4, placement } }));
  operator = await startOperator({ server, cloud, clock });
  await clock.advance(90_000);
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) await clock.advance(1000);
  };
  return {
    cloud,
    pass,
    halt: () => cloud.alive().forEach(({ id }) => void cloud.halt(id)),
    running: () =>
      cloud
        .alive()
        .filter(({ state }) => state === 'running')
        .map(({ subnet }) => subnet),
    failures: () => server.read(generationPools, 'green.web')?.status.failures,
  };
}

describe('machines that are to run again', () => {
  it('do so where there is room, and the pool says what another zone has none for', async () => {
    const { cloud, pass, halt, running, failures } = await halted();
    halt();
    cloud.guardFate = (call, ids) => {
      const there = cloud.alive().filter(({ id }) => ids.includes(id));
      if (call === 'start' && there.some(({ subnet }) => subnet === 'subnet-a')) throw aRefusal('CapacityUnavailable');
    };
    await pass(120);
    expect(running()).toEqual(['subnet-b', 'subnet-b']);
    expect(failures()).toMatchObject([{ reason: 'CapacityUnavailable' }]);
  });

  it('are not kept from it by one of them that cannot', async () => {
    const { cloud, pass, halt, running } = await halted();
    halt();
    cloud.guardFate = (call, ids) => {
      if (call === 'start' && ids.includes('i-1')) throw aRefusal('Unknown', { code: 'InvalidKmsKey.InvalidState' });
    };
    await pass(120);
    expect(running()).toEqual(['subnet-a', 'subnet-b', 'subnet-b']);
  });
});
