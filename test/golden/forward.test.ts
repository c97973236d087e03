import { afterEach, describe, expect, it } from '@jest/globals';
import { LABEL, LIVE_TIME_TAG } from '../../src/api/v1alpha1/index.ts';
import { cutovers, platforms } from '../../src/kinds.ts';
import { pods } from '../../src/kube/resources.ts';
import type { ApiRequest } from '../../src/kube/transport.ts';
import { aCutover, aRefusal, at } from '../builders/index.ts';
import { expectGolden } from './golden.ts';
import {
  decommission,
  hasEnded,
  irreversible,
  kill,
  migration,
  orders,
  requireApprovals,
  type Site,
  smoke,
  stage,
  when,
  whole,
  withBlueLive,
  withGreenStaged,
} from './site.ts';

/** Cutovers that get where they were meant to. */

let site: Site;
afterEach(() => site.world.operator.crash());

describe('a cutover', () => {
  it('the first of a platform', async () => {
    site = await withBlueLive();
    expect(site.platform().status).toMatchObject({ live: { name: 'blue' }, protected: ['blue'] });
    expect(site.cutover('to-blue').status.outcome).toBe('Succeeded');
    expectGolden('first-cutover', site.world.log);
  });

  it('to retirement and teardown', async () => {
    site = await withBlueLive();
    const { world } = site;
    world.log.length = 0;
    await stage(site, 'green');
    world.apply(aCutover({ from: 'blue', to: 'green' }));
    await world.run(800);
    expect(site.platform().status).toMatchObject({ live: { name: 'green' }, protected: ['green'] });
    expect(site.generation('blue')?.status.stage).toBe('Retired');
    expect(world.cloud.alive().map(({ id }) => id)).toEqual(['i-4', 'i-5', 'i-6']);
    expect(world.cloud.addresses).toEqual({ 'eipalloc-1': 'i-4', 'eipalloc-2': 'i-5' });
    expectGolden('cutover', world.log);
  });

  it('with everything that it has steps for', async () => {
    site = await withGreenStaged(whole());
    const { world } = site;
    world.apply(
      aCutover({
        from: 'blue',
        to: 'green',
        spec: { migrations: [migration('schema'), irreversible('drop')], verify: [smoke, orders], soak: '1m' },
      }),
    );
    await world.until('it has ended', hasEnded(site, 'to-green'));
    const { outcome, steps, downtime } = site.cutover('to-green').status;
    expect(outcome).toBe('Succeeded');
    expect(steps?.map(({ state }) => state)).toEqual(Array.from({ length: 13 }, () => 'Done'));
    expect(downtime?.map(({ role }) => role)).toEqual(['web', 'always-on']);
    expect(world.tasks.most).toEqual({ mailer: 1, indexer: 1, reports: 1 });
    expectGolden('whole', world.log);
    const later: string[] = [];
    world.server.subscribe(({ resource, after }) => void later.push(`${resource.kind} ${after?.metadata.name}`));
    await world.run(300);
    // The guard is probed, and a class looked at, for as long as they live.
    expect(later.filter((change) => !['GenerationClass aws', 'Platform us'].includes(change))).toEqual([]);
    expect(later.length).toBeLessThan(20);
  });

  it('lists all tasks only in steps that go by them: users wait in the others', async () => {
    let step: string | undefined;
    const listed = new Set<string | undefined>();
    const fate = {
      before({ method, resource, query }: ApiRequest) {
        if (method === 'GET' && resource === pods && query?.labelSelector === `${LABEL.platform}=us`) listed.add(step);
      },
    };
    site = await withGreenStaged(whole(), { fate });
    const { world } = site;
    listed.clear();
    world.server.subscribe(({ resource }) => {
      if (resource === cutovers)
        step = site.cutover('to-green').status.steps?.findLast(({ state }) => state === 'Running')?.name ?? step;
    });
    const verify = [orders];
    world.apply(
      aCutover({ from: 'blue', to: 'green', spec: { migrations: [migration('schema')], verify, soak: '1m' } }),
    );
    await world.until('it has ended', hasEnded(site, 'to-green'));
    expect([...listed].filter((name) => name !== undefined)).toEqual([
      'Reserve',
      'Hold',
      'Quiesce',
      'Restore',
      'Soak',
      'Retain',
    ]);
    expect(site.cutover('to-green').status.singletons).toMatchObject({ total: 2, running: 2 });
  });

  it('ends while a run of some scheduled task begins at every moment', async () => {
    site = await withGreenStaged(whole());
    const { world } = site;
    world.apply(aCutover({ from: 'blue', to: 'green' }));
    for (let run = 1; run <= 200 && !hasEnded(site, 'to-green')(); run++) {
      world.tasks.runs('scheduled', `backup${run}`, 5);
      await world.run(1);
    }
    expect(site.cutover('to-green').status.outcome).toBe('Succeeded');
  });

  it('is paused and goes on', async () => {
    site = await withGreenStaged(whole());
    const { world } = site;
    when(site, ['to-green', 'Quiesce', 'Running'], () =>
      world.edit('to-green', 'somebody pauses Cutover to-green', (spec) => {
        spec.paused = true;
      }),
    );
    world.apply(aCutover({ from: 'blue', to: 'green', spec: { migrations: [migration('schema')] } }));
    await world.run(60);
    expect(site.cutover('to-green').status.migrations).toBeUndefined();
    expect(world.jobs.runs('schema')).toBe(0);
    world.edit('to-green', 'somebody lets it go on', (spec) => {
      spec.paused = false;
    });
    await world.until('it has ended', hasEnded(site, 'to-green'));
    expect(site.cutover('to-green').status.outcome).toBe('Succeeded');
    expectGolden('paused', world.log);
  });

  it('waits for its window', async () => {
    site = await withGreenStaged();
    const { world } = site;
    world.apply(aCutover({ from: 'blue', to: 'green', spec: { notBefore: at(600), notAfter: at(900) } }));
    await world.run(120);
    expect(site.platform().status.live?.name).toBe('blue');
    await world.until('it has ended', hasEnded(site, 'to-green'));
    expect(Date.parse(site.generation('green')?.status.liveTime ?? '')).toBeGreaterThanOrEqual(Date.parse(at(600)));
    expectGolden('window', world.log);
  });

  it('is approved for a plan that has changed since', async () => {
    site = await withGreenStaged();
    requireApprovals(site, 2);
    const { world } = site;
    const approve = (user: string, planHash = site.cutover('to-green').status.plan?.hash ?? '') =>
      world.edit('to-green', `${user} approves ${planHash}`, (spec) => {
        const others = (spec.approvals ?? []).filter((one) => one.user !== user);
        spec.approvals = [...others, { user, planHash }];
      });
    world.apply(aCutover({ from: 'blue', to: 'green' }));
    await world.run(10);
    const first = site.cutover('to-green').status.plan?.hash ?? '';
    approve('alice@example.com');
    await world.run(10);
    world.note('a machine of green dies, and another one takes its place');
    world.cloud.kill('i-6');
    await world.run(120);
    approve('bob@example.com', first);
    await world.run(30);
    expect(site.cutover('to-green').status.plan?.changed).toEqual(['machines']);
    expect(site.platform().status.live?.name).toBe('blue');
    approve('alice@example.com');
    approve('bob@example.com');
    await world.until('it has ended', hasEnded(site, 'to-green'));
    expect(site.cutover('to-green').status.outcome).toBe('Succeeded');
    expectGolden('stale-approval', world.log);
  });

  it('is paused after Reserve, and does what was approved since: also when the Platform asks for something else later', async () => {
    site = await withGreenStaged();
    requireApprovals(site, 1);
    const { world } = site;
    const approve = () => {
      const planHash = site.cutover('to-green').status.plan?.hash ?? '';
      world.edit('to-green', `alice@example.com approves ${planHash}`, (spec) => {
        spec.approvals = [{ user: 'alice@example.com', planHash }];
      });
    };
    const pause = (paused: boolean) =>
      world.edit('to-green', `somebody writes paused: ${paused}`, (spec) => {
        spec.paused = paused;
      });
    const keep = (standby: 'Stopped' | 'None') => {
      world.note(`spec.retention.standby of the Platform becomes ${standby}`);
      world.server.edit(platforms, 'us', ({ spec }) => {
        spec.retention = { standby, for: '10m' };
      });
    };
    when(site, ['to-green', 'Reserve', 'Running'], () => pause(true));
    when(site, ['to-green', 'Soak', 'Running'], () => keep('None'));
    world.apply(aCutover({ from: 'blue', to: 'green', spec: { soak: '1m' } }));
    await world.run(10);
    approve();
    await world.run(60);
    keep('Stopped');
    await world.run(30);
    pause(false);
    await world.run(30);
    expect(site.cutover('to-green').status).toMatchObject({ plan: { changed: ['retention'] } });
    expect(site.cutover('to-green').status).not.toHaveProperty('switches');
    approve();
    await world.until('it has ended', hasEnded(site, 'to-green'));
    expect(site.generation('blue')?.status.retention).toMatchObject({ standby: 'Stopped' });
    expectGolden('paused-after-reserve', world.log);
  });

  it('prepared as a Recovery, approved and paused, is let go when the live generation is lost', async () => {
    site = await withGreenStaged(whole());
    requireApprovals(site, 1);
    const { world } = site;
    world.apply(aCutover({ name: 'rescue', from: 'blue', to: 'green', spec: { mode: 'Recovery', paused: true } }));
    await world.run(10);
    const planHash = site.cutover('rescue').status.plan?.hash ?? '';
    world.edit('rescue', 'alice@example.com approves it', (spec) => {
      spec.approvals = [{ user: 'alice@example.com', planHash }];
    });
    await world.run(60);
    expect(site.platform().status.cutover).toBeUndefined();
    kill(site, 'blue');
    await world.run(5);
    world.edit('rescue', 'somebody lets it go', (spec) => {
      spec.paused = false;
    });
    await world.until('it has ended', hasEnded(site, 'rescue'), 300);
    expect(site.platform().status.live?.name).toBe('green');
    expect(world.tasks.most).toEqual({ mailer: 1, indexer: 1, reports: 1 });
    expectGolden('recovery', world.log);
  });

  it('ends a platform, when two people want that', async () => {
    site = await withBlueLive(whole());
    const { world } = site;
    world.log.length = 0;
    world.apply(decommission('the-end', 'blue'));
    await world.run(10);
    const planHash = site.cutover('the-end').status.plan?.hash ?? '';
    for (const user of ['alice@example.com', 'bob@example.com']) {
      world.edit('the-end', `${user} approves it`, (spec) => {
        spec.approvals = [...(spec.approvals ?? []), { user, planHash }];
      });
      await world.run(20);
    }
    await world.until('it has ended', hasEnded(site, 'the-end'));
    expect(site.platform().status.live).toBeUndefined();
    await world.until('blue has no machines', () => world.cloud.alive().length === 0, 2_000);
    await world.run(60);
    expect(site.generation('blue')?.status.stage).toBe('Retired');
    expect(site.platform().status.protected).toEqual([]);
    expect(world.tasks.running()).toEqual([]);
    expectGolden('decommission', world.log);
  });

  it('at a cloud that takes no tags for a while keeps the pointer where it was, and the operator dies over it', async () => {
    site = await withGreenStaged();
    const { world } = site;
    let asked = 0;
    world.cloud.guardFate = (call) => {
      if (call !== 'tag') return;
      asked++;
      if (asked === 1) throw aRefusal('Throttled', { retryAfter: 5_000 });
      if (asked === 2) throw aRefusal('Unauthorized');
    };
    const dies = world.cloud.onCall;
    world.cloud.onCall = (call) => {
      dies(call);
      if (!call.startsWith('tag')) return;
      world.cloud.onCall = dies;
      world.note('the operator dies with the tags set and the pointer not moved');
      world.operator.crash();
    };
    world.apply(aCutover({ from: 'blue', to: 'green' }));
    await world.run(10);
    expect(site.platform().status.live?.name).toBe('blue');
    await world.run(20);
    await world.restart();
    await world.run(20);
    const liveTime = site.generation('green')?.status.liveTime;
    expect(site.platform().status.live).toMatchObject({ name: 'green', time: liveTime });
    for (const { tags, id } of world.cloud.machines().filter(({ tags }) => tags[LABEL.generation] === 'green'))
      expect([id, tags[LIVE_TIME_TAG]]).toEqual([id, liveTime]);
    expect(asked).toBe(3);
    expectGolden('throttled-tags', world.log);
  });
});
