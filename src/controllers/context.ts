import type { ClusterGeneration, Cutover, GenerationClass, GenerationPool, Platform } from '../api/v1alpha1/index.ts';
import type { Outages } from '../domain/blast-radius.ts';
import type { Canary } from '../guard/canary/canary.ts';
import type { Interlock } from '../guard/destroy.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Recorder } from '../kube/events.ts';
import type { Namespace } from '../kube/resources.ts';
import type { Store } from '../kube/store.ts';
import type { Provider } from '../providers/provider.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ControllerObserver } from '../runtime/controller.ts';
import type { Logger } from '../runtime/logger.ts';
import type { TrafficWatch } from '../traffic/watch.ts';
import type { Ask } from './cutover/checks.ts';
import type { NodeView } from './nodes.ts';
import type { PlacementObserver } from './placement/apply.ts';
import type { PodView } from './pods.ts';
import type { NamespaceView, WorkloadView } from './workloads.ts';

/**
 * controllers/ has a folder per noun: gather.ts reads, decide.ts decides (pure), apply.ts writes, controller.ts says
 * what wakes it. This is what they are all given.
 */
export interface Context {
  client: KubeClient;
  clock: Clock;
  log: Logger;
  events: Recorder;
  /** Told what the controllers do, for metrics. */
  observer: ControllerObserver;
  /** UID of the kube-system namespace: tells this cluster's machines from another's in the same account. */
  cluster: string;
  caches: Caches;
  /** The provider of a class; throws ProviderError. */
  providerOf(generationClass: GenerationClass): Promise<Provider>;
  interlock: Interlock;
  canary: Canary;
  /** Real ms since this process last renewed its lease; Infinity when it does not lead. */
  leaseAge(): number;
  /** How http checks are asked; unless told, over the network. */
  ask?: Ask;
  /** Told where pods are put, for metrics. */
  placement?: PlacementObserver;
}

export interface Caches {
  classes: Store<GenerationClass>;
  platforms: Store<Platform>;
  generations: Store<ClusterGeneration>;
  pools: Store<GenerationPool>;
  cutovers: Store<Cutover>;
  nodes: Store<NodeView>;
  /** Those with the label generations.dev/protected=true. */
  namespaces: Store<Namespace>;
  /** Those that name a platform and a role. */
  pods: Store<PodView>;
  /** Deployments, StatefulSets, DaemonSets and ReplicaSets: a cache for each. */
  workloads: readonly Store<WorkloadView>[];
  /** All of them, with what each says of the workloads in it. */
  places: Store<NamespaceView>;
  /** Services that are traffic targets, and where their requests arrive. */
  traffic: TrafficWatch;
  /** What is out of each generation, kept as Nodes change. */
  outages: Outages;
}

/** Platforms that one controller looks at at once: more than one cluster has, so that none waits for the cloud of another. */
export const PLATFORMS_AT_ONCE = 64;

/** Indexes of the caches. */
export const BY = {
  /** nodes, by spec.providerID */
  providerID: 'providerID',
  /** nodes, by the cloud's id of their machine */
  machine: 'machine',
  /** nodes, by the UID of their generation and the name of their pool in it: memberKey */
  pool: 'pool',
  /** nodes in maintenance, all under one value */
  maintenance: 'maintenance',
  /** pools, and workloads whose templates name it, by the name of their generation */
  generation: 'generation',
  /** pools, by the cloud's ids of their instances */
  instance: 'instance',
  /** generations, cutovers and pods, by the name of their platform */
  platform: 'platform',
  /** workloads, by their namespace */
  namespace: 'namespace',
  /** generations and platforms, by the name of their class */
  className: 'className',
} as const;
