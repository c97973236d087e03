import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCommand } from '../../../local/command.ts';
import { uniqueName } from '../../../local/testing.ts';
import {
  type Actor,
  collectionOf,
  denialOf,
  eventually,
  expectStatus,
  type GuardedCluster,
  type KubeObject,
  pathOf,
  startGuardedCluster,
  users,
} from './cluster.ts';
import { aCutover, aGeneration, agreeOnOverride, aSite, begun, NOON, retention, type Site } from './objects.ts';

/** What the API server enforces about Cutovers, and about the writes that only a Cutover makes. */
let cluster: GuardedCluster;

beforeAll(async () => {
  cluster = await startGuardedCluster();
}, 180_000);
afterAll(() => cluster?.stop());

const finalizers = ['generations.dev/cutover'];
const barred = {
  type: 'RollbackAvailable',
  status: 'False',
  reason: 'IrreversibleMigrationCommitted',
  message: 'migration schema is committed',
  lastTransitionTime: NOON,
};
const refusal = async (who: Actor, object: KubeObject, patch: object, subresource = '') =>
  denialOf(await cluster.call(who, 'PATCH', pathOf(object) + subresource, patch));
const takes = (who: Actor, object: KubeObject, patch: object, subresource = '') =>
  expectStatus(200, cluster.call(who, 'PATCH', pathOf(object) + subresource, patch));
const creating = (who: Actor, object: KubeObject) =>
  cluster.call(who, 'POST', `${collectionOf(object.kind)}?dryRun=All`, object);

describe('deleting a Cutover', () => {
  const held = 'it holds generation ga-2 of Platform pa and has not ended';

  it.each([
    ['that has begun', {}, begun, `${held}. Abort it (spec.abort: true), wait for its status.outcome, then delete it`],
    [
      'whose reservation is undone, and which has not said how it ended',
      {},
      { ...begun, steps: [{ name: 'Reserve', state: 'Undone' }] },
      `${held}. Abort it (spec.abort: true), wait for its status.outcome, then delete it`,
    ],
    [
      'that is being aborted',
      { abort: true },
      begun,
      `${held}. It is going back already: wait for its status.outcome, then delete it`,
    ],
    [
      'that goes back by itself',
      {},
      { ...begun, undo: { reason: 'CheckFailed', message: 'smoke', time: NOON } },
      `${held}. It is going back already: wait for its status.outcome, then delete it`,
    ],
    [
      'that is past its point of no return',
      {},
      { ...begun, conditions: [barred] },
      `${held}. It is past its point of no return (migration schema is committed): let it finish, or create a Cutover that supersedes it, and wait for its status.outcome, then delete it`,
    ],
    [
      'of mode Decommission',
      { mode: 'Decommission', from: 'ga-1', to: undefined },
      { generations: { from: { name: 'ga-1', uid: 'f01' } } },
      'it holds Platform pa and has not ended. Abort it (spec.abort: true), wait for its status.outcome, then delete it',
    ],
  ])('%s is refused', async (_what, spec, status, why) => {
    const cutover = await cluster.create({ ...aCutover(spec), status });
    // Not even tried by the operator: that is how the canary sees it.
    for (const [who, dryRun] of [
      ['person', ''],
      ['admin', ''],
      ['operator', '?dryRun=All'],
    ] as const)
      expect(denialOf(await cluster.call(who, 'DELETE', pathOf(cutover) + dryRun))).toEqual({
        policy: 'state',
        text: `Cutover ${cutover.metadata.name} cannot be deleted: ${why}`,
      });
  });

  it('of which only the finalizer says that it has begun is refused', async () => {
    const cutover = await cluster.create(aCutover());
    await takes('operator', cutover, { metadata: { finalizers } });
    expect(denialOf(await cluster.call('admin', 'DELETE', pathOf(cutover))).policy).toBe('state');
  });

  it.each([
    ['before it holds anything', { steps: [{ name: 'Preflight', state: 'Running' }] }],
    ['when it has ended', { ...begun, outcome: 'Succeeded', steps: [{ name: 'Reserve', state: 'Done' }] }],
    ['when it is superseded', { ...begun, outcome: 'Superseded', conditions: [barred] }],
  ])("%s is anybody's right", async (_when, status) => {
    const cutover = await cluster.create({ ...aCutover(), status });
    expect(await cluster.call('person', 'DELETE', pathOf(cutover))).toMatchObject({ status: 200 });
  });
});

