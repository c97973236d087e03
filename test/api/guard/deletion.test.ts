import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CommandResult, runCommand } from '../../../local/command.ts';
import { uniqueName } from '../../../local/testing.ts';
import { eventually, expectStatus, type GuardedCluster, pathOf, startGuardedCluster } from './cluster.ts';
import { aGeneration, aSite, type Site } from './objects.ts';

/** Deletions of which the API server does not see what is meant: by commands that make many requests, and by the garbage collector. */
let cluster: GuardedCluster;

beforeAll(async () => {
  cluster = await startGuardedCluster();
}, 180_000);
afterAll(() => cluster?.stop());

describe('a live generation', () => {
  let site: Site;
  beforeAll(async () => {
    site = await aSite(cluster, 'live');
  }, 60_000);

  const kubectl = (args: string[], input?: object): Promise<CommandResult> => {
    const { programs, kubeconfigs } = cluster.controlPlane;
    const stdin = input === undefined ? {} : { input: JSON.stringify(input) };
    return runCommand(programs.kubectl, [`--kubeconfig=${kubeconfigs.admin}`, ...args], stdin);
  };
  const manifest = () => {
    const { apiVersion, kind, metadata, spec } = site.generation;
    return { apiVersion, kind, metadata: { name: metadata.name, labels: metadata.labels }, spec };
  };
  const refused = async ({ status, stderr }: CommandResult) => {
    const { name, uid } = site.generation.metadata;
    expect(status).toBe(1);
    expect(stderr).toContain(`ClusterGeneration ${name} cannot be deleted: it is live`);
    const { metadata, spec } = await cluster.get(site.generation);
    expect({ uid: metadata.uid, spec, going: metadata.deletionTimestamp }).toEqual({
      uid,
      spec: site.generation.spec,
      going: undefined,
    });
  };

  it('outlives kubectl delete --all, which takes a never-live one beside it', async () => {
    const half = await cluster.create(aGeneration(uniqueName('ga'), site.platform.metadata.name));
    await refused(await kubectl(['delete', 'cg,gpool', '--all', '--wait=false']));
    expect(await cluster.get(half)).toMatchObject({ code: 404 });
  });

  it('outlives kubectl replace --force', async () => {
    await refused(await kubectl(['replace', '--force', '-f', '-'], manifest()));
  });

  it('outlives kubectl apply --prune', async () => {
    expect(await kubectl(['apply', '-f', '-'], manifest())).toMatchObject({ status: 0 });
    const labels = site.generation.metadata.labels;
    const another = aGeneration(uniqueName('ga'), site.platform.metadata.name);
    const prune = [
      '--prune',
      '-l',
      `site=${labels.site}`,
      '--prune-allowlist=generations.dev/v1alpha1/ClusterGeneration',
    ];
    await refused(
      await kubectl(['apply', ...prune, '-f', '-'], { ...another, metadata: { ...another.metadata, labels } }),
    );
  });
});

describe('an owner that is gone', () => {
  it('takes a never-live generation with it, and not a live one that it owned before', async () => {
    const owner = await cluster.create({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: uniqueName('owner') },
    });
    const ownerReferences = [
      { apiVersion: owner.apiVersion, kind: owner.kind, name: owner.metadata.name, uid: owner.metadata.uid },
    ];
    const live = (await aSite(cluster, 'neverLive')).generation;
    const neverLive = await cluster.create(aGeneration(uniqueName('ga'), live.spec.platform));
    for (const { metadata, kind } of [live, neverLive])
      await expectStatus(
        200,
        cluster.call('admin', 'PATCH', pathOf({ kind, metadata }), { metadata: { ownerReferences } }),
      );
    await cluster.status(
      { kind: 'Platform', metadata: { name: live.spec.platform } },
      { protected: [live.metadata.name] },
    );
    await cluster.status(live, { reservedBy: { name: 'to-next', uid: 'c00' } });

    expect(await cluster.call('admin', 'DELETE', pathOf(owner))).toMatchObject({ status: 200 });
    // The garbage collector looks for new kinds every 30 s.
    await eventually('the garbage collector', async () => (await cluster.get(neverLive)).code === 404, 75_000);
    expect(await cluster.get(live)).toMatchObject({ metadata: { uid: live.metadata.uid } });
    expect((await cluster.get(live)).metadata.deletionTimestamp).toBeUndefined();
  }, 120_000);
});
