import { LABEL, type Platform } from '../api/v1alpha1/index.ts';
import { inMaintenance, outages } from '../domain/blast-radius.ts';
import { clusterGenerations, cutovers, generationClasses, generationPools, platforms } from '../kinds.ts';
import type { KubeClient } from '../kube/client.ts';
import { type ReflectorObserver, reflector } from '../kube/reflector.ts';
import type { KubeObject, Resource } from '../kube/resource.ts';
import {
  daemonSets,
  deployments,
  namespaces,
  nodes,
  pods,
  replicaSets,
  statefulSets,
  type Workload,
} from '../kube/resources.ts';
import type { IndexFunction } from '../kube/store.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Cache } from '../runtime/manager.ts';
import { trafficWatch } from '../traffic/watch.ts';
import { BY, type Caches } from './context.ts';
import { machineIdOf, type NodeView, poolKeyOf, viewOf } from './nodes.ts';
import { viewOfPod } from './pods.ts';
import { viewOfNamespace, viewOfWorkload } from './workloads.ts';

/** The local copies that controllers decide by, and what keeps them up to date. */
export function startableCaches(options: {
  client: KubeClient;
  clock: Clock;
  log: Logger;
  observer?: ReflectorObserver;
}): { caches: Caches; reflectors: Cache[] } {
  const all = <T extends KubeObject>(resource: Resource<T>, indexes: Record<string, IndexFunction<T>> = {}) =>
    reflector({ ...options, resource, project: withoutManagedFields, indexes });

  const workloadsOf = (resource: Resource<Workload>) =>
    reflector({
      ...options,
      resource,
      project: (object: Workload) => viewOfWorkload(resource, object),
      indexes: { [BY.namespace]: ({ namespace }) => namespace, [BY.generation]: ({ generations }) => generations },
    });

  const workloads = [deployments, statefulSets, daemonSets, replicaSets].map(workloadsOf);
  const reflectors = {
    classes: all(generationClasses),
    platforms: all(platforms, { [BY.className]: ({ spec }) => spec.className }),
    generations: all(clusterGenerations, { [BY.platform]: ({ spec }) => spec.platform }),
    pools: all(generationPools, {
      [BY.generation]: ({ spec }) => spec.generation,
      [BY.instance]: ({ status }) => (status.instances ?? []).map(({ id }) => id),
    }),
    cutovers: all(cutovers, { [BY.platform]: ({ spec }) => spec.platform }),
    nodes: reflector({
      ...options,
      resource: nodes,
      project: viewOf,
      indexes: {
        [BY.providerID]: ({ providerID }) => providerID,
        [BY.machine]: ({ providerID }) => machineIdOf(providerID),
        [BY.pool]: poolKeyOf,
        [BY.maintenance]: (node) => (inMaintenance(node) ? BY.maintenance : undefined),
      },
    }),
    namespaces: reflector({
      ...options,
      resource: namespaces,
      labelSelector: `${LABEL.protected}=true`,
      project: withoutManagedFields,
    }),
    places: reflector({ ...options, resource: namespaces, project: viewOfNamespace }),
    pods: reflector({
      ...options,
      resource: pods,
      labelSelector: `${LABEL.platform},${LABEL.role}`,
      project: viewOfPod,
      indexes: { [BY.platform]: ({ platform }) => platform },
    }),
  };
  const traffic = trafficWatch({ ...options, targetsKnown: reflectors.platforms.synced });
  const caches: Caches = {
    classes: reflectors.classes.store,
    platforms: reflectors.platforms.store,
    generations: reflectors.generations.store,
    pools: reflectors.pools.store,
    cutovers: reflectors.cutovers.store,
    nodes: reflectors.nodes.store,
    namespaces: reflectors.namespaces.store,
    pods: reflectors.pods.store,
    workloads: workloads.map(({ store }) => store),
    places: reflectors.places.store,
    traffic,
    outages: outages(),
  };
  // A Node in whose place its machine has another one is no machine of its generation.
  const counted = (node: NodeView | undefined) => (node?.stale === undefined ? node : undefined);
  caches.nodes.subscribe((_, before, after) =>
    caches.outages.observe(counted(before), counted(after), options.clock.now()),
  );
  caches.platforms.subscribe(() => traffic.follow([...new Set(caches.platforms.list().flatMap(trafficServices))]));
  return { caches, reflectors: [...Object.values(reflectors), ...workloads, traffic] };
}

/** Keys of the Services that are traffic targets of a platform. */
export const trafficServices = ({ spec }: Platform): string[] =>
  spec.traffic.flatMap(({ service }) => (service ? [`${service.namespace}/${service.name}`] : []));

/** Who manages which field is bulky, and read live where it matters. A PUT without it leaves it as it is. */
function withoutManagedFields<T extends KubeObject>(object: T): T {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
