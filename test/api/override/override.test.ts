import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '../../../local/wait.ts';
import type { ClusterGeneration } from '../../../src/api/v1alpha1/index.ts';
import { aliveOf, machinesOf, mostWithin, terminationTimes } from '../../scenarios/ledger.ts';
import { aClass, aPlatform, aScenario } from '../../scenarios/objects.ts';
import {
  ALICE,
  BOB,
  byTwoPeople,
  cutOver,
  patchPlatform,
  peopleMayWritePlatforms,
  staged,
} from '../../scenarios/people.ts';
import { condition, has, renewals, startWorld, type World } from '../../scenarios/world.ts';

/** Break-glass on a real API server with the chart's policies and the operator that is shipped, at 40 declared seconds in a real one. */

const SCALE = 40;
/** Real ms for which an override is in force: ten declared minutes. */
const IN_FORCE = 600_000 / SCALE;
const MACHINES_PER_MINUTE = 6;
const MINUTE = 60_000 / SCALE;
const SIZE = 3;

let world: World;

beforeAll(async () => {
  world = await startWorld({ scenario: aScenario(), timeScale: SCALE, chart: peopleMayWritePlatforms });
  const budget = { destructiveBudget: { machinesPerMinute: MACHINES_PER_MINUTE } };
  await world.apply('gitops', aClass('local', world.cloud), aPlatform('site', 'local', budget));
  await staged(world, 'old', 'site', { web: { machines: SIZE } });
  await cutOver(world, 'site', '', 'old');
  await staged(world, 'live', 'site', { web: { machines: SIZE } });
  await cutOver(world, 'site', 'old', 'live');
}, 180_000);

afterAll(() => world?.stop(), 30_000);

const asked = (reason: string) => ({ generation: 'live', reason });
const request = (reason: string) => ({ override: { ...asked(reason), requestedBy: ALICE } });
const withdrawn = { override: null };

const untilInForce = () =>
  world.until(
    'platforms',
    'site',
    'to be overridden',
    (platform) => platform.status.override !== undefined && has('Overridden', 'True', 'InForce')(platform),
  );
const untilOver = (state: string) =>
  world.until(
    'platforms',
    'site',
    `its override to be ${state}`,
    ({ status }) => status.override === undefined && status.lastOverride?.state === state,
  );
/** Waits until both objects say so: then the policies honour it within milliseconds. */
const untilBoth = async () => {
  const platform = await untilInForce();
  const { until } = platform.status.override!;
  await world.until('clustergenerations', 'live', 'to be overridden', ({ status }) => status.override?.until === until);
  return platform;
};
const untilProtected = () =>
  world.until('clustergenerations', 'live', 'to be protected again', ({ status }) => status.override === undefined);

const remove = (kind: string, name: string, ...more: string[]) =>
  world.kubectl('admin', 'delete', kind, name, '--wait=false', ...more);
const untouched = async () => {
  for (const name of ['old', 'live']) expect(aliveOf(await world.ledger(), name)).toHaveLength(SIZE);
};
const events = async () =>
  (
    await world.kubectl(
      'admin',
      ...['get', 'events', '-A', '-o'],
      'jsonpath={range .items[*]}{.involvedObject.kind} {.type} {.reason} {.message}{"\\n"}{end}',
    )
  ).stdout;
const metric = async () => (await fetch(`${world.operator.metricsUrl}/metrics`)).text();

