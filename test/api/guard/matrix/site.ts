import { uniqueName } from '../../../../local/testing.ts';
import { collectionOf, eventually, expectStatus, type GuardedCluster, type KubeObject, pathOf } from '../cluster.ts';
import { aCutover, aNode, aSite, NOON, retention, type Stage } from '../objects.ts';
import { bogusOwner, deleting, deletions, edit, patch } from './attempts.ts';
import type { Act, Attempt, Cast, Family } from './cells.ts';
import { nodeActs, poolActs } from './machines.ts';
import { anybodyButTheOperator, both, nobody, theOperator, unprotected, when, whoeverMayWriteSpecs } from './rules.ts';

/** A Platform with one generation, its pool and its Nodes: a ready one, a sick one, one that a person works on, and two in whose place the machine has another. */

const finalizers = ['generations.dev/machines'];
const later = '2026-11-02T12:00:00Z';
const cutover = { name: 'to-next', uid: 'c00' };

/** As GitOps applies it; what it applied before and leaves out now is dropped. */
function applied(generation: KubeObject, content: 'whole' | 'dropping'): Attempt {
  const { apiVersion, kind, metadata, spec } = generation;
  const whole = content === 'whole';
  const [web] = spec.pools;
  return {
    method: 'PATCH',
    query: 'fieldManager=gitops&force=true',
    contentType: 'application/apply-patch+yaml',
    body: {
      apiVersion,
      kind,
      metadata: { name: metadata.name, ...(whole && { labels: { 'generations.dev/platform': spec.platform } }) },
      spec: { pools: whole ? [web, { ...web, name: 'extra' }] : [web] },
    },
  };
}

async function build(cluster: GuardedCluster, situation: string): Promise<Cast> {
  const { platform, generation, pool, node } = await aSite(cluster, situation as Stage);
  const { query, body, contentType } = applied(generation, 'whole');
  await expectStatus(200, cluster.call('admin', 'PATCH', `${pathOf(generation)}?${query}`, body, contentType));
  for (const object of [generation, pool])
    await expectStatus(200, cluster.call('operator', 'PATCH', pathOf(object), { metadata: { finalizers } }));
  const { name } = platform.metadata;
  const labelled = (object: KubeObject) => ({
    ...object,
    metadata: { ...object.metadata, labels: { ...object.metadata.labels, site: uniqueName('site') } },
  });
  const sick = await cluster.create(labelled(aNode(generation, name, 'False')));
  const worked = aNode(generation, name);
  const annotations = { 'generations.dev/maintenance': worked.metadata.name };
  const maintained = await cluster.create(labelled({ ...worked, metadata: { ...worked.metadata, annotations } }));
  await expectStatus(200, cluster.call('admin', 'PATCH', pathOf(platform), { metadata: { labels: { site: name } } }));
  const replaced = (ready: 'True' | 'False') => {
    const { metadata, ...rest } = aNode(generation, name, ready);
    return labelled({
      ...rest,
      metadata: { ...metadata, annotations: { 'generations.dev/stale': node.metadata.name } },
    });
  };
  const stale = await cluster.create(replaced('False'));
  const staleReady = await cluster.create(replaced('True'));
  return { platform: await cluster.get(platform), generation, pool, node, sick, maintained, stale, staleReady };
}

async function discard(cluster: GuardedCluster, { platform, generation, pool, ...nodes }: Cast): Promise<void> {
  const write = (object: KubeObject, status: object) =>
    cluster.call('operator', 'PATCH', `${pathOf(object)}/status`, { status });
  const { live } = (await cluster.get(platform)).status;
  const decommissioned = { cutover, time: NOON };
  await write(platform, { cutover });
  await Promise.all([
    write(platform, { protected: [], ...(live && { live: null, previous: live, decommissioned }) }),
    write(generation, { reservedBy: cutover }),
  ]);
  const undone = { liveTime: null, retention: null, reservedBy: null, stage: 'Staged' };
  await Promise.all(
    [...Object.values(nodes), pool, generation, platform].map((object) =>
      eventually(`${object.metadata.name} to go`, async () => {
        if (object === generation) await write(generation, undone);
        const { status, body } = await cluster.call('admin', 'DELETE', pathOf(object));
        const left = (body as KubeObject).metadata?.finalizers;
        if (left) await cluster.call('operator', 'PATCH', pathOf(object), { metadata: { finalizers: null } });
        return status === 200 || status === 404;
      }),
    ),
  );
}

