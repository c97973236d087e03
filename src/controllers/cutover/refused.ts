import { conditionOf } from '../../domain/conditions.ts';
import { formatDuration } from '../../domain/duration.ts';
import { placementRefused } from '../../domain/tasks-placed.ts';
import type { Problem } from '../../traffic/target.ts';
import { REFUSES } from '../refusal.ts';
import type { Action, CutoverInput, Effect, Step } from './input.ts';
import { isVoidTemplate } from './job-manifest.ts';
import { noWayBack } from './way-back.ts';

/**
 * What a cutover makes of effects that are refused, beyond saying so and trying again: when waiting is no use, and what of the
 * way back does without them. Pure.
 */

/** What a step that waits for others waits for in vain as long as it is refused to them. */
export const refusedToOthers = (input: CutoverInput, step: Step['name']): Problem | undefined =>
  podsRefused(input) ?? (BY_PLACEMENT.includes(step) ? placementRefused(input.platform) : undefined);

/** Steps that wait for tasks to end or to start. */
const BY_PLACEMENT: Step['name'][] = ['Quiesce', 'Restore'];

/** A Job whose pods are refused will not end by itself: its deadline comes, and people can do something before it does. */
export function podsRefused({ jobs }: CutoverInput): Problem | undefined {
  const job = jobs.find(({ state, refused }) => state === 'Running' && refused !== undefined);
  return (
    job && {
      reason: 'PodsRefused',
      message: `the pods of Job ${job.name} are refused: ${job.refused}. Remove the cause, and Kubernetes makes one by itself; the Job fails at its deadline`,
    }
  );
}

/**
 * A Job that is refused for as long as it might have run is waited for no longer, where the way back does without it. Moves of
 * traffic are not like that: the way back needs them as well.
 */
export function refusedInVain(input: CutoverInput, action: Action): Problem | undefined {
  const bar = conditionOf(input.cutover, 'Blocked');
  if (!('effects' in action) || bar?.status !== 'True') return undefined;
  const effect = action.effects.find((one) => one.do === 'startJob' && bar.message.includes(one.what));
  if (effect?.do !== 'startJob' || noWayBack(input)) return undefined;
  const entry = input.cutover.status.migrations?.find(({ job }) => job === effect.name);
  const since = Date.parse(entry?.startTime ?? bar.lastTransitionTime);
  if (input.now - since <= input.scaled(effect.deadline)) return undefined;
  return {
    reason: bar.reason,
    message: `for ${formatDuration(effect.deadline)} in vain: ${bar.message}`,
  };
}

/** What has failed while something was refused has failed because of that: with the words of whoever refused it. */
export function withWords({ cutover }: CutoverInput, { reason, message }: Problem): Problem {
  const bar = conditionOf(cutover, 'Blocked');
  const words = bar?.status === 'True' && bar.message.startsWith(REFUSES) && !message.includes(bar.message);
  return { reason, message: words ? `${message}. Meanwhile ${bar.message}` : message };
}

/**
 * A request that a former leader has sent before the cutover turned back is over by then: 15 s is the client's own limit, 60 s
 * that of an API server (--request-timeout). Real ms.
 */
const LATE = 90_000;

/**
 * True for what keeps a migration from being begun late, when that is refused and none can come any more: no Job is there, and
 * whoever was about to make one had his time. Users do not wait for it, unless something that the old generation may not live with
 * is still to be undone; it is tried until it is done.
 */
export function isBarredForGood({ cutover, now }: CutoverInput, action: Action): boolean {
  const bar = conditionOf(cutover, 'Blocked');
  const { undo, migrations = [] } = cutover.status;
  if (!('effects' in action) || action.effects.length === 0 || bar?.status !== 'True' || !undo) return false;
  const undoable = new Set(cutover.spec.migrations?.flatMap((one) => (one.undo ? [one.name] : [])));
  if (migrations.some(({ name, state }) => undoable.has(name) && (state === 'Committed' || state === 'Undoing')))
    return false;
  const occupies = (effect: Effect) => effect.do === 'startJob' && isVoidTemplate(effect.template);
  return (
    action.effects.every((effect) => occupies(effect) && bar.message.includes(effect.what)) &&
    now - Date.parse(undo.time) > LATE
  );
}