describe('the finalizer of a Cutover', () => {
  it.each(['person', 'admin', 'impostor'] as const)('is not removed by %s while it is under way', async (who) => {
    const cutover = await cluster.create({ ...aCutover(), status: begun });
    await takes('operator', cutover, { metadata: { finalizers: [...finalizers, 'example.com/mine'] } });
    expect(await refusal(who, cutover, { metadata: { finalizers: ['example.com/mine'] } })).toEqual({
      policy: 'state',
      text: `Finalizer generations.dev/cutover of Cutover ${cutover.metadata.name} is removed by the operator when it has ended, not by ${users[who]}: it holds generation ga-2 of Platform pa and has not ended. Abort it (spec.abort: true), wait for its status.outcome, then delete it`,
    });
    await takes('person', cutover, { metadata: { finalizers } });
    await takes('operator', cutover, { metadata: { finalizers: null } });
  });

  it("is anybody's to remove when it has ended", async () => {
    const cutover = await cluster.create({ ...aCutover(), status: { ...begun, outcome: 'Aborted' } });
    await takes('operator', cutover, { metadata: { finalizers } });
    await takes('person', cutover, { metadata: { finalizers: null } });
  });
});

describe('aborting a Cutover', () => {
  const tooLate = async (status: object) => {
    const cutover = await cluster.create({ ...aCutover({ abort: false }), status });
    const { policy, text } = await refusal('person', cutover, { spec: { abort: true } });
    expect(policy).toBe('state');
    return text.replace(cutover.metadata.name, 'it');
  };

  it('is refused past its point of no return, with what that was', async () => {
    expect(await tooLate({ ...begun, conditions: [barred] })).toBe(
      'spec.abort of Cutover it comes too late: it is past its point of no return (migration schema is committed). Let it finish, or create a Cutover that supersedes it',
    );
  });

  it('is refused when it has succeeded, with what takes one back then', async () => {
    expect(await tooLate({ ...begun, outcome: 'Succeeded', conditions: [barred] })).toBe(
      'spec.abort of Cutover it comes too late: it has ended (Succeeded). To go back, create a Cutover of mode Rollback',
    );
  });

  it.each(['RolledBack', 'Aborted', 'Superseded'])('is refused when it has ended %s', async (outcome) => {
    expect(await tooLate({ outcome })).toBe(
      `spec.abort of Cutover it comes too late: it has ended (${outcome}), and there is nothing left to abort`,
    );
  });

  it.each([
    ['before it begins', {}],
    ['while it can be undone', { ...begun, conditions: [{ ...barred, status: 'True' }] }],
  ])('is taken %s', async (_when, status) => {
    const cutover = await cluster.create({ ...aCutover(), status });
    await takes('person', cutover, { spec: { abort: true } });
    // What was aborted stays so, whatever became of it, and can be written to.
    await cluster.status(cutover, { outcome: 'Aborted', conditions: [barred] });
    await takes('person', cutover, { metadata: { labels: { applied: 'again' } } });
  });

  it('leaves retireNow and paused alone', async () => {
    const cutover = await cluster.create({ ...aCutover(), status: { outcome: 'Succeeded', conditions: [barred] } });
    await takes('person', cutover, { spec: { retireNow: true, paused: true } });
    await takes('person', cutover, { spec: { paused: false } });
  });
});

