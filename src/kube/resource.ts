/** What names a kind of object to the API server, and ties the type that its objects have to it. */
export type Resource<T extends KubeObject = KubeObject> = {
  /** `v1`, `discovery.k8s.io/v1`. */
  readonly apiVersion: string;
  readonly kind: string;
  /** As in the URL: `nodes`, `endpointslices`. */
  readonly plural: string;
  readonly namespaced: boolean;
  /** Exists for the compiler only. */
  readonly [objectType]?: T;
};

declare const objectType: unique symbol;

export type OwnerReference = {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
};

export type ManagedFields = {
  manager?: string;
  operation?: 'Apply' | 'Update';
  apiVersion?: string;
  time?: string;
  fieldsType?: string;
  fieldsV1?: Record<string, unknown>;
  subresource?: string;
};

/** Metadata as the API server returns it. Times are RFC 3339 strings. */
export type ObjectMeta = {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
  managedFields?: ManagedFields[];
};

export type KubeObject = { apiVersion: string; kind: string; metadata: ObjectMeta };

/** Metadata of an object to be created: the API server adds the rest. */
export type NewMeta = Partial<Omit<ObjectMeta, 'name'>> & ({ name: string } | { generateName: string });

/** An object to be created. The client fills in apiVersion and kind from the resource. */
export type New<T extends KubeObject> = Omit<T, 'apiVersion' | 'kind' | 'metadata' | 'status'> & {
  apiVersion?: string;
  kind?: string;
  metadata: NewMeta;
} & (T extends { status?: infer S } ? { status?: S } : unknown);

/** Describes a kind, for instance `resource<Node>('v1', 'Node', 'nodes', false)`. */
export function resource<T extends KubeObject>(
  apiVersion: string,
  kind: string,
  plural: string,
  namespaced: boolean,
): Resource<T> {
  return { apiVersion, kind, plural, namespaced };
}

/** A store's and a work queue's key for an object: `namespace/name`, or `name` for cluster-scoped ones. */
export function keyOf(object: { metadata: { name: string; namespace?: string } }): string {
  const { name, namespace } = object.metadata;
  return namespace ? `${namespace}/${name}` : name;
}

/** The parts of a key made by {@link keyOf}. */
export function splitKey(key: string): { namespace?: string; name: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/**
 * The URL path of a collection, an object or a subresource, for instance
 * `/api/v1/namespaces/kube-system/secrets/ca`. Throws when a namespaced object is named without its namespace, a
 * cluster-scoped one with one, or a name is empty: that would be the whole collection.
 */
export function pathOf(
  resource: Resource,
  target: { namespace?: string | undefined; name?: string | undefined; subresource?: string | undefined } = {},
): string {
  const { namespace, name, subresource } = target;
  if (namespace !== undefined && !resource.namespaced)
    throw new TypeError(`${resource.kind} ${name ?? ''} is cluster-scoped, but namespace ${namespace} was given`);
  if (name !== undefined && namespace === undefined && resource.namespaced)
    throw new TypeError(`${resource.kind} ${name} is namespaced, but no namespace was given`);
  if (name === '' || namespace === '')
    throw new TypeError(`${resource.kind} has an empty ${name === '' ? 'name' : 'namespace'}`);
  const segments = [resource.apiVersion.includes('/') ? 'apis' : 'api', ...resource.apiVersion.split('/')];
  if (namespace !== undefined) segments.push('namespaces', namespace);
  segments.push(resource.plural);
  if (name !== undefined) segments.push(name);
  if (subresource !== undefined) segments.push(subresource);
  return `/${segments.map(encodeURIComponent).join('/')}`;
}
