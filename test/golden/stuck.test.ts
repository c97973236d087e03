import { afterEach, describe, expect, it } from '@jest/globals';
import { aCutover } from '../builders/index.ts';
import { expectGolden } from './golden.ts';
import {
  abort,
  answers,
  hasEnded,
  irreversible,
  kill,
  migration,
  type Site,
  smoke,
  stage,
  when,
  whole,
  withGreenStaged,
} from './site.ts';

/** Cutovers past their point of no return: they go on, or wait for somebody. */

let site: Site;
afterEach(() => site.world.operator.crash());

const blocked = (name: string) =>
  site.cutover(name).status.conditions?.find(({ type, status }) => type === 'Blocked' && status === 'True');

const toGreen = () =>
  aCutover({ from: 'blue', to: 'green', spec: { migrations: [irreversible('drop')], verify: [smoke] } });

describe('a cutover past its point of no return', () => {
  it('is Blocked by a check that fails, and goes on by itself when it passes', async () => {
    site = await withGreenStaged(whole());
    const { world } = site;
    answers(site, 'green', 500);
    world.apply(toGreen());
    await world.until('it is Blocked', () => blocked('to-green') !== undefined);
    await world.run(60);
    const told = world.operator.events.filter(({ reason }) => reason === 'Blocked');
    expect(told.map(({ regarding }) => 'metadata' in regarding && regarding.metadata.name)).toEqual([
      'to-green',
      'blue',
      'green',
    ]);
    expect(told[0]).toMatchObject({
      type: 'Warning',
      note: expect.stringContaining('is Blocked (CheckFailed): check smoke'),
    });
    abort(site, 'to-green');
    world.note('(of a real API server a policy refuses that)');
    await world.run(60);
    expect(site.cutover('to-green').status).not.toHaveProperty('undo');
    world.note('somebody repairs green');
    answers(site, 'green', 200);
    await world.until('it has ended', hasEnded(site, 'to-green'));
    expect(site.cutover('to-green').status.outcome).toBe('Succeeded');
    expect(world.jobs.runs('drop')).toBe(1);
    expectGolden('blocked-goes-on', world.log);
  });

  it('is Blocked by a task that cannot start, for as long as it cannot, and takes nothing back', async () => {
    site = await withGreenStaged(whole());
    const { world } = site;
    when(site, ['to-green', 'Point', 'Done'], () => {
      world.note('the image of mailer is taken away');
      world.tasks.image('mailer', false);
    });
    world.apply(toGreen());
    await world.until('it is Blocked', () => blocked('to-green') !== undefined);
    expect(blocked('to-green')).toMatchObject({
      reason: 'TasksDoNotStart',
      message: expect.stringContaining('Pod tasks/mailer-7d9f-2 does not start: container main, ImagePullBackOff'),
    });
    await world.run(60);
    world.note('it is pushed again');
    world.tasks.image('mailer', true);
    await world.until('it has ended', hasEnded(site, 'to-green'));
    expect(site.cutover('to-green').status).toMatchObject({ outcome: 'Succeeded' });
    expect(world.tasks.most).toEqual({ mailer: 1, indexer: 1, reports: 1 });
    expectGolden('task-does-not-start', world.log);
  });

  it('is superseded by one to a third generation, which takes over what it had begun', async () => {
    site = await withGreenStaged(whole());
    const { world } = site;
    await stage(site, 'amber');
    world.log.length = 0;
    answers(site, 'green', 500);
    world.apply(toGreen());
    await world.until('it is Blocked', () => blocked('to-green') !== undefined);
    await world.run(30);
    const { name, uid } = site.cutover('to-green').metadata;
    world.apply(
      aCutover({
        from: 'blue',
        to: 'amber',
        metadata: { creationTimestamp: new Date(world.clock.now()).toISOString() },
        spec: { supersedes: { name, uid }, migrations: [irreversible('drop')], verify: [smoke] },
      }),
    );
    await world.until('it has ended', hasEnded(site, 'to-amber'));
    await world.run(60);
    expect(site.cutover('to-green').status.outcome).toBe('Superseded');
    expect(site.cutover('to-amber').status.outcome).toBe('Succeeded');
    expect(world.jobs.runs('drop')).toBe(1);
    expect(site.platform().status).toMatchObject({ live: { name: 'amber' }, previous: { name: 'blue' } });
    expect(site.platform().status.cutover).toBeUndefined();
    expect(site.generation('green')?.status).toMatchObject({ stage: 'Staged' });
    expect(site.generation('green')?.status.reservedBy).toBeUndefined();
    expect(site.platform().status.protected).toEqual(['blue', 'amber']);
    expectGolden('superseded', world.log);
  });

  it('and superseded after Point leaves no generation behind that nobody would retire', async () => {
    site = await withGreenStaged(whole());
    const { world } = site;
    await stage(site, 'amber');
    when(site, ['to-green', 'Restore', 'Done'], () => answers(site, 'green', 500));
    world.apply(
      aCutover({
        from: 'blue',
        to: 'green',
        spec: { migrations: [irreversible('drop')], verify: [smoke], soak: '1m' },
      }),
    );
    await world.until('it is Blocked', () => blocked('to-green') !== undefined);
    const { name, uid } = site.cutover('to-green').metadata;
    world.apply(
      aCutover({
        from: 'green',
        to: 'amber',
        metadata: { creationTimestamp: new Date(world.clock.now()).toISOString() },
        spec: { supersedes: { name, uid }, verify: [smoke] },
      }),
    );
    await world.until('it has ended', hasEnded(site, 'to-amber'));
    await world.run(10);
    const barred = { noRollback: 'migration drop is not reversible and is committed (Cutover to-green)' };
    expect(site.generation('blue')?.status.retention).toMatchObject(barred);
    expect(site.generation('green')?.status.retention).toMatchObject(barred);
    await world.until('blue is retired', () => site.generation('blue')?.status.stage === 'Retired');
    await world.until('only amber is left', () => site.platform().status.protected?.join() === 'amber');
  });

  it('keeps the Job of a migration that runs until its heir has seen the end of it, over any number of heirs', async () => {
    site = await withGreenStaged(whole());
    const { world } = site;
    await stage(site, 'amber');
    await stage(site, 'red');
    world.jobs.fate = () => ({ seconds: 120 });
    world.apply(toGreen());
    await world.until('it migrates', () => world.jobs.runs('drop') === 1);
    for (const [name, heir] of [
      ['to-green', 'amber'],
      ['to-amber', 'red'],
    ] as const) {
      const { uid } = site.cutover(name).metadata;
      world.apply(
        aCutover({
          from: 'blue',
          to: heir,
          metadata: { creationTimestamp: new Date(world.clock.now()).toISOString() },
          spec: { supersedes: { name, uid }, migrations: [irreversible('drop')] },
        }),
      );
      await world.run(5);
      expect(site.cutover(`to-${heir}`).status.migrations).toMatchObject([{ name: 'drop', state: 'Running' }]);
      expect(site.cutover(name).status.outcome).toBeUndefined();
    }
    await world.until('it has ended', hasEnded(site, 'to-red'));
    await world.run(30);
    expect(world.jobs.runs('drop')).toBe(1);
    expect(['to-green', 'to-amber', 'to-red'].map((name) => site.cutover(name).status.outcome)).toEqual([
      'Superseded',
      'Superseded',
      'Succeeded',
    ]);
  });

  it('when all machines of the old generation die goes forward', async () => {
    site = await withGreenStaged(whole());
    const { world } = site;
    when(site, ['to-green', 'Migrate', 'Running'], () => kill(site, 'blue'));
    world.apply(aCutover({ from: 'blue', to: 'green', spec: { migrations: [migration('schema')], verify: [smoke] } }));
    await world.until('it has ended', hasEnded(site, 'to-green'));
    expect(site.cutover('to-green').status.outcome).toBe('Succeeded');
    expect(site.platform().status.live?.name).toBe('green');
    expectGolden('source-lost', world.log);
  });

  it('is not one whose irreversible migration has failed: that has changed nothing', async () => {
    site = await withGreenStaged(whole());
    const { world } = site;
    world.apply(toGreen());
    world.jobs.fate = () => ({ seconds: 3, fails: ['ERROR: relation "orders" is locked'] });
    await world.until('it has ended', hasEnded(site, 'to-green'));
    await world.run(30);
    expect(site.cutover('to-green').status.outcome).toBe('RolledBack');
    expectGolden('irreversible-fails', world.log);
  });
});
