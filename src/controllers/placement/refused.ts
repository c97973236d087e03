import type { Platform } from '../../api/v1alpha1/index.ts';
import { type Verdict, withConditions } from '../../domain/conditions.ts';
import { placementRefused, TASKS_PLACED } from '../../domain/tasks-placed.ts';
import { platforms } from '../../kinds.ts';
import type { Context } from '../context.ts';
import { REFUSES, refusalOf } from '../refusal.ts';
import { writeUpon } from '../trouble.ts';

/** Says on the Platform, in an event too, what was refused; or that nothing is any more. An error that is no refusal says nothing. */
export async function tellRefusal(context: Context, key: string, error: unknown): Promise<void> {
  const platform = context.caches.platforms.get(key);
  const refusal = error === undefined ? undefined : refusalOf(error);
  if (!platform || (refusal === undefined && (error !== undefined || !placementRefused(platform)))) return;
  const verdict: Verdict = refusal
    ? {
        type: TASKS_PLACED,
        status: false,
        reason: refusal.reason,
        message: `${REFUSES} to start or end tasks: ${refusal.words}. ${refusal.remedy}`,
      }
    : { type: TASKS_PLACED, status: true, reason: 'Placed', message: '' };
  const { reason, message } = verdict;
  if (refusal) context.events.record({ regarding: platform, type: 'Warning', reason, action: 'Place', note: message });
  const statusOf = ({ metadata: { generation }, status }: Platform): Platform['status'] => ({
    ...status,
    conditions: withConditions(status.conditions, [verdict], { generation, now: context.clock.now() }),
  });
  await writeUpon(context, platforms, platform, statusOf).catch((second: unknown) =>
    context.log.warn('The refusal could not be reported', { object: key, error: second }),
  );
}
