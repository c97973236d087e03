import { afterEach, describe, expect, it } from '@jest/globals';
import type { Cutover } from '../../src/api/v1alpha1/index.ts';
import { clusterGenerations, cutovers, platforms } from '../../src/kinds.ts';
import { aCutover, startOperator } from '../builders/index.ts';
import { expectGolden } from './golden.ts';
import { abort, hasEnded, migration, type Site, stage, when, whole, withGreenStaged } from './site.ts';

/** More than one cutover, and what is left of those that are gone. */

let site: Site;
afterEach(() => site.world.operator.crash());

const applied = (cutover: Cutover, again = ''): Cutover => ({
  ...cutover,
  metadata: {
    ...cutover.metadata,
    uid: `${cutover.metadata.uid}${again}`,
    creationTimestamp: new Date(site.world.clock.now()).toISOString(),
  },
});

/** Somebody deletes a Cutover: it goes as soon as nothing holds it. */
const remove = (name: string) => {
  site.world.note(`somebody deletes Cutover ${name}`);
  site.world.server.edit(cutovers, name, (cutover) => {
    cutover.metadata.deletionTimestamp = new Date(site.world.clock.now()).toISOString();
  });
};

describe('of two cutovers', () => {
  it('that are applied at once the first goes, and the other moves nothing', async () => {
    site = await withGreenStaged();
    const { world } = site;
    await stage(site, 'amber');
    world.log.length = 0;
    world.apply(applied(aCutover({ from: 'blue', to: 'green', spec: { soak: '1m' } })));
    world.apply(applied(aCutover({ name: 'to-z-amber', from: 'blue', to: 'amber' })));
    for (const name of ['to-z-amber', 'to-green']) await world.until(`${name} has ended`, hasEnded(site, name));
    await world.run(30);
    expect(site.cutover('to-green').status.outcome).toBe('Succeeded');
    expect(site.cutover('to-z-amber').status.outcome).toBe('Superseded');
    expect(site.platform().status).toMatchObject({ live: { name: 'green' }, protected: ['blue', 'green'] });
    expect(site.generation('amber')?.status).toMatchObject({ stage: 'Staged' });
    expectGolden('racing', world.log);
  });

  it('the one under way moves nothing, forth or back, while a restored Platform names the other', async () => {
    site = await withGreenStaged(whole());
    const { world } = site;
    const other = applied(aCutover({ name: 'to-green-too', from: 'blue', to: 'green' }));
    when(site, ['to-green', 'Hold', 'Done'], () => {
      world.note('the status of the Platform comes back from a backup: held by to-green-too');
      world.server.edit(platforms, 'us', ({ status }) => {
        status.cutover = { name: other.metadata.name, uid: other.metadata.uid };
      });
    });
    world.apply(applied(aCutover({ from: 'blue', to: 'green' })));
    world.apply(other);
    await world.run(30);
    const held = site.state();
    abort(site, 'to-green');
    await world.run(30);
    expect(site.state()).toEqual(held);
    abort(site, 'to-green-too');
    await world.until('it has ended', hasEnded(site, 'to-green'));
    expect(site.cutover('to-green').status.outcome).toBe('Aborted');
    expect(site.platform().status.live?.name).toBe('blue');
    expectGolden('platform-not-held', world.log);
  });

  it('a second waits for the first, which has not begun and is deleted, and one that comes too late is superseded', async () => {
    site = await withGreenStaged();
    const { world } = site;
    world.apply(applied(aCutover({ from: 'blue', to: 'missing' })));
    await world.run(5);
    world.apply(applied(aCutover({ from: 'blue', to: 'green' })));
    await world.run(30);
    expect(site.platform().status.live?.name).toBe('blue');
    remove('to-missing');
    await world.run(30);
    expect(site.platform().status.live?.name).toBe('green');
    world.apply(applied(aCutover({ name: 'too-late', from: 'blue', to: 'green' })));
    await world.run(30);
    expect(site.cutover('too-late').status.outcome).toBe('Superseded');
    expectGolden('second-cutover', world.log);
  });
});

