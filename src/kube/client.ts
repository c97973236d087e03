/**
 * kube/ talks to the API server: it reads and writes objects, keeps local copies of collections up to date, holds a
 * lease and records events. In go a kubeconfig and descriptions of kinds (`resource`), out come plain JSON objects as
 * the API server sent them, and errors with predicates. It knows the built-in kinds of Kubernetes and none of ours.
 */
import { type ConfigOptions, loadConnection } from './config.ts';
import type { KubeObject, New, Resource } from './resource.ts';
import { type Transport, type TransportObserver, transport } from './transport.ts';

export type ReadOptions = { namespace?: string | undefined; signal?: AbortSignal | undefined };
export type ListOptions = ReadOptions & {
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  /** Objects in an answer; more of them take more requests. Default 500, as client-go asks for. */
  pageSize?: number | undefined;
};
export type WriteOptions = {
  /** True: admission and validation run, nothing is stored. */
  dryRun?: boolean | undefined;
  /** Who owns the fields written, at most 128 characters. Default: the client's own name. */
  fieldManager?: string | undefined;
  signal?: AbortSignal | undefined;
};
export type UpdateOptions = WriteOptions & { subresource?: string | undefined };
export type PatchOptions = UpdateOptions & {
  type: 'merge' | 'strategic' | 'json' | 'apply';
  namespace?: string | undefined;
  /** Apply only: take fields over from their present managers instead of a conflict. */
  force?: boolean | undefined;
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
  /** `body`: a merge patch, plain or strategic, a list of JSON patch operations, or for `apply` the fields that the manager owns. */
  patch<T extends KubeObject>(resource: Resource<T>, name: string, body: unknown, options: PatchOptions): Promise<T>;
  /** The namespace that the kubeconfig's context names, or `default`. */
  readonly namespace: string;
  /** The connection beneath, for the parts of kube/ that need more than the above. */
  readonly transport: Transport;
};

export type ClientOptions = ConfigOptions & {
  /** Names this program to the API server: user agent and default field manager. */
  name: string;
  observer?: TransportObserver | undefined;
  /** Longest wait for an answer, real ms. Default 15 000. */
  timeout?: number | undefined;
};

const PATCH_TYPES = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** A client for the API server that the kubeconfig names. Sends nothing yet. Throws ConfigError. */
export async function connect(options: ClientOptions): Promise<KubeClient> {
  const connection = await loadConnection(options);
  const { name, observer, timeout } = options;
  return clientOver(transport({ connection, userAgent: name, observer, timeout }), name, connection.namespace);
}

/** A client over a given transport. */
export function clientOver(transport: Transport, name: string, namespace: string): KubeClient {
  const writing = ({ dryRun, fieldManager = name }: WriteOptions) => ({
    fieldManager,
    dryRun: dryRun ? 'All' : undefined,
  });

  return {
    namespace,
    transport,

    async get<T extends KubeObject>(resource: Resource<T>, name: string, options: ReadOptions = {}) {
      const { namespace, signal } = options;
      return (await transport.send({ method: 'GET', resource, target: { namespace, name }, signal })) as T;
    },

    async list<T extends KubeObject>(resource: Resource<T>, options: ListOptions = {}) {
      const items: T[] = [];
      let resourceVersion = '';
      for await (const page of pages(transport, resource, options)) {
        for (const item of page.items) items.push({ ...item, apiVersion: resource.apiVersion, kind: resource.kind });
        resourceVersion = page.resourceVersion;
      }
      return { items, resourceVersion };
    },

    async create<T extends KubeObject>(resource: Resource<T>, object: New<T>, options: WriteOptions = {}) {
      const body = { ...object, apiVersion: resource.apiVersion, kind: resource.kind };
      const target = { namespace: object.metadata.namespace };
      const { signal } = options;
      return (await transport.send({ method: 'POST', resource, target, query: writing(options), body, signal })) as T;
    },

    async update<T extends KubeObject>(resource: Resource<T>, object: T, options: UpdateOptions = {}) {
      const { name, namespace } = object.metadata;
      const { subresource, signal } = options;
      const target = { name, namespace, subresource };
      const body = { ...object, apiVersion: resource.apiVersion, kind: resource.kind };
      return (await transport.send({ method: 'PUT', resource, target, query: writing(options), body, signal })) as T;
    },

    async patch<T extends KubeObject>(resource: Resource<T>, name: string, body: unknown, options: PatchOptions) {
      const { type, namespace, subresource, force, signal } = options;
      const applied = { ...(body as object), apiVersion: resource.apiVersion, kind: resource.kind };
      return (await transport.send({
        method: 'PATCH',
        resource,
        target: { name, namespace, subresource },
        query: { ...writing(options), force: type === 'apply' && force ? 'true' : undefined },
        contentType: PATCH_TYPES[type],
        body: type === 'apply' ? applied : body,
        signal,
      })) as T;
    },
  };
}

/** The pages of a list, one after the other. Throws ApiError; isGone when the list took longer than its token lives. */
export async function* pages<T extends KubeObject>(
  transport: Transport,
  resource: Resource<T>,
  { namespace, labelSelector, fieldSelector, pageSize = 500, signal }: ListOptions = {},
): AsyncGenerator<List<T>> {
  let next: string | undefined;
  do {
    const page = (await transport.send({
      method: 'GET',
      resource,
      target: { namespace },
      query: { labelSelector, fieldSelector, limit: String(pageSize), continue: next },
      signal,
    })) as { items: T[] | null; metadata: { resourceVersion: string; continue?: string } };
    yield { items: page.items ?? [], resourceVersion: page.metadata.resourceVersion };
    next = page.metadata.continue || undefined;
  } while (next !== undefined);
}
