import { afterEach, describe, expect, it } from '@jest/globals';
import { jobs, pods } from '../../src/kube/resources.ts';
import { aCutover } from '../builders/index.ts';
import { expectGolden } from './golden.ts';
import { abort, hasEnded, irreversible, migration, type Site, whole, withGreenStaged } from './site.ts';

/** Jobs that are deleted, or vanish: no migration runs twice, and what it has done is seen or asked for. */

let site: Site;
afterEach(() => site.world.operator.crash());

const blocked = (name: string) =>
  site.cutover(name).status.conditions?.find(({ type, status }) => type === 'Blocked' && status === 'True');

/** What still keeps a Job or a pod of one. */
const keptBy = () =>
  [...site.world.server.all(jobs), ...site.world.server.all(pods)].flatMap(({ metadata }) =>
    (metadata.finalizers ?? []).filter((name) => name === 'generations.dev/job'),
  );

const withMigration = (spec: ReturnType<typeof migration>) =>
  aCutover({ from: 'blue', to: 'green', spec: { migrations: [spec] } });

async function migrating(spec: ReturnType<typeof migration>, seconds = 120): Promise<Site['world']> {
  site = await withGreenStaged(whole());
  const { world } = site;
  world.jobs.fate = () => ({ seconds, stops: 20 });
  world.apply(withMigration(spec));
  await world.until('it migrates', () => world.jobs.running('migrate') === 1);
  await world.run(3);
  return world;
}

describe('a cutover whose migration is deleted while it runs', () => {
  it('waits until it has ended, and goes back', async () => {
    const world = await migrating(migration('schema'));
    world.jobs.remove('migrate');
    await world.until('it goes back', () => site.cutover('to-green').status.undo !== undefined);
    expect(world.jobs.running('migrate')).toBe(0);
    await world.until('it has ended', hasEnded(site, 'to-green'));
    await world.run(30);
    expect(site.cutover('to-green').status).toMatchObject({
      outcome: 'RolledBack',
      migrations: [{ state: 'Failed', interrupted: true }],
    });
    expect([world.jobs.runs('migrate'), world.jobs.runs('undo'), world.jobs.most]).toEqual([1, 0, 1]);
    expect(keptBy()).toEqual([]);
    expectGolden('job-deleted', world.log);
  });

  it('and that is aborted waits until it has ended, and goes on going back', async () => {
    const world = await migrating(migration('schema'));
    abort(site, 'to-green');
    await world.run(2);
    world.jobs.remove('migrate');
    await world.run(15);
    expect(site.cutover('to-green').status.outcome).toBeUndefined();
    expect(world.jobs.running('migrate')).toBe(1);
    await world.until('it has ended', hasEnded(site, 'to-green'));
    expect(world.jobs.running('migrate')).toBe(0);
    expect([site.cutover('to-green').status.outcome, world.jobs.runs('schema')]).toEqual(['Aborted', 1]);
  });
});

describe('a migration that ends while the operator is away', () => {
  it.each([
    ['reversible', migration('schema')],
    ['not reversible', irreversible('drop')],
  ])('and that is %s is committed, though its Job was deleted meanwhile', async (_, spec) => {
    const world = await migrating(spec, 8);
    world.operator.crash();
    await world.run(20);
    world.jobs.remove('migrate');
    await world.run(5);
    await world.restart();
    await world.until('it has ended', hasEnded(site, 'to-green'));
    await world.run(30);
    expect(site.cutover('to-green').status).toMatchObject({
      outcome: 'Succeeded',
      migrations: [{ state: 'Committed' }],
    });
    expect(world.jobs.runs('migrate')).toBe(1);
    expect(keptBy()).toEqual([]);
  });
});

describe('an irreversible migration that vanishes without a trace', () => {
  it('is not run again: people say what it has done', async () => {
    const world = await migrating(irreversible('drop'));
    world.jobs.remove('migrate', { force: true });
    await world.until('it is Blocked', () => blocked('to-green') !== undefined);
    expect(world.jobs.running('migrate')).toBe(0);
    expect(blocked('to-green')).toMatchObject({ reason: 'MigrationEndUnknown' });
    await world.run(60);
    expect(world.jobs.runs('migrate')).toBe(1);
    const [{ uid = '' } = {}] = site.cutover('to-green').status.migrations ?? [];
    world.edit('to-green', 'somebody has found out that it was done, and says so', (spec) => {
      spec.settled = [{ uid, as: 'Ran' }];
    });
    await world.until('it has ended', hasEnded(site, 'to-green'));
    expect(site.cutover('to-green').status.outcome).toBe('Succeeded');
    expect(world.jobs.runs('migrate')).toBe(1);
    expectGolden('migration-end-unknown', world.log);
  });

  it('is run again, or taken for never run, only when they say that it did not', async () => {
    const world = await migrating(irreversible('drop'));
    world.jobs.remove('migrate', { force: true });
    await world.until('it is Blocked', () => blocked('to-green') !== undefined);
    const [{ uid = '' } = {}] = site.cutover('to-green').status.migrations ?? [];
    world.edit('to-green', 'somebody has found out that nothing was done, and says so', (spec) => {
      spec.settled = [{ uid, as: 'DidNotRun' }];
    });
    await world.until('it has ended', hasEnded(site, 'to-green'));
    expect(site.cutover('to-green').status).toMatchObject({ outcome: 'RolledBack', migrations: [{ state: 'Failed' }] });
    expect(world.jobs.runs('migrate')).toBe(1);
  });
});