describe('a cutover carried out by two operators at once', () => {
  it('each of which believes to lead, moves nothing twice', async () => {
    site = await withGreenStaged(whole());
    const { world } = site;
    const { server, cloud, clock } = world;
    const second = await startOperator({ server, cloud, clock });
    world.note('a second operator starts, and believes to lead');
    world.apply(
      applied(aCutover({ from: 'blue', to: 'green', spec: { migrations: [migration('schema')], soak: '20s' } })),
    );
    await world.until('it has ended', hasEnded(site, 'to-green'));
    await world.run(30);
    second.crash();
    expect(site.cutover('to-green').status.outcome).toBe('Succeeded');
    expect(world.jobs.runs('schema')).toBe(1);
    expect(world.tasks.most).toEqual({ mailer: 1, indexer: 1, reports: 1 });
    const addresses = cloud.calls.filter((call) => call.startsWith('associate'));
    expect(addresses.slice(-2)).toEqual(['associate eipalloc-1 with i-7', 'associate eipalloc-2 with i-8']);
    expectGolden('two-operators', world.log);
  });
});

describe('a finished cutover', () => {
  it('that Git applies again, from the first one on, moves nothing', async () => {
    site = await withGreenStaged();
    const { world } = site;
    world.apply(applied(aCutover({ from: 'blue', to: 'green' })));
    await world.until('it has ended', hasEnded(site, 'to-green'));
    await world.run(10);
    const before = site.state();
    world.log.length = 0;
    remove('to-blue');
    remove('to-green');
    await world.run(5);
    expect(world.server.all(cutovers)).toEqual([]);
    world.note('Git is applied anew');
    world.apply(applied(aCutover({ to: 'blue' }), '-again'));
    world.apply(applied(aCutover({ from: 'blue', to: 'green' }), '-again'));
    await world.run(60);
    expect(world.server.all(cutovers).map(({ status }) => status.outcome)).toEqual(['Superseded', 'Superseded']);
    expect(site.state()).toEqual(before);
    expectGolden('replayed-by-git', world.log);
  });

  it('that Git applies again, when the generation that it left is live once more, moves nothing: nor does a Rollback', async () => {
    site = await withGreenStaged();
    const { world } = site;
    world.apply(applied(aCutover({ from: 'blue', to: 'green' })));
    await world.until('green is live', hasEnded(site, 'to-green'));
    const back = aCutover({ name: 'back-to-blue', from: 'green', to: 'blue', spec: { mode: 'Rollback' } });
    const forth = aCutover({ name: 'forth-to-green', from: 'blue', to: 'green', spec: { mode: 'Rollback' } });
    for (const cutover of [back, forth]) {
      world.apply(applied(cutover));
      await world.until(`${cutover.metadata.name} has ended`, hasEnded(site, cutover.metadata.name));
    }
    await world.run(10);
    const before = site.state();
    for (const { metadata } of world.server.all(cutovers)) remove(metadata.name);
    await world.run(5);
    expect(world.server.all(cutovers)).toEqual([]);
    const replayed = [aCutover({ to: 'blue' }), aCutover({ from: 'blue', to: 'green' }), back, forth];
    for (const cutover of replayed) world.apply(applied(cutover, '-again'));
    await world.run(60);
    expect(world.server.all(cutovers).map(({ status }) => status.outcome)).toEqual(replayed.map(() => 'Superseded'));
    expect(site.state()).toEqual(before);
    // Written anew, it is another one.
    world.apply(applied({ ...back, metadata: { ...back.metadata, name: 'back-once-more', uid: 'uid-once-more' } }));
    await world.until('it has ended', hasEnded(site, 'back-once-more'));
    expect(site.platform().status.live?.name).toBe('blue');
  });
});

describe('what a cutover held that is gone', () => {
  it('is given back: its reservation, the platform, and the tasks that it kept from starting', async () => {
    site = await withGreenStaged();
    const { world } = site;
    const before = site.state();
    world.note('somebody tears a Cutover that has begun out of the API server: what it held stays');
    const gone = { name: 'gone', uid: 'uid-gone' };
    world.server.edit(clusterGenerations, 'green', ({ status }) => {
      status.reservedBy = gone;
    });
    world.server.edit(platforms, 'us', ({ status }) => {
      status.cutover = gone;
      status.quiesced = { cutover: gone, stop: [], time: new Date(world.clock.now()).toISOString() };
      status.protected = ['blue', 'green'];
    });
    await world.run(120);
    expect(site.state()).toEqual(before);
    expectGolden('holder-is-gone', world.log);
  });
});
