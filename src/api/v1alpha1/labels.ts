/** Names that are part of the API: labels on objects, Nodes and cloud tags, annotations, finalizers. */

export const GROUP = 'generations.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;

/** On everything that belongs to a generation; immutable once set. Cloud tags carry the same names. */
export const LABEL = {
  platform: `${GROUP}/platform`,
  generation: `${GROUP}/generation`,
  generationUID: `${GROUP}/generation-uid`,
  pool: `${GROUP}/pool`,
  role: `${GROUP}/role`,
  /** On Jobs of a cutover: its name and UID. */
  cutover: `${GROUP}/cutover`,
  cutoverUID: `${GROUP}/cutover-uid`,
  /** On pods of Follow and Singleton roles that have been placed: which task they are copies of. Written by the operator. */
  task: `${GROUP}/task`,
  /** On a Service that carries traffic; set by the operator. */
  traffic: `${GROUP}/traffic`,
  /** "true" on a Namespace whose deletion, unlabelling and evictions are guarded, or on a workload of any generation or none. */
  protected: `${GROUP}/protected`,
} as const;

export const ANNOTATION = {
  /** On a labelled Node: name of the Node that its machine has in its place. Written by the operator: then people may delete it. */
  stale: `${GROUP}/stale`,
  /** On a Node, its own name: this one machine of a live generation may be cordoned and drained by a person. */
  maintenance: `${GROUP}/maintenance`,
  /** On a protected Namespace: the Nodes whose pods may be evicted now, comma-separated. Written by the operator. */
  draining: `${GROUP}/draining`,
  /** On a protected Namespace or traffic Service, its own name: its guarding label may be removed. On a workload: it is not guarded. */
  unprotect: `${GROUP}/unprotect`,
  /** On a Namespace: the workloads that are guarded there, as WorkloadItem of domain/workloads.ts has it. Written by the operator. */
  workloads: `${GROUP}/workloads`,
  /** On pods of Follow and Singleton roles, an integer: those with a lower one start first. */
  startOrder: `${GROUP}/start-order`,
  /** On pods of Singleton roles: providerID of the machine on which a copy may still run. Written by the operator. */
  machine: `${GROUP}/machine`,
} as const;

/** Cloud tag only: the UID of the kube-system namespace, so that two clusters in one account never meet. */
export const CLUSTER_TAG = `${GROUP}/cluster`;

/** Cloud tag only: when this machine's generation became live, RFC 3339. The cloud's own record of the live pointer. */
export const LIVE_TIME_TAG = `${GROUP}/live-time`;

/** Cloud tag only: when the operator let go of this machine (an override with release: true), RFC 3339. It touches it no more. */
export const RELEASED_TAG = `${GROUP}/released`;

/** Keeps a generation until its pools are gone, and a pool until the cloud shows all its machines terminated. */
export const FINALIZER = `${GROUP}/machines`;

/** Keeps a Cutover until what it holds is given back. */
export const CUTOVER_FINALIZER = `${GROUP}/cutover`;

/** Scheduling gate of pods of Follow and Singleton roles, and finalizer of the latter's. */
export const PLACEMENT = `${GROUP}/placement`;

/** Keeps a Job of a cutover, and the pods of a migration, until how it has ended is written down. */
export const JOB_FINALIZER = `${GROUP}/job`;

/**
 * Flux's own, on Cutovers: what it does with fields that are not in Git. Absent, or `Override`: it takes out those that people have
 * written with kubectl; with any other value it leaves them.
 */
export const FLUX_SSA = 'kustomize.toolkit.fluxcd.io/ssa';