describe('an approval', () => {
  const vote = (user: string, planHash = 'p1') => ({ user, planHash });
  const mine = vote(users.person);
  const theirs = vote(users.second);
  const approve = (...approvals: object[]) => ({ spec: { approvals } });
  const denial = ({ metadata }: KubeObject, who: Actor, whose: string) => ({
    policy: 'platform',
    text: `spec.approvals of Cutover ${metadata.name} cannot be given like this by ${users[who]}: the approval of ${whose} is added and changed by that person only, under their own user name, never by a service account; anybody can remove it. Leave approvals out of manifests`,
  });

  it("is given in one's own name, beside those of others, and changed likewise", async () => {
    const cutover = await cluster.create(aCutover());
    await takes('person', cutover, approve(mine));
    await takes('second', cutover, approve(mine, theirs));
    await takes('person', cutover, approve(theirs, vote(users.person, 'p2')));
    expect((await cluster.get(cutover)).spec.approvals).toEqual([theirs, vote(users.person, 'p2')]);
  });

  it('in the name of another is refused, whether it is added or changed', async () => {
    const cutover = await cluster.create(aCutover());
    expect(await refusal('person', cutover, approve(theirs))).toEqual(denial(cutover, 'person', users.second));
    expect(await refusal('person', cutover, approve(mine, theirs))).toEqual(denial(cutover, 'person', users.second));
    await takes('second', cutover, approve(theirs));
    const changed = approve(vote(users.second, 'p2'));
    expect(await refusal('admin', cutover, changed)).toEqual(denial(cutover, 'admin', users.second));
  });

  it.each(['operator', 'nodeController', 'impostor', 'kubelet'] as const)('is not given by %s', async (who) => {
    const cutover = await cluster.create(aCutover());
    const { policy, text } = await refusal(who, cutover, approve(vote(users[who])));
    // The operator writes no spec at all: either rule may answer.
    if (policy === 'platform') expect({ policy, text }).toEqual(denial(cutover, who, users[who]));
    else expect([who, policy]).toEqual([expect.stringMatching(/^(operator|impostor)$/), 'state']);
    expect((await cluster.get(cutover)).spec.approvals).toBeUndefined();
  });

  it("comes with a new Cutover in its writer's own name only", async () => {
    const cutover = aCutover({ approvals: [mine] });
    expect(await creating('person', cutover)).toMatchObject({ status: 201 });
    expect(denialOf(await creating('second', cutover))).toEqual(denial(cutover, 'second', users.person));
    expect(denialOf(await creating('nodeController', cutover))).toEqual(
      denial(cutover, 'nodeController', users.person),
    );
  });

  it('is removed by anybody', async () => {
    const cutover = await cluster.create(aCutover());
    await takes('person', cutover, approve(mine));
    await takes('second', cutover, approve(mine, theirs));
    await takes('nodeController', cutover, approve(mine));
    await takes('second', cutover, { spec: { approvals: null } });
  });

  it.each(['--server-side', '--server-side=false'])(
    'outlives kubectl apply %s of a manifest without it',
    async (way) => {
      const manifest = aCutover();
      const { programs, kubeconfigs } = cluster.controlPlane;
      const apply = async (labels: object) => {
        const input = JSON.stringify({ ...manifest, metadata: { ...manifest.metadata, labels } });
        // A GitOps controller: of the two it is who else may be in the name of an approval.
        const as = '--as=system:serviceaccount:gitops:controller';
        const args = [`--kubeconfig=${kubeconfigs.admin}`, as, '--as-group=system:masters', 'apply', way, '-f', '-'];
        const { status, stderr } = await runCommand(programs.kubectl, args, { input });
        expect({ status, stderr }).toMatchObject({ status: 0 });
      };
      await apply({ a: '1' });
      await takes('person', manifest, approve(mine));
      await apply({ a: '2' });
      expect(await cluster.get(manifest)).toMatchObject({
        metadata: { labels: { a: '2' } },
        spec: { approvals: [mine] },
      });
    },
  );
});

