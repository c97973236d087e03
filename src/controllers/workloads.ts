import { ANNOTATION, LABEL, type Platform } from '../api/v1alpha1/index.ts';
import { generationsOf, isListed, isPlaced, type WorkloadFacts } from '../domain/workloads.ts';
import type { Resource } from '../kube/resource.ts';
import type { Namespace, Workload } from '../kube/resources.ts';

/** What these controllers keep of a Deployment, StatefulSet, DaemonSet or ReplicaSet; everything else is dropped on arrival. */
export interface WorkloadView extends WorkloadFacts {
  resource: Resource<Workload>;
  namespace: string;
  name: string;
  uid: string;
  /** resourceVersion: the precondition of every write. */
  version: string;
  /** Names of generations that its template names. */
  generations: readonly string[];
  /** Its own label generations.dev/generation. */
  labelled: string | undefined;
  /** People have labelled it generations.dev/protected. */
  marked: boolean;
  /** It says its own name in generations.dev/unprotect. */
  released: boolean;
  /** A ReplicaSet of a Deployment, or of another controller: it comes and goes with rollouts. */
  owned: boolean;
  leaving: boolean;
}

/** The projection of a workload as it arrives from the API server. */
export function viewOfWorkload(resource: Resource<Workload>, { metadata, spec }: Workload): WorkloadView {
  const { labels = {}, annotations = {}, ownerReferences = [] } = metadata;
  const template = spec?.template;
  const ofPods = template?.metadata?.labels ?? {};
  const facts = {
    nodeSelector: template?.spec?.nodeSelector?.[LABEL.generation],
    label: ofPods[LABEL.generation],
    platform: ofPods[LABEL.platform],
    role: ofPods[LABEL.role],
  };
  return {
    resource,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    uid: metadata.uid,
    version: metadata.resourceVersion,
    ...facts,
    generations: generationsOf(facts),
    labelled: labels[LABEL.generation],
    marked: labels[LABEL.protected] === 'true',
    released: annotations[ANNOTATION.unprotect] === metadata.name,
    owned: resource.plural === 'replicasets' && ownerReferences.some(({ controller }) => controller === true),
    leaving: metadata.deletionTimestamp !== undefined,
  };
}

/** For people. */
const called = ({ resource, namespace, name }: WorkloadView): string => `${resource.kind} ${namespace}/${name}`;

/** What these controllers keep of a Namespace that may hold workloads. */
export interface NamespaceView {
  name: string;
  uid: string;
  version: string;
  /** Its annotation generations.dev/workloads. */
  workloads: string | undefined;
  leaving: boolean;
}

export const viewOfNamespace = ({ metadata }: Namespace): NamespaceView => ({
  name: metadata.name,
  uid: metadata.uid,
  version: metadata.resourceVersion,
  workloads: metadata.annotations?.[ANNOTATION.workloads],
  leaving: metadata.deletionTimestamp !== undefined,
});

/** Workloads of a generation about to be live that the policies would not find yet: for people. */
export function unguardedOf(
  workloads: readonly WorkloadView[],
  places: (name: string) => NamespaceView | undefined,
  platform: Platform,
): string[] {
  return workloads
    .filter((workload) => !workload.owned && !workload.released && !workload.leaving && !isPlaced(workload, platform))
    .filter((workload) => {
      const item = { resource: workload.resource.plural, name: workload.name };
      return workload.labelled === undefined || !isListed(places(workload.namespace)?.workloads, item);
    })
    .map(called);
}
