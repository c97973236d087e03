import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { uniqueName } from '../../../local/testing.ts';
import {
  collectionOf,
  eventually,
  expectStatus,
  type GuardedCluster,
  type KubeObject,
  pathOf,
  startGuardedCluster,
  users,
} from '../guard/cluster.ts';
import { aCutover, aGeneration, aPlatform, aSite } from '../guard/objects.ts';
import { aDeployment, namespace } from '../placement/workloads.ts';
import { flux } from './flux.ts';

/** What people say with kubectl to objects that Flux or Argo CD applies again and again, and what these prune. */

const SSA = 'kustomize.toolkit.fluxcd.io/ssa';
const PRUNE = 'kustomize.toolkit.fluxcd.io/prune';
const BINDING = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingAdmissionPolicyBinding',
  metadata: { name: 'generations-cutover' },
  spec: { policyName: 'generations-cutover' },
};
const BINDINGS = '/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings';

let cluster: GuardedCluster;
beforeAll(async () => {
  cluster = await startGuardedCluster();
}, 180_000);
afterAll(() => cluster?.stop());

const approvalBy = (user: string) => ({ user, planHash: 'p1' });

/** `kubectl patch --type=merge`, as docs/cutover.md says. */
const patch = (who: 'person' | 'second', object: KubeObject, spec: object) =>
  expectStatus(200, cluster.call(who, 'PATCH', `${pathOf(object)}?fieldManager=kubectl-patch`, { spec }));

const annotated = (annotations?: Record<string, string>): KubeObject => {
  const { metadata, ...rest } = aCutover();
  return { ...rest, metadata: { ...metadata, ...(annotations && { annotations }) } };
};

const specOf = async (object: KubeObject) => (await cluster.get(object)).spec;

describe('a Cutover that Flux applies', () => {
  it('keeps what people have said with kubectl: approvals, a pause, an abort', async () => {
    const [git, cutover] = [flux(cluster), annotated()];
    await git.reconcile(cutover);
    await patch('person', cutover, { approvals: [approvalBy(users.person)] });
    await git.reconcile(cutover);
    await patch('second', cutover, { approvals: [approvalBy(users.person), approvalBy(users.second)], paused: true });
    await git.reconcile(cutover);
    expect(await specOf(cutover)).toMatchObject({
      approvals: [approvalBy(users.person), approvalBy(users.second)],
      paused: true,
    });
    await patch('person', cutover, { paused: null, abort: true });
    // A refusal would fail everything that is in Git with it, for ever.
    await git.reconcile(cutover);
    const { paused, ...spec } = await specOf(cutover);
    expect(paused).toBeUndefined();
    expect(spec).toMatchObject({ abort: true });
  });

  it('is marked whoever makes it, beside the annotations that it has', async () => {
    const made = await cluster.create(annotated({ 'example.com/mine': 'kept' }));
    expect(made.metadata.annotations).toEqual({ 'example.com/mine': 'kept', [SSA]: 'Merge' });
    const git = flux(cluster);
    await patch('person', made, { approvals: [approvalBy(users.person)] });
    await git.reconcile(annotatedAs(made));
    expect((await specOf(made)).approvals).toEqual([approvalBy(users.person)]);
  });

  it('is left as people want it who write another value', async () => {
    const [git, cutover] = [flux(cluster), annotated({ [SSA]: 'Override' })];
    await git.reconcile(cutover);
    await patch('person', cutover, { approvals: [approvalBy(users.person)] });
    await git.reconcile(cutover);
    expect((await specOf(cutover)).approvals).toBeUndefined();
    expect((await cluster.get(cutover)).metadata.annotations).toEqual({ [SSA]: 'Override' });
  });

  it('from before the policy is marked by the first patch of a person', async () => {
    await expectStatus(200, cluster.call('admin', 'DELETE', `${BINDINGS}/${BINDING.metadata.name}`));
    const isMarked = async () => {
      const { body } = await cluster.call('admin', 'POST', `${collectionOf('Cutover')}?dryRun=All`, annotated());
      return SSA in ((body as KubeObject).metadata.annotations ?? {});
    };
    await eventually('the policy to be gone', async () => !(await isMarked()));
    const [git, cutover] = [flux(cluster), annotated()];
    await git.reconcile(cutover);
    await patch('person', cutover, { approvals: [approvalBy(users.person)] });
    await git.reconcile(cutover);
    expect((await specOf(cutover)).approvals).toBeUndefined();

    await expectStatus(201, cluster.call('admin', 'POST', BINDINGS, BINDING));
    await eventually('the policy to be back', isMarked);
    await patch('person', cutover, { approvals: [approvalBy(users.person)] });
    await git.reconcile(cutover);
    expect((await specOf(cutover)).approvals).toEqual([approvalBy(users.person)]);
  });

  it('keeps the same under Argo CD with server-side apply', async () => {
    const cutover = annotated();
    const path = `${pathOf(cutover)}?fieldManager=argocd-controller&force=true`;
    const sync = () => cluster.call('admin', 'PATCH', path, cutover, 'application/apply-patch+yaml');
    await expectStatus(201, sync());
    await patch('person', cutover, { approvals: [approvalBy(users.person)], abort: true });
    await expectStatus(200, sync());
    expect(await specOf(cutover)).toMatchObject({ approvals: [approvalBy(users.person)], abort: true });
  });
});

/** The same object as Git has it. */
const annotatedAs = ({ apiVersion, kind, metadata: { name }, spec: { approvals: _, ...spec } }: KubeObject) => ({
  apiVersion,
  kind,
  metadata: { name },
  spec,
});

describe('what leaves Git', () => {
  it('goes, unless it is protected or says that it is not pruned', async () => {
    const { platform, generation } = await aSite(cluster, 'live');
    const space = uniqueName('edge');
    await cluster.create(namespace(space));
    const workload = (name: string, annotations: Record<string, string> = {}) => {
      const made = aDeployment({ platform: space, role: 'web', name, replicas: 0 });
      return { ...made, metadata: { ...made.metadata, annotations } };
    };
    const [kept, free] = [workload('kept', { [PRUNE]: 'disabled' }), workload('free')];
    const typo = aGeneration(uniqueName('typo'), platform.metadata.name);
    const live = { ...aGeneration(generation.metadata.name, platform.metadata.name) };
    const other = aPlatform(uniqueName('kept'));
    const git = flux(cluster);
    await git.reconcile(live, kept, free, typo, other);

    await git.reconcile(live, other);
    expect(await Promise.all([kept, free, typo].map(isThere))).toEqual([true, false, false]);
    await expect(git.reconcile(other)).rejects.toThrow(
      `ClusterGeneration ${generation.metadata.name} cannot be deleted`,
    );
    expect(await isThere(live)).toBe(true);
  });

  const isThere = async (object: KubeObject) => {
    const { status, body } = await cluster.call('admin', 'GET', pathOf(object));
    return status === 200 && (body as KubeObject).metadata.deletionTimestamp === undefined;
  };
});
