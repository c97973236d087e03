import { afterEach, describe, expect, it } from '@jest/globals';
import { aCutover } from '../builders/index.ts';
import { expectGolden } from './golden.ts';
import { abort, answers, decommission, hasEnded, plain, type Site, smoke, whole, withGreenStaged } from './site.ts';

/** Going back to a generation that is kept for that. */

let site: Site;
afterEach(() => site.world.operator.crash());

const rollback = (spec: Parameters<typeof aCutover>[0] = {}) =>
  aCutover({ name: 'back-to-blue', from: 'green', to: 'blue', ...spec, spec: { mode: 'Rollback', ...spec?.spec } });

/** Green is live, and blue is what the platform's retention makes of it. */
async function withGreenLive(platform = plain()): Promise<Site> {
  const made = await withGreenStaged(platform);
  made.world.apply(aCutover({ from: 'blue', to: 'green' }));
  await made.world.until('green is live', hasEnded(made, 'to-green'));
  await made.world.run(60);
  return made;
}

const states = () => site.world.cloud.machines().map(({ id, state }) => `${id} ${state}`);

describe('a rollback', () => {
  it('to stopped machines, which are stopped after the cutover and started for it', async () => {
    site = await withGreenStaged(whole({ retention: { standby: 'Stopped', for: '1h' } }));
    const { world } = site;
    world.apply(aCutover({ from: 'blue', to: 'green' }));
    await world.until('green is live', hasEnded(site, 'to-green'));
    await world.run(300);
    expect(
      states()
        .slice(0, 6)
        .every((text) => text.endsWith(' stopped')),
    ).toBe(true);
    world.apply(rollback({ spec: { verify: [smoke] } }));
    await world.run(5);
    expect(site.cutover('back-to-blue').status.plan?.estimatedStartDuration).toBe('3m');
    await world.until('it has ended', hasEnded(site, 'back-to-blue'));
    expect(site.cutover('back-to-blue').status.outcome).toBe('Succeeded');
    expect(site.platform().status).toMatchObject({ live: { name: 'blue' }, previous: { name: 'green' } });
    expect(
      states()
        .slice(0, 6)
        .every((text) => text.endsWith(' running')),
    ).toBe(true);
    expect(site.generation('blue')?.status.retention).toBeUndefined();
    expect(world.tasks.most).toEqual({ mailer: 1, indexer: 1, reports: 1 });
    await world.run(300);
    expect(
      states()
        .slice(6)
        .every((text) => text.endsWith(' stopped')),
    ).toBe(true);
    expect(world.cloud.machines()).toHaveLength(12);
    expectGolden('rollback-to-stopped', world.log);
  });

  it('to running machines is aborted, and blue is kept as it was, until its time', async () => {
    site = await withGreenLive();
    const { world } = site;
    const before = site.state();
    world.log.length = 0;
    world.apply(rollback({ spec: { soak: '5m' } }));
    await world.until('blue is live', () => site.platform().status.live?.name === 'blue');
    await world.run(30);
    abort(site, 'back-to-blue');
    await world.until('it has ended', hasEnded(site, 'back-to-blue'));
    await world.run(30);
    expect(site.cutover('back-to-blue').status.outcome).toBe('Aborted');
    expect(site.state()).toEqual(before);
    await world.until('blue is retired', () => site.generation('blue')?.status.stage === 'Retired');
    expectGolden('rollback-aborted', world.log);
  });

  it('whose checks fail leaves the new generation live', async () => {
    site = await withGreenLive(whole());
    const { world } = site;
    const before = site.state();
    world.log.length = 0;
    answers(site, 'blue', 500);
    world.apply(rollback({ spec: { verify: [smoke] } }));
    await world.until('it has ended', hasEnded(site, 'back-to-blue'));
    await world.run(30);
    expect(site.cutover('back-to-blue').status.outcome).toBe('RolledBack');
    expect(site.state()).toEqual(before);
    expectGolden('rollback-fails', world.log);
  });

  it('to a retired generation is refused, with the reason', async () => {
    site = await withGreenLive(plain({ retention: { standby: 'Running', for: '2m' } }));
    const { world } = site;
    await world.until('blue is retired', () => site.generation('blue')?.status.stage === 'Retired');
    const before = site.state();
    world.log.length = 0;
    world.apply(rollback());
    await world.run(30);
    const { conditions, generations, outcome } = site.cutover('back-to-blue').status;
    expect(conditions?.find(({ type }) => type === 'Blocked')).toMatchObject({
      status: 'True',
      reason: 'TargetRetired',
    });
    expect([generations, outcome]).toEqual([undefined, undefined]);
    expect({ ...site.state(), machines: [] }).toEqual({ ...before, machines: [] });
    abort(site, 'back-to-blue');
    await world.run(10);
    expect(site.cutover('back-to-blue').status.outcome).toBe('Aborted');
    expectGolden('rollback-too-late', world.log);
  });

  it.each(['Rollback', 'Recovery'] as const)(
    'of mode %s makes live again what a Decommission has left, while it is kept',
    async (mode) => {
      site = await withGreenLive(whole({ retention: { standby: 'Stopped', for: '1h' } }));
      const { world } = site;
      world.apply(decommission('the-end', 'green'));
      const approvals = async () => {
        await world.run(5);
        const planHash = site.cutover('the-end').status.plan?.hash ?? '';
        world.edit('the-end', 'two people approve', (spec) => {
          spec.approvals = ['alice', 'bob'].map((user) => ({ user, planHash }));
        });
      };
      await approvals();
      await world.until('green is taken down', hasEnded(site, 'the-end'));
      await world.run(60);
      expect(site.platform().status.live).toBeUndefined();
      world.apply(aCutover({ name: 'planned', to: 'green' }));
      await world.until('it has ended', hasEnded(site, 'planned'));
      expect(site.cutover('planned').status.outcome).toBe('Superseded');
      world.apply(rollback({ name: 'anew', from: '', to: 'green', spec: { mode } }));
      await world.until('it has ended', hasEnded(site, 'anew'));
      expect(site.cutover('anew').status.outcome).toBe('Succeeded');
      expect(site.platform().status).toMatchObject({ live: { name: 'green' } });
      expect(site.platform().status.decommissioned).toBeUndefined();
      expect(site.generation('green')?.status.retention).toBeUndefined();
      expect(site.generation('green')?.status).toMatchObject({ stage: 'Live', liveBy: ['to-green', 'anew'] });
      expect(world.tasks.running()).not.toEqual([]);
      await world.run(7200);
      expect(site.generation('green')?.status).toMatchObject({ stage: 'Live' });
      expect(site.generation('blue')?.status).toMatchObject({ stage: 'Retired' });
    },
  );

  it('is not possible any more once somebody has retired the old one by hand', async () => {
    site = await withGreenLive();
    const { world } = site;
    world.log.length = 0;
    world.edit('to-green', 'somebody has blue retired now (spec.retireNow)', (spec) => {
      spec.retireNow = true;
    });
    await world.until('blue is retired', () => site.generation('blue')?.status.stage === 'Retired');
    await world.until('its machines are gone', () => world.cloud.alive().length === 3);
    expect(site.platform().status.protected).toEqual(['green']);
    expectGolden('retire-now', world.log);
  });
});
