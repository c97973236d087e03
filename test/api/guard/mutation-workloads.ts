import { uniqueName } from '../../../local/testing.ts';
import { expectStatus, type GuardedCluster, pathOf } from './cluster.ts';
import type { Site } from './objects.ts';
import { aNamespace, aWorkload, list, type Made, namespaceCalled } from './workloads.ts';

/** Workloads that mutations are tried on: of a live generation, listed on their namespace only, labelled by people, and guarded by nothing. */
export async function workloadCast(cluster: GuardedCluster, { generation }: Site) {
  const [ofLive, ofList, ofPeople] = await Promise.all([aNamespace(cluster), aNamespace(cluster), aNamespace(cluster)]);
  const labels = { 'generations.dev/protected': 'true' };
  const live = await several(cluster, { namespace: ofLive, generation: generation.metadata.name });
  // Before they are listed, so that one can be deleted.
  const listed = await several(cluster, { namespace: ofList, generation: 'ga-listed' });
  const marked = await several(cluster, { namespace: ofPeople, labels });
  const of = { generation: 'ga-listed', platform: 'pa-listed' };
  await list(
    cluster,
    ofList,
    [listed.deployment, listed.leaving, listed.replicaSet, listed.statefulSet].map((object) => ({ object, ...of })),
  );
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: listed.deployment.metadata.name };
  const metric = { metric: { name: 'queue' }, target: { type: 'Value', value: '1' } };
  return {
    ofLive: live,
    ofList: {
      ...listed,
      namespace: namespaceCalled(ofList),
      autoscaler: {
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: uniqueName('hpa'), namespace: ofList },
        spec: { minReplicas: 0, maxReplicas: 5, scaleTargetRef, metrics: [{ type: 'External', external: metric }] },
      },
    },
    ofPeople: {
      ...marked,
      configMap: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: uniqueName('it'), namespace: ofPeople, labels },
      },
    },
    // Somebody's finalizer keeps it when it is deleted.
    ofNobody: await cluster.create(kept(aWorkload('Deployment', { namespace: ofPeople }))),
  };
}

const kept = <T extends { metadata: object }>(object: T): T => ({
  ...object,
  metadata: { ...object.metadata, finalizers: ['example.com/kept'] },
});

/** `leaving`: deleted, and kept by somebody's finalizer. */
async function several(cluster: GuardedCluster, made: Made) {
  const [deployment, statefulSet, replicaSet] = await Promise.all(
    (['Deployment', 'StatefulSet', 'ReplicaSet'] as const).map((kind) => cluster.create(aWorkload(kind, made))),
  );
  const name = uniqueName('web');
  const annotations = { 'generations.dev/unprotect': name };
  const leaving = await cluster.create(kept(aWorkload('Deployment', { ...made, name, annotations })));
  const patch = (metadata: object) => expectStatus(200, cluster.call('admin', 'PATCH', pathOf(leaving), { metadata }));
  await expectStatus(200, cluster.call('admin', 'DELETE', pathOf(leaving)));
  await patch({ annotations: { 'generations.dev/unprotect': null } });
  return { deployment, statefulSet, replicaSet, leaving };
}
