import type { Condition, CustomObject, Metadata } from '../api/v1alpha1/index.ts';
import { kstatus, withConditions } from '../domain/conditions.ts';
import { ApiError, isConflict, isForbidden, isInvalid, isNotFound } from '../kube/errors.ts';
import { find } from '../kube/find.ts';
import type { Resource } from '../kube/resource.ts';
import { writeStatus } from '../kube/status.ts';
import type { Context } from './context.ts';

/** Real ms: the cache follows the API server within a few. */
const CONFLICT = 100;

type Reported = CustomObject<unknown, { conditions?: Condition[] | undefined; observedGeneration: number }>;

/**
 * What a controller makes of an error from the API server. Somebody wrote at the same time: look again at once. The object
 * is gone, which a cache shows a little later: nothing is left to do. The
 * API server refuses what the operator asks for: that will not pass by itself, so the object says so in its
 * conditions. Everything else is thrown: the controller tries again with growing delays.
 *
 * @param stopped further conditions of the kind that are True while it cannot go on
 */
export async function afterTrouble<T extends Reported>(
  context: Context,
  resource: Resource<T>,
  object: T,
  error: unknown,
  stopped: readonly string[] = [],
): Promise<{ requeueAfter: number } | undefined> {
  if (isConflict(error)) return { requeueAfter: CONFLICT };
  if (isNotFound(error) && !(await find(context.client, resource, object.metadata.name))) return undefined;
  if (error instanceof ApiError && (isForbidden(error) || isInvalid(error))) {
    const reason = isForbidden(error) ? 'Forbidden' : 'Invalid';
    const message = `the API server refuses what the operator has to do: ${error.message}`;
    const { generation } = object.metadata satisfies Metadata;
    const conditions = withConditions(
      object.status.conditions,
      [
        { type: 'Ready', status: false, reason, message },
        ...stopped.map((type) => ({ type, status: true, reason, message })),
        ...kstatus('Stalled', reason, message),
      ],
      { generation, now: context.clock.now() },
    );
    const status = { ...object.status, observedGeneration: generation, conditions };
    await writeStatus(context.client, resource, object, status).catch((second: unknown) =>
      context.log.warn('The refusal could not be reported', { object: object.metadata.name, error: second }),
    );
  }
  throw error;
}