const generationActs: Act[] = [
  ...Object.entries(deletions).map(([way, attempt]) => ({
    what: `${way} it`,
    to: 'generation',
    attempt,
    legal: both(unprotected, anybodyButTheOperator),
  })),
  {
    what: 'strip its finalizer',
    to: 'generation',
    attempt: patch({ metadata: { finalizers: null } }),
    legal: both(unprotected, theOperator),
  },
  {
    what: 'give it an owner that is gone',
    to: 'generation',
    attempt: patch({ metadata: { ownerReferences: [bogusOwner] } }),
    legal: unprotected,
  },
  {
    what: 'relabel it',
    to: 'generation',
    attempt: patch({ metadata: { labels: { 'generations.dev/platform': 'x' } } }),
    legal: unprotected,
  },
  {
    what: 'take machines out of its pools',
    to: 'generation',
    attempt: edit(({ spec }) => {
      spec.pools[0].machines = 0;
    }),
    legal: both(unprotected, whoeverMayWriteSpecs),
  },
  {
    what: 'take a pool out of it',
    to: 'generation',
    attempt: edit(({ spec }) => {
      spec.pools.length = 1;
    }),
    legal: both(unprotected, whoeverMayWriteSpecs),
  },
  {
    what: 'apply it without a label and a pool',
    to: 'generation',
    attempt: (object) => applied(object, 'dropping'),
    legal: both(unprotected, whoeverMayWriteSpecs),
  },
  {
    what: 'add machines to it',
    to: 'generation',
    attempt: edit(({ spec }) => {
      spec.pools[0].machines++;
    }),
    legal: whoeverMayWriteSpecs,
    undo: 'needless',
  },
  {
    what: 'write its status',
    to: 'generation',
    attempt: (object) => patch({ status: { observedGeneration: object.status.observedGeneration + 1 } }, '/status')(),
    legal: theOperator,
    undo: 'needless',
  },
  {
    what: 'retire it without a Cutover, or for the one that has left it',
    to: 'generation',
    attempt: patch({ status: { retiredTime: later, retiredBy: cutover } }, '/status'),
    legal: both(theOperator, when('retained')),
  },
  {
    what: 'retire it for another Cutover',
    to: 'generation',
    attempt: patch({ status: { retiredTime: later, retiredBy: { name: 'to-another', uid: 'c01' } } }, '/status'),
    legal: nobody,
  },
  {
    what: 'leave it for a rollback, stopped',
    to: 'generation',
    attempt: patch({ status: { retention: { ...retention, standby: 'Stopped' } } }, '/status'),
    legal: both(theOperator, when('retained', 'retired')),
    undo: { who: 'operator', attempt: patch({ status: { retention } }, '/status') },
  },
  {
    what: 'take back that it has been live',
    to: 'generation',
    attempt: patch({ status: { liveTime: null, retention: null } }, '/status'),
    legal: nobody,
    only: ['live', 'retained', 'retired'],
  },
  {
    what: 'roll back from it to what is not kept',
    to: 'generation',
    attempt: ({ metadata, spec }) => {
      const rollback = { platform: spec.platform, from: metadata.name, to: 'ga-retired', mode: 'Rollback' };
      return { method: 'POST', path: collectionOf('Cutover'), body: aCutover(rollback) };
    },
    legal: nobody,
    only: ['live'],
  },
  {
    what: 'make it live',
    to: 'generation',
    attempt: patch({ status: { liveTime: later } }, '/status'),
    legal: both(theOperator, when('reserved')),
    only: ['neverLive', 'reserved'],
  },
];

const platformActs: Act[] = [
  ...deleting(
    ['delete', 'delete by force', 'delete in the background', 'delete the collection of'],
    'its Platform',
    both(unprotected, anybodyButTheOperator),
    'platform',
  ),
  {
    what: 'give its Platform an owner that is gone',
    to: 'platform',
    attempt: patch({ metadata: { ownerReferences: [bogusOwner] } }),
    legal: unprotected,
  },
  {
    what: 'give its Platform another class',
    to: 'platform',
    attempt: patch({ spec: { className: 'other' } }),
    legal: unprotected,
    undo: { who: 'admin', attempt: patch({ spec: { className: 'aws' } }) },
  },
  {
    what: 'write the status of its Platform',
    to: 'platform',
    attempt: patch({ status: { observedGeneration: 7 } }, '/status'),
    legal: theOperator,
    undo: { who: 'operator', attempt: patch({ status: { observedGeneration: -1 } }, '/status') },
  },
  {
    what: 'make its Platform forget what it protects',
    to: 'platform',
    attempt: patch({ status: { protected: null } }, '/status'),
    legal: nobody,
  },
  {
    what: 'point its Platform at nothing',
    to: 'platform',
    attempt: patch({ status: { live: null } }, '/status'),
    legal: nobody,
    only: ['live'],
  },
  {
    what: 'take its Platform down for a Cutover that does not hold it',
    to: 'platform',
    attempt: ({ status }) => {
      const decommissioned = { cutover, time: NOON };
      return patch({ status: { live: null, previous: status.live, decommissioned } }, '/status')();
    },
    legal: nobody,
    only: ['live'],
  },
  {
    what: 'point its Platform at what is not there',
    to: 'platform',
    attempt: patch({ status: { live: { name: 'nowhere', uid: 'x', time: NOON } } }, '/status'),
    legal: nobody,
  },
  {
    what: 'point its Platform at a namesake',
    to: 'platform',
    attempt: ({ status }) => {
      const name = status.protected[0] ?? 'nowhere';
      return patch({ status: { live: { name, uid: 'another', time: NOON } } }, '/status')();
    },
    legal: nobody,
  },
];

export const site: Family = {
  name: 'a generation',
  situations: ['neverLive', 'reserved', 'live', 'retained', 'retired'],
  build,
  discard,
  acts: [...generationActs, ...poolActs, ...nodeActs, ...platformActs],
};
