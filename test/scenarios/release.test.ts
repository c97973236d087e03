import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aliveOf, machinesOf } from './ledger.ts';
import { aClass, aPlatform, aScenario } from './objects.ts';
import { byTwoPeople, cutOver, peopleMayWritePlatforms, staged } from './people.ts';
import { has, startWorld, type World } from './world.ts';

/** A live generation is handed to somebody else: its objects go, its machines live on. 40 declared seconds in a real one. */

const SIZE = 4;

let world: World;
let ids: string[];

beforeAll(async () => {
  world = await startWorld({ scenario: aScenario(), timeScale: 40, chart: peopleMayWritePlatforms });
  await world.apply('gitops', aClass('local', world.cloud), aPlatform('site', 'local'));
  await staged(world, 'ours', 'site', { web: { machines: SIZE } });
  await cutOver(world, 'site', '', 'ours');
  ids = aliveOf(await world.ledger(), 'ours').map(({ id }) => id);
}, 120_000);

afterAll(() => world?.stop(), 30_000);

const callsOn = async (machines: string[], ...operations: string[]) =>
  (await world.ledger()).calls.filter(
    ({ operation, parameters }) =>
      operations.includes(operation) && parameters.instanceIds?.some((id) => machines.includes(id)),
  );

describe('an override with release: true', () => {
  it('lets generation and pools go, and terminates nothing', async () => {
    await byTwoPeople(world, 'site', 'override', {
      generation: 'ours',
      reason: 'it moves to Terraform',
      release: true,
    });
    await world.until(
      'clustergenerations',
      'ours',
      'to be overridden',
      ({ status }) => status.override?.release === true,
    );
    expect(await world.kubectl('alice', 'delete', 'cg', 'ours', '--wait=false')).toMatchObject({ status: 0 });
    await world.untilGone('clustergenerations', 'ours');
    await world.untilGone('generationpools', 'ours.web');
    await world.until('platforms', 'site', 'to be done', ({ status }) => status.lastOverride?.state === 'Done');
    expect(aliveOf(await world.ledger(), 'ours').map(({ id }) => id)).toEqual(ids);
  }, 60_000);

  it('leaves their protection and tags on the machines, and says on each that it was let go', async () => {
    expect(await callsOn(ids, 'ModifyInstanceAttribute', 'TerminateInstances', 'StopInstances')).toEqual([]);
    for (const { tags } of machinesOf(await world.ledger(), 'ours')) {
      expect(tags).toMatchObject({ 'generations.dev/platform': 'site', 'generations.dev/generation': 'ours' });
      expect(tags['generations.dev/released']).toMatch(/^\d{4}-.*Z$/);
    }
  });

  it('leaves a Platform that is not frozen by them and can be deleted, or go on with another generation', async () => {
    const { status } = await world.until('platforms', 'site', 'to be consistent', has('Consistent', 'True'));
    expect(status.protected).toEqual([]);
    expect(status.live).toBeUndefined();
    expect(await world.kubectl('gitops', 'delete', 'platform', 'site', '--dry-run=server')).toMatchObject({
      status: 0,
    });
    await staged(world, 'next', 'site', { web: { machines: SIZE } });
    await cutOver(world, 'site', '', 'next');
    await world.until('platforms', 'site', 'to be complete', has('Ready', 'True', 'MachinesReady'));
    expect(aliveOf(await world.ledger(), 'ours').map(({ id }) => id)).toEqual(ids);
  }, 60_000);

  it('keeps the machines from a namesake that is made later', async () => {
    await staged(world, 'ours', 'site', { web: { machines: 1 } });
    expect(await world.kubectl('alice', 'delete', 'cg', 'ours')).toMatchObject({ status: 0 });
    const left = aliveOf(await world.ledger(), 'ours').map(({ id }) => id);
    expect(left).toEqual(ids);
    expect(await callsOn(ids, 'ModifyInstanceAttribute', 'TerminateInstances', 'StopInstances')).toEqual([]);
  }, 60_000);
});
