import type {
  ClusterGeneration,
  Cutover,
  GenerationClass,
  GenerationPool,
  Platform,
} from '../../api/v1alpha1/index.ts';
import type { DeleteTarget } from '../../kube/delete.ts';
import type { KubeObject, New, Resource } from '../../kube/resource.ts';
import type { Namespace, Node, Pod, Service } from '../../kube/resources.ts';
import type { Found } from './workloads.ts';

/**
 * What a probe is: one act that no identity may do, the operator no more than anybody else, as data, on an object as it was read last; or
 * why there is nothing to try it on.
 */

export const FAMILIES = [
  'delete-generation',
  'delete-pool',
  'delete-platform',
  'delete-class',
  'delete-cutover',
  'delete-node',
  'delete-crd',
  'strip-finalizer',
  'retire-generation',
  'take-down-platform',
  'forge-approval',
  'relabel-pool',
  'relabel-node',
  'cordon-node',
  'unlabel-namespace',
  'unlabel-service',
  'delete-workload',
  'empty-workload',
  'unmark-workload',
  'create-pod',
  'bind-pod',
  'ungate-pod',
  'pin-pod',
  'start-pod',
  'delete-pod',
] as const;

export type Family = (typeof FAMILIES)[number];

/** An act as data. Whoever carries it out does so as a dry run. */
export type Act =
  | { do: 'delete'; resource: Resource; object: DeleteTarget }
  | { do: 'update'; resource: Resource; object: KubeObject & { status?: unknown }; subresource?: 'status' }
  | { do: 'patch'; resource: Resource; object: DeleteTarget; body: object; subresource?: 'scale' }
  | { do: 'create'; resource: Resource; object: NewPod; amendment?: Amendment };

/** A pod to be created: of one name, in one namespace. */
export type NewPod = New<KubeObject> & { metadata: { name: string; namespace: string }; spec: object };

/** What is not refused but put right: what a policy has to add to what would be created. */
export interface Amendment {
  policy: string;
  gates: readonly string[];
  finalizers: readonly string[];
}

export type Probe = { family: Family; verb: string; target: string } & (
  | { act: Act; skip?: never }
  /** Why it cannot be tried now; for people. */
  | { act?: never; skip: string }
);

/** What there is to try acts on, as it was read last. */
export interface Subject {
  platform: Platform;
  /** Two people have lifted the protection of the live generation. */
  overridden: boolean;
  generationClass: GenerationClass | undefined;
  live: ClusterGeneration | undefined;
  pool: GenerationPool | undefined;
  /** A Ready Node of the live generation, neither cordoned nor in maintenance. */
  node: Node | undefined;
  /** One that has begun and has not ended. */
  cutover: Cutover | undefined;
  crd: KubeObject | undefined;
  namespace: Namespace | undefined;
  service: Service | undefined;
  /** One of the live generation, which nobody has unprotected. */
  workload: Found | undefined;
  /** Likewise, one that has a size and is listed on its Namespace. */
  listed: Found | undefined;
  /** One that people have labelled generations.dev/protected, of any generation or none. */
  marked: Found | undefined;
  /** Namespace of the operator. */
  home: string;
  /** There, one that belongs to no platform. */
  stranger: Pod | undefined;
  /** One of a Follow or Singleton role that waits at its gate. */
  gated: Pod | undefined;
}

/** What nobody and nothing is called. */
export const ASTRAY = 'canary';

/** A label's value that is no role and no generation: their names are DNS labels. */
export const NO_NAME = 'No_Name';

export const exactly = ({ metadata }: KubeObject): DeleteTarget => ({
  name: metadata.name,
  ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
  uid: metadata.uid,
  resourceVersion: metadata.resourceVersion,
});

export const called = ({ kind, metadata }: { kind: string; metadata: { name: string; namespace?: string } }): string =>
  `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`;

export const deletion = (resource: Resource, object: KubeObject): Act => ({
  do: 'delete',
  resource,
  object: exactly(object),
});

type Recipe<T extends KubeObject> = {
  family: Family;
  verb: string;
  /** What it is tried on, when there is none. */
  kind: string;
  object: T | undefined;
  /** Why there is none. */
  missing: string;
  /** The act, or why not on this one. */
  act(object: T): Act | string;
};

export const probe = <T extends KubeObject>({ family, verb, kind, object, missing, act }: Recipe<T>): Probe => {
  if (!object) return { family, verb, target: kind, skip: missing };
  const made = act(object);
  const target = called(object);
  return typeof made === 'string' ? { family, verb, target, skip: made } : { family, verb, target, act: made };
};
