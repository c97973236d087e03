/**
 * kube/ talks to the API server: it reads and writes objects, keeps local copies of collections up to date, holds a
 * lease and records events. In go a kubeconfig and descriptions of kinds (`resource`), out come plain JSON objects as
 * the API server sent them, and errors with predicates. It knows the built-in kinds of Kubernetes and none of ours.
 */
import type { KubeObject, New, Resource } from './resource.ts';
import type { Transport } from './transport.ts';

export type ReadOptions = { namespace?: string; signal?: AbortSignal };
export type ListOptions = ReadOptions & { labelSelector?: string; fieldSelector?: string };
export type WriteOptions = {
  /** True: admission and validation run, nothing is stored. */
  dryRun?: boolean;
  /** Who owns the fields written; at most 128 characters. Default: the client's own name. */
  fieldManager?: string;
  signal?: AbortSignal;
};
export type UpdateOptions = WriteOptions & { subresource?: string };
export type PatchOptions = UpdateOptions & {
  type: 'merge' | 'json' | 'apply';
  namespace?: string;
  /** Apply only: take fields over from their present managers instead of a conflict. */
  force?: boolean;
};

export type List<T> = { items: T[]; resourceVersion: string };

/**
 * Reads and writes objects. Every method throws ApiError (errors.ts has predicates) and nothing is retried: a caller
 * reconciles. Deleting is `deleteObject` in delete.ts.
 */
export type KubeClient = {
  /** A live read of one object. */
  get<T extends KubeObject>(resource: Resource<T>, name: string, options?: ReadOptions): Promise<T>;
  /** A live read of a collection, page by page; without `namespace`, of all namespaces. */
  list<T extends KubeObject>(resource: Resource<T>, options?: ListOptions): Promise<List<T>>;
  /** Creates `object` in the namespace that its metadata names. */
  create<T extends KubeObject>(resource: Resource<T>, object: New<T>, options?: WriteOptions): Promise<T>;
  /** Replaces an object. Its metadata.resourceVersion is the precondition: isConflict when it is no longer current. */
  update<T extends KubeObject>(resource: Resource<T>, object: T, options?: UpdateOptions): Promise<T>;
  /** `body`: a merge patch, a list of JSON patch operations, or for `apply` the fields that the manager owns. */
  patch<T extends KubeObject>(resource: Resource<T>, name: string, body: unknown, options: PatchOptions): Promise<T>;
  /** The connection beneath, for the parts of kube/ that need more than the above. */
  readonly transport: Transport;
};
