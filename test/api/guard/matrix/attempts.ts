import { collectionOf, type GuardedCluster, type KubeObject, pathOf } from '../cluster.ts';
import type { Act, Attempt } from './cells.ts';

/** Requests that several acts are made of. */

/** Every way to ask for the deletion of one object, or of all that have its label `site`. */
export const deletions: Record<string, (object: KubeObject) => Attempt> = {
  delete: () => ({ method: 'DELETE' }),
  'delete by force': () => ({ method: 'DELETE', query: 'gracePeriodSeconds=0' }),
  'delete in the background': () => ({ method: 'DELETE', query: 'propagationPolicy=Background' }),
  'delete in the foreground': () => ({ method: 'DELETE', query: 'propagationPolicy=Foreground' }),
  'delete and orphan what is owned by': () => ({ method: 'DELETE', query: 'propagationPolicy=Orphan' }),
  'delete by its UID': ({ metadata }) => ({ method: 'DELETE', body: { preconditions: { uid: metadata.uid } } }),
  'delete the collection of': ({ kind, metadata }) => ({
    method: 'DELETE',
    path: collectionOf(kind, metadata.namespace),
    query: `labelSelector=site=${metadata.labels.site}`,
  }),
};

export const patch =
  (body: object, subresource = '') =>
  (): Attempt => ({ method: 'PATCH', subresource, body });

/** Changes the object as it is read, and puts it. */
export const edit =
  (change: (object: KubeObject) => void, subresource = '') =>
  (object: KubeObject): Attempt => {
    const body = structuredClone(object);
    change(body);
    return { method: 'PUT', subresource, body };
  };

/** An owner that does not exist: the garbage collector deletes what it owns. */
export const bogusOwner = {
  apiVersion: 'v1',
  kind: 'Node',
  name: 'gone',
  uid: '00000000-0000-0000-0000-000000000000',
};

/** Acts that delete the object `it` in these ways. */
export const deleting = (ways: string[], what: string, legal: Act['legal'], to = 'it'): Act[] =>
  ways.map((way) => ({ what: `${way} ${what}`, to, attempt: deletions[way] ?? patch({}), legal }));

export async function remove(cluster: GuardedCluster, ...objects: KubeObject[]): Promise<void> {
  for (const object of objects) await cluster.call('admin', 'DELETE', pathOf(object));
}