describe('an override is refused', () => {
  afterEach(async () => {
    await patchPlatform(world, 'alice', 'site', withdrawn);
    expect(await remove('cg', 'live')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('cannot be deleted'),
    });
  });

  it('of one person who is both', async () => {
    const both = { override: { ...asked('mine'), requestedBy: ALICE, approvedBy: BOB } };
    const refused = await patchPlatform(world, 'alice', 'site', both);
    expect(refused.stderr).toMatch(/spec.override of Platform site cannot be requested like this by alice@example.com/);
    const inAnothersName = await patchPlatform(world, 'bob', 'site', request('not by bob'));
    expect(inAnothersName.stderr).toMatch(/cannot be requested like this by bob@example.com/);
  });

  it('of the same person twice', async () => {
    expect(await patchPlatform(world, 'alice', 'site', request('alone'))).toMatchObject({ status: 0 });
    const twice = await patchPlatform(world, 'alice', 'site', { override: { approvedBy: ALICE } });
    expect([twice.status, twice.stderr]).toEqual([1, expect.stringMatching(/by alice@example.com|another person/)]);
    const forged = await patchPlatform(world, 'alice', 'site', { override: { approvedBy: BOB } });
    expect(forged.stderr).toMatch(/cannot be changed like this by alice@example.com/);
    const platform = await world.until(
      'platforms',
      'site',
      'to wait for another',
      has('Overridden', 'False', 'AwaitingApproval'),
    );
    expect(platform.status.override).toBeUndefined();
    expect(condition(platform, 'Overridden')?.message).toContain('another person approves it');
  });

  it('of a service account, a cluster admin too', async () => {
    const must = async (...args: string[]) => {
      const { status, stdout, stderr } = await world.kubectl('admin', ...args);
      expect([status, stderr]).toEqual([0, '']);
      return stdout.trim();
    };
    await must('create', 'serviceaccount', 'deployer', '-n', 'default');
    await must(
      'create',
      'clusterrolebinding',
      'deployer',
      '--clusterrole=cluster-admin',
      '--serviceaccount=default:deployer',
    );
    const token = await must('create', 'token', 'deployer', '-n', 'default');
    const user = 'system:serviceaccount:default:deployer';
    const patch = (spec: object) =>
      world.kubectl(
        'bob',
        `--token=${token}`,
        'patch',
        'platform',
        'site',
        '--type=merge',
        '-p',
        JSON.stringify({ spec }),
      );
    const asking = await patch({ override: { ...asked('robot'), requestedBy: user } });
    expect(asking.stderr).toContain(`cannot be requested like this by ${user}`);
    expect(await patchPlatform(world, 'alice', 'site', request('robot'))).toMatchObject({ status: 0 });
    const approving = await patch({ override: { approvedBy: user } });
    expect(approving.stderr).toContain(`cannot be changed like this by ${user}`);
  });

  it('of what was not asked for', async () => {
    expect(await patchPlatform(world, 'alice', 'site', request('a change of mind'))).toMatchObject({ status: 0 });
    const other = await patchPlatform(world, 'bob', 'site', { override: { generation: 'old', approvedBy: BOB } });
    expect(other.stderr).toMatch(/cannot be changed like this by bob@example.com/);
  });
});