describe('a Rollback', () => {
  let live: Site;
  const back = (to: string, changes: object = {}) => {
    const { platform, generation } = live;
    return aCutover({
      platform: platform.metadata.name,
      from: generation.metadata.name,
      to,
      mode: 'Rollback',
      ...changes,
    });
  };
  const text = async (cutover: KubeObject) => {
    const denial = denialOf(await creating('person', cutover));
    expect(denial.policy).toBe('generation');
    return denial.text.replace(cutover.metadata.name, 'it');
  };
  const another = (name: string) => cluster.create(aGeneration(name, live.platform.metadata.name));

  beforeAll(async () => {
    live = await aSite(cluster, 'live');
  }, 60_000);

  it('to a generation that is kept is taken, and to one that is retired or never was is refused', async () => {
    const { name } = live.generation.metadata;
    const [kept, staged] = [uniqueName('kept'), uniqueName('staged')];
    await cluster.status(live.platform, { protected: [name, kept], neverLive: [staged] });
    await another(kept);
    await another(staged);
    await eventually('the policies to see what is kept', async () => {
      const { status } = await creating('person', back(kept));
      return status === 201;
    });
    expect(await text(back('ga-retired'))).toBe(
      `Cutover it cannot roll back to ga-retired: Platform ${live.platform.metadata.name} does not keep it: it is retired (kubectl get cg ga-retired -o jsonpath={.status.retiredTime} says since when), or it does not exist. The Platform keeps ${kept}`,
    );
    expect(await text(back(staged))).toBe(
      `Cutover it cannot roll back to ${staged}: it never was live on Platform ${live.platform.metadata.name}, so there is nothing to go back to. To make it live, write mode: Planned`,
    );
    await cluster.status(live.platform, { protected: [name], neverLive: null });
    await eventually('it to be no longer kept', async () => {
      const { status } = await creating('person', back(kept));
      return status === 403;
    });
    expect(await text(back(kept))).toBe(
      `Cutover it cannot roll back to ${kept}: Platform ${live.platform.metadata.name} does not keep it: it is retired (kubectl get cg ${kept} -o jsonpath={.status.retiredTime} says since when), or it does not exist. Nothing is kept for a rollback: make a new generation of that release, and a Cutover of mode: Planned to it`,
    );
  });

  it('past a migration that is not reversible is refused with that reason', async () => {
    // By another one than the one that has left it.
    const why = 'migration schema is not reversible and is committed (Cutover to-3)';
    const { platform, generation } = await aSite(cluster, 'retained', {
      with: { retention: { ...retention, noRollback: why } },
    });
    const to = generation.metadata.name;
    const cutover = back(to, { platform: platform.metadata.name, from: 'ga-next' });
    const denial = denialOf(await creating('person', cutover));
    expect(denial.policy).toBe('pool');
    expect(denial.text).toBe(
      `Cutover ${cutover.metadata.name} cannot roll back to ${to}: ${why}. Make a new generation of that release that can live with it`,
    );
  });

  it('is taken when no generation is live, from none, to what is kept alone', async () => {
    const { platform, generation } = await aSite(cluster, 'retained');
    const { name } = generation.metadata;
    await cluster.status(platform, { live: null, protected: [name] });
    const anew = (to: string, mode = 'Rollback') => back(to, { platform: platform.metadata.name, from: '', mode });
    await eventually('the policies to see that none is live', async () => {
      const { status } = await creating('person', anew('ga-retired'));
      return status === 403;
    });
    expect(await text(anew('ga-retired'))).toContain(`cannot roll back to ga-retired: `);
    for (const mode of ['Rollback', 'Recovery'])
      expect(await creating('person', anew(name, mode))).toMatchObject({ status: 201 });
  });

  it('of long ago, or a Cutover of another mode, is taken again from Git', async () => {
    const git = 'nodeController';
    expect(await creating(git, back('ga-retired', { from: 'ga-of-long-ago' }))).toMatchObject({ status: 201 });
    expect(await creating(git, back('ga-retired', { mode: 'Planned' }))).toMatchObject({ status: 201 });
    expect(await creating(git, back('ga-retired', { platform: 'no-such-platform' }))).toMatchObject({ status: 201 });
  });
});

