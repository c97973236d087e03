import type { Priority } from '../provider.ts';
import type { Client } from './client.ts';
import { MOST_MACHINES } from './launch.ts';

/**
 * Starts stopped machines: as many in each call as the account's budget affords. Throws ProviderError: Throttled when
 * some are left for later. A call that is refused has started none of its machines; those before it have been done.
 */
export async function start(client: Client, ids: readonly string[], priority: Priority): Promise<void> {
  for (let from = 0; from < ids.length; ) {
    const most = Math.min(MOST_MACHINES, client.affordable('StartInstances', priority));
    const some = ids.slice(from, from + Math.max(1, most));
    // Without their names: after a refusal another one is tried each time, and a status would be another each time. The cloud names it.
    const what = some.length === 1 ? 'a stopped machine' : `${some.length} stopped machines`;
    await client.send('StartInstances', { InstanceIds: some }, { priority, what, machines: some.length });
    from += some.length;
  }
}
