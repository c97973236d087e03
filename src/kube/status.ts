import { isDeepStrictEqual } from 'node:util';
import type { KubeClient } from './client.ts';
import type { KubeObject, Resource } from './resource.ts';

/**
 * Writes an object's status if it differs from what `object` holds. The object's resourceVersion is the
 * precondition: isConflict when somebody has written since it was read. Returns the object as it is now.
 */
export async function writeStatus<T extends KubeObject & { status: unknown }>(
  client: KubeClient,
  resource: Resource<T>,
  object: T,
  status: T['status'],
): Promise<T> {
  if (isDeepStrictEqual(normal(object.status), normal(status))) return object;
  return client.update(resource, { ...object, status }, { subresource: 'status' });
}

/** As JSON carries it: a field that is undefined is absent. */
const normal = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
