import type { KubeClient } from '../../kube/client.ts';
import { probeDelete } from '../../kube/delete.ts';
import { find } from '../../kube/find.ts';
import type { KubeObject } from '../../kube/resource.ts';
import type { Act } from './probe.ts';

/** The only file of the canary that sends what could change something: always as a dry run. */

/** Carries an act out as a dry run. Resolves with what there would be then, if anything, when it would have been done; throws ApiError. */
export async function attempt(client: KubeClient, act: Act): Promise<KubeObject | undefined> {
  switch (act.do) {
    case 'delete':
      await probeDelete(client, act.resource, act.object);
      return undefined;
    case 'update':
      return client.update(act.resource, act.object, { dryRun: true, subresource: act.subresource });
    case 'patch': {
      const { name, namespace } = act.object;
      const { subresource } = act;
      return client.patch(act.resource, name, act.body, { dryRun: true, type: 'merge', namespace, subresource });
    }
    case 'create':
      return client.create(act.resource, act.object, { dryRun: true });
  }
}

/** What an accepted act has done to its object although it was a dry run; undefined: nothing. Throws ApiError. */
export async function effectOf(client: KubeClient, act: Act): Promise<string | undefined> {
  if (act.do === 'create') {
    const { name, namespace } = act.object.metadata;
    return (await find(client, act.resource, name, { namespace })) && 'it was created';
  }
  const before = act.do === 'update' ? act.object.metadata : act.object;
  const { namespace } = before;
  const now = await find(client, act.resource, before.name, { namespace });
  if (now?.metadata.uid !== before.uid) return 'it is gone';
  if (act.do === 'delete') return now.metadata.deletionTimestamp === undefined ? undefined : 'it is being deleted';
  // Others write as well: only a change of the very fields would be an effect, and those are read back in full.
  return now.metadata.resourceVersion !== before.resourceVersion && carries(now, act) ? 'it was changed' : undefined;
}

function carries(now: object, act: Extract<Act, { do: 'update' | 'patch' }>): boolean {
  return act.do === 'patch' ? covers(now, act.body) : covers(now, withoutVersions(act.object));
}

const withoutVersions = ({ metadata, ...rest }: { metadata: object }): object => {
  const { resourceVersion: _, managedFields: __, generation: ___, ...kept } = metadata as Record<string, unknown>;
  return { ...rest, metadata: kept };
};

/** True when everything in `part` is in `whole` too; null in a patch means absent. */
function covers(whole: unknown, part: unknown): boolean {
  if (part === null) return whole === undefined || whole === null;
  if (typeof part !== 'object') return whole === part;
  if (Array.isArray(part))
    return Array.isArray(whole) && whole.length === part.length && part.every((item, at) => covers(whole[at], item));
  return (
    typeof whole === 'object' &&
    whole !== null &&
    Object.entries(part).every(([key, value]) => covers((whole as Record<string, unknown>)[key], value))
  );
}
