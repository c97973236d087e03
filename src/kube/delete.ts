import type { KubeClient } from './client.ts';
import type { KubeObject, Resource } from './resource.ts';

/** Exactly one object: of this name, this incarnation, in the very state that the caller has looked at. */
export type DeleteTarget = { name: string; namespace?: string; uid: string; resourceVersion: string };

export type DeleteOptions = {
  /** True: the API server runs admission and preconditions and answers as it would, but deletes nothing. */
  dryRun?: boolean;
  propagationPolicy?: 'Foreground' | 'Background' | 'Orphan';
  /** Pods: how long their containers may take to end. 0: the API server waits for no kubelet. Default: the pod's own. */
  gracePeriodSeconds?: number;
  signal?: AbortSignal;
};

/**
 * Deletes one object; the only code that sends DELETE. Resolves when the API server has accepted the deletion: an
 * object with finalizers goes on existing, with a deletionTimestamp. Throws ApiError: isNotFound when there is no such
 * object, isConflict when uid or resourceVersion are no longer its own, isForbidden when a policy refuses.
 */
export async function deleteObject<T extends KubeObject>(
  client: KubeClient,
  resource: Resource<T>,
  target: DeleteTarget,
  options: DeleteOptions = {},
): Promise<void> {
  const { name, namespace, uid, resourceVersion } = target;
  if (!uid || !resourceVersion)
    throw new TypeError(`deleting ${resource.kind} ${name} needs its uid and resourceVersion: read it first`);
  await client.transport.send({
    method: 'DELETE',
    resource,
    target: { name, namespace },
    body: {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid, resourceVersion },
      // Here and not in the URL: beside a body the API server does not look at the query, and would delete.
      ...(options.dryRun && { dryRun: ['All'] }),
      ...(options.gracePeriodSeconds !== undefined && { gracePeriodSeconds: options.gracePeriodSeconds }),
      ...(options.propagationPolicy && { propagationPolicy: options.propagationPolicy }),
    },
    signal: options.signal,
  });
}

/**
 * Asks what would come of deleting one object, and deletes nothing: always a dry run. Resolves when the API server would
 * have deleted it. Throws as {@link deleteObject} does.
 */
export const probeDelete = (
  client: KubeClient,
  resource: Resource,
  target: DeleteTarget,
  options: { signal?: AbortSignal } = {},
): Promise<void> => deleteObject(client, resource, target, { ...options, dryRun: true });
