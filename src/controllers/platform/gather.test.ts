import { expect, it } from '@jest/globals';
import {
  aClass,
  aCloud,
  aGeneration,
  anApiServer,
  aPlatform,
  aPool,
  CLUSTER,
  EPOCH,
} from '../../../test/builders/index.ts';
import { tagsOfMachine } from '../../domain/identity.ts';
import { clusterGenerations, platforms } from '../../kinds.ts';
import { manualClock } from '../../runtime/clock.ts';
import type { Context } from '../context.ts';
import { gather } from './gather.ts';
import { trafficMemory } from './traffic.ts';

it('reads everything anew before it believes that cloud and Kubernetes disagree', async () => {
  const server = anApiServer(() => EPOCH);
  const cloud = aCloud(() => EPOCH);
  const pool = aPool();
  const tags = tagsOfMachine(pool, CLUSTER);
  const request = { token: 't', subnet: 'subnet-a', machines: 1, template: pool.spec.template, tags };
  await cloud.provider.launch(request, 'planned');
  server.seed(platforms, aPlatform());
  server.seed(clusterGenerations, aGeneration());
  const known = [aGeneration()];
  const context = {
    caches: {
      generations: { byIndex: () => known },
      classes: { get: () => aClass() },
      pools: { list: () => [], byIndex: () => [] },
      cutovers: { byIndex: () => [], get: () => undefined },
      nodes: { list: () => [] },
      pods: { byIndex: () => [] },
    },
    client: server.client({}),
    clock: manualClock({ now: EPOCH }),
    cluster: CLUSTER,
    providerOf: async () => cloud.provider,
    canary: { probe: async () => undefined },
  } as unknown as Context;
  expect((await gather(context, aPlatform(), trafficMemory()))?.generations).toBe(known);
  expect(server.requests).toEqual([]);

  // The cache has not caught up with the generation whose machine the cloud shows.
  known.length = 0;
  const live = await gather(context, aPlatform(), trafficMemory());
  expect(live?.generations.map(({ metadata }) => metadata.name)).toEqual(['green']);
  expect(server.requests).not.toEqual([]);
});
