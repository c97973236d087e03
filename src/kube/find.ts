import type { KubeClient, ReadOptions } from './client.ts';
import { isNotFound } from './errors.ts';
import type { KubeObject, Resource } from './resource.ts';

/** A live read; undefined when there is no such object, which is an answer. Any other trouble is thrown. */
export async function find<T extends KubeObject>(
  client: Pick<KubeClient, 'get'>,
  resource: Resource<T>,
  name: string,
  options: ReadOptions = {},
): Promise<T | undefined> {
  try {
    return await client.get(resource, name, options);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