describe('the live pointer', () => {
  const holder = { name: 'the-end', uid: 'c01' };
  const statusOf = async (object: KubeObject) => (await cluster.get(object)).status;

  it('is taken away by a Cutover of mode Decommission only, which says so', async () => {
    const { platform, generation } = await aSite(cluster, 'live');
    const { live } = await statusOf(platform);
    const taken = { live: null, previous: live, decommissioned: { cutover: holder, time: NOON } };
    const text = `status.live of Platform ${platform.metadata.name} cannot be removed: ${generation.metadata.name} is live. A Cutover of mode Decommission that holds the Platform (status.cutover) takes it down, and writes status.previous and status.decommissioned with it`;
    const refused = async (status: object) =>
      expect(await refusal('operator', platform, { status }, '/status')).toEqual({ policy: 'platform', text });
    await refused({ live: null });
    // By nobody, by one that does not hold the Platform, and without the undo journal of it.
    await refused(taken);
    await cluster.status(platform, { cutover: { name: 'to-next', uid: 'c00' } });
    await refused(taken);
    await cluster.status(platform, { cutover: holder });
    await refused({ ...taken, decommissioned: null });
    await refused({ ...taken, previous: null });
    await refused({ ...taken, previous: { ...live, uid: 'another' } });
    await cluster.status(platform, taken);

    // Undone while that is possible; what it once said does not count for a second time.
    await cluster.status(platform, { live });
    await refused(taken);
    await cluster.status(platform, { decommissioned: null });
    await cluster.status(platform, taken);

    await cluster.status(platform, { cutover: null });
    await cluster.status(generation, { retention: { ...retention, cutover: holder } });
    await eventually('the policies to let it be retired', async () => {
      const retired = { status: { retiredTime: NOON, retiredBy: holder } };
      return (await cluster.call('operator', 'PATCH', `${pathOf(generation)}/status`, retired)).status === 200;
    });
    expect(denialOf(await cluster.call('person', 'DELETE', pathOf(platform))).policy).toBe('platform');
    await cluster.status(platform, { protected: [] });
    expect(await cluster.call('person', 'DELETE', `${pathOf(platform)}?dryRun=All`)).toMatchObject({ status: 200 });

    // Another first cutover.
    const next = await cluster.create(aGeneration(uniqueName('ga'), platform.metadata.name));
    const { name, uid } = next.metadata;
    await cluster.status(platform, { protected: [name] });
    await eventually('the policies to let it go live', async () => {
      const alive = { status: { liveTime: NOON } };
      return (await cluster.call('operator', 'PATCH', `${pathOf(next)}/status`, alive)).status === 200;
    });
    await eventually('the Platform to point at it', async () => {
      const pointed = { status: { live: { name, uid, time: NOON } } };
      return (await cluster.call('operator', 'PATCH', `${pathOf(platform)}/status`, pointed)).status === 200;
    });
    expect(denialOf(await cluster.call('admin', 'DELETE', pathOf(next))).text).toContain('cannot be deleted');
  });

  it('is forgotten when two people had its generation removed, with the end of that override', async () => {
    const site = await aSite(cluster, 'live');
    const { platform, generation } = site;
    const { live } = await statusOf(platform);
    const forgotten = { live: null, previous: live, override: null };
    const refused = async (status: object) =>
      expect((await refusal('operator', platform, { status }, '/status')).policy).toBe('platform');
    await refused(forgotten);
    await agreeOnOverride(cluster, site);
    const override = { generation: generation.metadata.name, uid: 'another', until: NOON };
    await cluster.status(platform, { override });
    await refused(forgotten);
    await cluster.status(platform, { override: { ...override, uid: generation.metadata.uid } });
    await refused({ live: null, previous: live });
    await cluster.status(platform, forgotten);
  });

  it('goes back to where it was, and the other one is then not live any more, and deletable', async () => {
    const { platform, generation: from } = await aSite(cluster, 'live');
    const { live } = await statusOf(platform);
    const to = await cluster.create(aGeneration(uniqueName('ga'), platform.metadata.name));
    const { name, uid } = to.metadata;
    await cluster.status(to, { reservedBy: holder });
    await cluster.status(platform, { protected: [from.metadata.name, name], cutover: holder });
    const written = (object: KubeObject, status: object) => async () =>
      (await cluster.call('operator', 'PATCH', `${pathOf(object)}/status`, { status })).status === 200;
    const later = '2026-11-02T12:00:00.000Z';
    await eventually('it to go live', written(to, { liveTime: later }));
    await eventually('the pointer to move', written(platform, { live: { name, uid, time: later }, previous: live }));
    await eventually('the policies to see that', async () => {
      const back = { status: { liveTime: null } };
      return (await cluster.call('operator', 'PATCH', `${pathOf(to)}/status?dryRun=All`, back)).status === 403;
    });

    await cluster.status(platform, { live, previous: null });
    await eventually('it to be live no more', written(to, { liveTime: null }));
    await cluster.status(to, { reservedBy: null });
    await cluster.status(platform, { protected: [from.metadata.name], cutover: null });
    await eventually(
      'it to be deletable',
      async () => (await cluster.call('person', 'DELETE', pathOf(to))).status === 200,
    );
    expect(denialOf(await cluster.call('person', 'DELETE', pathOf(from))).text).toContain('it is live');
  });
});
