import { expect, it } from '@jest/globals';
import { aClass, aCloud, aGeneration, aPlatform, aPool, CLUSTER, EPOCH } from '../../../test/builders/index.ts';
import type { ClusterGeneration, Platform } from '../../api/v1alpha1/index.ts';
import { tagsOfMachine } from '../../domain/identity.ts';
import { manualClock } from '../../runtime/clock.ts';
import type { Context } from '../context.ts';
import { gather } from './gather.ts';
import { revivals } from './revival.ts';

/** What a pool of green is told when the cloud has one machine of generation `owner`. */
async function standstill(platform: Platform | undefined, generations: ClusterGeneration[], owner = 'green') {
  const cloud = aCloud(() => EPOCH);
  const pool = aPool();
  const tags = tagsOfMachine(aPool({ generation: owner }), CLUSTER);
  const request = { token: 't', subnet: 'subnet-a', machines: 1, template: pool.spec.template, tags };
  await cloud.provider.launch(request, 'planned');
  const context = {
    caches: {
      generations: { get: () => generations[0], byIndex: () => generations },
      platforms: { get: () => platform },
      classes: { get: () => aClass() },
      nodes: { byIndex: () => [] },
    },
    clock: manualClock({ now: EPOCH }),
    cluster: CLUSTER,
    providerOf: async () => cloud.provider,
  } as unknown as Context;
  return (await gather(context, pool, revivals())).standstill;
}

it('sees for itself that the cloud has machines of nobody, before the Platform says so', async () => {
  expect(await standstill(aPlatform(), [aGeneration()])).toEqual({ launch: undefined, end: undefined });
  const { launch, end } = await standstill(aPlatform(), [aGeneration()], 'stranger');
  expect(launch).toContain('1 of stranger with UID uid-stranger');
  expect(end).toBe(launch);
});

it('waits for a Platform that says what it protects, or that exists at all', async () => {
  const { protected: _, ...status } = aPlatform().status;
  expect((await standstill({ ...aPlatform(), status }, [aGeneration()])).end).toContain('has not compared it');
  expect(await standstill(undefined, [aGeneration()])).toEqual({ launch: 'Platform us does not exist: create it' });
});
