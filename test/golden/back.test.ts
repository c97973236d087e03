import { afterEach, describe, expect, it } from '@jest/globals';
import { LABEL, LIVE_TIME_TAG, STEPS } from '../../src/api/v1alpha1/index.ts';
import { nodes, services } from '../../src/kube/resources.ts';
import { aCutover } from '../builders/index.ts';
import { expectGolden } from './golden.ts';
import {
  abort,
  answers,
  hasEnded,
  kill,
  migration,
  orders,
  plain,
  requireApprovals,
  type Site,
  smoke,
  when,
  whole,
  withGreenStaged,
} from './site.ts';

/** Cutovers that are taken back, by themselves or by a person: everything is as it was before. */

let site: Site;
afterEach(() => site.world.operator.crash());

const toGreen = () =>
  aCutover({
    from: 'blue',
    to: 'green',
    spec: { migrations: [migration('schema')], verify: [smoke, orders], soak: '1m' },
  });

describe('a cutover goes back', () => {
  it('when a check of Verify fails', async () => {
    site = await withGreenStaged(whole());
    const { world } = site;
    const before = site.state();
    answers(site, 'green', 503);
    world.apply(toGreen());
    await world.until('it has ended', hasEnded(site, 'to-green'));
    await world.run(30);
    expect(site.cutover('to-green').status).toMatchObject({ outcome: 'RolledBack', undo: { reason: 'CheckFailed' } });
    expect(site.state()).toEqual(before);
    expect([world.jobs.runs('migrate-schema'), world.jobs.runs('undo-schema')]).toEqual([1, 1]);
    expectGolden('verify-fails', world.log);
  });

  it('when a migration fails, with the end of its log', async () => {
    site = await withGreenStaged(whole());
    const { world } = site;
    const before = site.state();
    world.jobs.fate = (name) =>
      name.includes('schema') ? { seconds: 3, fails: ['ALTER TABLE orders', 'ERROR: lock timeout'] } : { seconds: 5 };
    world.apply(toGreen());
    await world.until('it has ended', hasEnded(site, 'to-green'));
    await world.run(30);
    expect(site.cutover('to-green').status).toMatchObject({
      outcome: 'RolledBack',
      migrations: [{ state: 'Failed', message: expect.stringContaining('ERROR: lock timeout') }],
    });
    expect(world.jobs.runs('undo-schema')).toBe(0);
    expect(site.state()).toEqual(before);
    expectGolden('migration-fails', world.log);
  });

  it('when a migration hangs', async () => {
    site = await withGreenStaged(whole());
    const { world } = site;
    const before = site.state();
    world.jobs.fate = () => ({ seconds: Number.POSITIVE_INFINITY });
    world.apply(
      aCutover({ from: 'blue', to: 'green', spec: { migrations: [migration('schema', { deadline: '2m' })] } }),
    );
    await world.until('it has ended', hasEnded(site, 'to-green'));
    await world.run(30);
    expect(site.cutover('to-green').status.outcome).toBe('RolledBack');
    expect(site.state()).toEqual(before);
    expectGolden('migration-hangs', world.log);
  });

  it('when a check fails while it soaks, and the new generation can be deleted', async () => {
    site = await withGreenStaged(whole());
    const { world } = site;
    const before = site.state();
    when(site, ['to-green', 'Restore', 'Done'], () => {
      world.note('green begins to fail');
      answers(site, 'green', 500);
    });
    world.apply(toGreen());
    await world.until('it has ended', hasEnded(site, 'to-green'));
    await world.run(30);
    expect(site.cutover('to-green').status.outcome).toBe('RolledBack');
    expect(site.state()).toEqual(before);
    for (const { tags } of world.cloud.alive().filter(({ tags }) => tags[LABEL.generation] === 'green'))
      expect(tags[LIVE_TIME_TAG]).toBe('');
    await world.remove('green');
    await world.until('green is gone', () => site.generation('green') === undefined);
    expect(world.cloud.alive().every(({ tags }) => tags[LABEL.generation] === 'blue')).toBe(true);
    expect(world.tasks.most).toEqual({ mailer: 1, indexer: 1, reports: 1 });
    expectGolden('soak-fails', world.log);
  });

  it('when somebody else changes a target, and leaves that to them', async () => {
    site = await withGreenStaged();
    const { world } = site;
    when(site, ['to-green', 'Switch', 'Running'], () => {
      world.note('somebody points Service www at a page of their own');
      world.server.edit(services, 'edge/www', (service) => {
        service.spec = { ...service.spec, selector: { app: 'party' } };
      });
    });
    world.apply(aCutover({ from: 'blue', to: 'green' }));
    await world.until('it has ended', hasEnded(site, 'to-green'));
    await world.run(30);
    expect(site.cutover('to-green').status).toMatchObject({ outcome: 'RolledBack', undo: { reason: 'ForeignChange' } });
    const ready = site.cutover('to-green').status.conditions?.find(({ type }) => type === 'Ready');
    expect(ready?.message).toContain(
      'everything else was undone, and blue is live; left as it is: traffic target www is at app=party',
    );
    expect(world.operator.events.findLast(({ reason }) => reason === 'RolledBack')).toMatchObject({ type: 'Warning' });
    expect(world.server.read(services, 'edge/www')?.spec?.selector).toEqual({ app: 'party' });
    expect(world.cloud.addresses).toEqual({ 'eipalloc-1': 'i-1', 'eipalloc-2': 'i-2' });
    expect(site.platform().status).toMatchObject({ live: { name: 'blue' }, protected: ['blue'] });
    expectGolden('foreign-change', world.log);
  });

  it('when all machines of the new generation die while traffic is held', async () => {
    site = await withGreenStaged(whole());
    const { world } = site;
    when(site, ['to-green', 'Verify', 'Running'], () => kill(site, 'green'));
    world.apply(toGreen());
    await world.until('it has ended', hasEnded(site, 'to-green'));
    await world.run(30);
    expect(site.cutover('to-green').status).toMatchObject({ outcome: 'RolledBack', undo: { reason: 'TargetLost' } });
    expect(site.platform().status).toMatchObject({ live: { name: 'blue' }, protected: ['blue'] });
    expect(site.generation('green')?.status.reservedBy).toBeUndefined();
    expectGolden('target-lost', world.log);
  });

  it('when a task is not known to have ended, because its machine does not answer', async () => {
    site = await withGreenStaged(whole());
    const { world } = site;
    when(site, ['to-green', 'Quiesce', 'Running'], () => {
      world.note('the kubelet of i-6 falls silent; the cloud shows its machine running');
      world.server.edit(nodes, 'node-i-6', (node) => {
        node.status = { conditions: [{ type: 'Ready', status: 'Unknown' }] };
      });
    });
    world.apply(toGreen());
    await world.until('it has ended', hasEnded(site, 'to-green'));
    await world.run(30);
    expect(site.cutover('to-green').status).toMatchObject({
      outcome: 'RolledBack',
      undo: { reason: 'SingletonsDoNotEnd' },
    });
    expect(world.jobs.runs('schema')).toBe(0);
    expect(world.tasks.most).toEqual({ mailer: 1, indexer: 1, reports: 1 });
    expectGolden('task-does-not-end', world.log);
  });

  it('when it is aborted after Point, and the new generation can be deleted', async () => {
    site = await withGreenStaged(plain());
    const { world } = site;
    const before = site.state();
    when(site, ['to-green', 'Point', 'Done'], () => abort(site, 'to-green'));
    world.apply(aCutover({ from: 'blue', to: 'green', spec: { soak: '10m' } }));
    await world.until('it has ended', hasEnded(site, 'to-green'));
    await world.run(30);
    expect(site.cutover('to-green').status.outcome).toBe('Aborted');
    expect(site.state()).toEqual(before);
    await world.remove('green');
    await world.until('green is gone', () => site.generation('green') === undefined);
    expect(world.cloud.alive().map(({ id }) => id)).toEqual(['i-1', 'i-2', 'i-3']);
    expectGolden('abort-after-point', world.log);
  });
});

describe('a cutover that is aborted', () => {
  const ABORTED = STEPS.filter((step) => step !== 'Preflight' && step !== 'Retain');

  it('at each of its steps leaves everything as it was', async () => {
    const log: string[] = [];
    for (const step of ABORTED) {
      site = await withGreenStaged(whole());
      if (step === 'Approve') requireApprovals(site, 1);
      const { world } = site;
      const before = site.state();
      when(site, ['to-green', step, 'Running'], () => {
        world.log.length = 0;
        abort(site, 'to-green');
      });
      world.apply(toGreen());
      await world.until(`it has ended, aborted at ${step}`, hasEnded(site, 'to-green'));
      await world.run(30);
      const { outcome, migrations = [] } = site.cutover('to-green').status;
      expect({ step, outcome, ...site.state() }).toEqual({ step, outcome: 'Aborted', ...before });
      expect(migrations.every(({ state }) => state === 'Undone' || state === 'Failed')).toBe(true);
      expect(world.tasks.most).toEqual({ mailer: 1, indexer: 1, reports: 1 });
      log.push(`== while ${step} is running`, ...world.log, '');
      world.operator.crash();
    }
    expectGolden('abort-at-each-step', log);
  });
});
