import type { KubeClient } from './client.ts';
import type { KubeObject, Resource } from './resource.ts';

/** Asks for one object of a collection, whatever there is: throws the ApiError of a collection that cannot be read. */
export async function tryToRead(client: KubeClient, resource: Resource<KubeObject>, namespace?: string): Promise<void> {
  await client.transport.send({ method: 'GET', resource, target: { namespace }, query: { limit: '1' } });
}
