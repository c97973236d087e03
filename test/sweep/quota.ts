import { waitFor } from '../../local/wait.ts';
import { isTrue } from '../../src/domain/conditions.ts';
import { cutovers } from '../../src/kinds.ts';
import { deleteObject } from '../../src/kube/delete.ts';
import { find } from '../../src/kube/find.ts';
import { resourceQuotas } from '../../src/kube/resources.ts';
import type { Installation } from './installation.ts';
import { LIMIT } from './site.ts';

/** Real ms for which a cutover that needs no Job any more is left under a closed quota. */
const LEFT = 5_000;

/**
 * Closes the namespace of a site to Jobs. Returns what opens it again: once the cutover says that it is Blocked, has ended, or
 * has gone on for a while. @throws Error when it does neither
 */
export async function closedQuota(
  { admin }: Installation,
  namespace: string,
): Promise<(cutover: string) => Promise<void>> {
  const name = 'no-more-jobs';
  await admin.create(resourceQuotas, { metadata: { name, namespace }, spec: { hard: { 'count/jobs.batch': '0' } } });
  const closed = Date.now();
  return async (cutover) => {
    await waitFor(`${cutover} to say that a quota is closed`, { limitMs: LIMIT, everyMs: 200 }, async () => {
      const seen = await admin.get(cutovers, cutover);
      return isTrue(seen, 'Blocked') || seen.status.outcome || Date.now() > closed + LEFT ? true : undefined;
    });
    await waitFor('the quota to be gone', { limitMs: LIMIT, everyMs: 200 }, async () => {
      const quota = await find(admin, resourceQuotas, name, { namespace });
      if (!quota) return true;
      const { uid, resourceVersion } = quota.metadata;
      await deleteObject(admin, resourceQuotas, { name, namespace, uid, resourceVersion }).catch(() => {});
      return undefined;
    });
  };
}