describe('an override that two people have asked for', () => {
  it('is loud: event, condition, metric and log with both names and the reason', async () => {
    await byTwoPeople(world, 'site', 'override', asked('subnet fire'));
    const platform = await untilBoth();
    const sentence = `the protection of ClusterGeneration live is lifted until ${platform.status.override?.until}. Override requested by ${ALICE}, approved by ${BOB}, because: subnet fire`;
    expect(condition(platform, 'Overridden')?.message).toBe(sentence);
    expect(platform.status.lastOverride).toMatchObject({ state: 'InForce', requestedBy: ALICE, approvedBy: BOB });
    await renewals(world, 1);
    const seen = await events();
    for (const kind of ['Platform', 'ClusterGeneration'])
      expect(seen).toContain(`${kind} Warning OverrideInForce ${sentence}`);
    expect(await metric()).toContain('generations_override_in_force{platform="site",generation="live"} 1');
    expect(world.operator.process().output()).toContain(sentence);
  }, 30_000);

  it('is of no other generation, and not of the Platform', async () => {
    await untilInForce();
    for (const [kind, name] of [
      ['cg', 'old'],
      ['gpool', 'old.web'],
      ['platform', 'site'],
    ] as const)
      expect(await remove(kind, name)).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('cannot be deleted'),
      });
  });

  it('is cancelled by anybody, at once, and then protects again', async () => {
    await untilInForce();
    expect(await patchPlatform(world, 'gitops', 'site', withdrawn)).toMatchObject({ status: 0 });
    await untilOver('Withdrawn');
    await untilProtected();
    expect(await remove('cg', 'live')).toMatchObject({ status: 1, stderr: expect.stringContaining('it is live') });
    expect(await events()).toContain('Platform Warning OverrideWithdrawn');
    expect(await metric()).not.toContain('generation="live"} 1\n# HELP generations_override');
    await untouched();
  });

  it('does not come into force again with the same words', async () => {
    await byTwoPeople(world, 'site', 'override', asked('subnet fire'));
    const platform = await world.until('platforms', 'site', 'to say so', ({ status, metadata }) => {
      const said = status.conditions?.find(({ type }) => type === 'Overridden');
      return (
        said?.observedGeneration === metadata.generation && said.message.includes('does not come into force again')
      );
    });
    expect(platform.status.override).toBeUndefined();
    await patchPlatform(world, 'bob', 'site', withdrawn);
  });

  it('ends with its time', async () => {
    const began = Date.now();
    await byTwoPeople(world, 'site', 'override', asked('it expires'));
    await untilInForce();
    await untilOver('Expired');
    expect(Date.now() - began).toBeGreaterThanOrEqual(IN_FORCE - 1_000);
    await untilProtected();
    expect(await remove('cg', 'live')).toMatchObject({ status: 1, stderr: expect.stringContaining('it is live') });
    await untouched();
    await patchPlatform(world, 'alice', 'site', withdrawn);
  }, 60_000);

  it('ends when the operator was down as its time came', async () => {
    await byTwoPeople(world, 'site', 'override', asked('the operator crashes'));
    const { status } = await untilBoth();
    await world.operator.kill();
    const { until } = status.override!;
    await waitFor(
      `${until} to pass`,
      { limitMs: 2 * IN_FORCE },
      async () => Date.now() > Date.parse(until) || undefined,
    );
    await world.operator.restart();
    await world.operator.ready();
    await untilOver('Expired');
    await untilProtected();
    await untouched();
    await patchPlatform(world, 'alice', 'site', withdrawn);
  }, 120_000);

  it('lets the deletion of that one generation through, at the pace of the destructive budget', async () => {
    const { metadata } = (await world.get('clustergenerations', 'live')) as ClusterGeneration;
    await byTwoPeople(world, 'site', 'override', asked('it has to go'));
    await untilBoth();
    const deleted = await world.kubectl('alice', 'delete', 'cg', 'live', '--wait=false');
    expect(deleted).toMatchObject({ status: 0 });
    await world.untilGone('clustergenerations', 'live');
    const { status } = await untilOver('Done');
    expect(status.lastOverride).toMatchObject({ uid: metadata.uid, reason: 'it has to go' });
    const machines = machinesOf(await world.ledger(), 'live');
    expect(machines.map(({ terminatedBy }) => terminatedBy)).toEqual(Array(SIZE).fill('operator'));
    // EC2 tells times in whole seconds; a budget is at most a minute's worth and the pace of that minute.
    expect(mostWithin(terminationTimes(machines), MINUTE)).toBeLessThanOrEqual(2 * MACHINES_PER_MINUTE);
    expect(status.destruction?.machines).toBeDefined();
    expect(aliveOf(await world.ledger(), 'old')).toHaveLength(SIZE);
  }, 60_000);

  it('leaves a namesake protected as any other, and a Platform that can go on', async () => {
    const platform = await world.until('platforms', 'site', 'to await another', has('Live', 'False'));
    expect(platform.status.protected).toEqual(['old']);
    await staged(world, 'live', 'site', { web: { machines: SIZE } });
    await world.kubectl('alice', 'delete', 'cutover', 'to-live');
    await cutOver(world, 'site', '', 'live');
    // spec.override still stands there, and is used up.
    expect((await world.get('platforms', 'site'))?.status.override).toBeUndefined();
    expect(await remove('cg', 'live')).toMatchObject({ status: 1, stderr: expect.stringContaining('it is live') });
  }, 90_000);
});

describe('all of this', () => {
  it('was reported without a claim that the ledger contradicts', () => {
    expect(world.falseClaims()).toEqual([]);
  });
});
