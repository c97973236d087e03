import type { KubeClient } from '../kube/client.ts';
import { find } from '../kube/find.ts';
import type { KubeObject, Resource } from '../kube/resource.ts';
import type { Store } from '../kube/store.ts';

/**
 * An object, read live; undefined when it is gone, which is believed when the watch has seen it go as well: the two ask
 * in different ways. Throws while they disagree, and ApiError. For what is undone or given up when something is gone.
 */
export async function findAgreed<T extends KubeObject>(
  client: Pick<KubeClient, 'get'>,
  resource: Resource<T>,
  name: string,
  cache: Pick<Store<T>, 'get'>,
): Promise<T | undefined> {
  const found = await find(client, resource, name);
  if (found || !cache.get(name)) return found;
  throw new Error(
    `${resource.kind} ${name} was not found, and the watch has not seen it go: it is looked at again before anything is concluded`,
  );
}
