import type { ClusterGeneration, Platform } from '../../../api/v1alpha1/index.ts';
import { parseDuration } from '../../../domain/duration.ts';
import type { Moment } from '../../../domain/moment.ts';
import { holdOf } from '../../../domain/protection.ts';
import { allow, type Decision, refuse } from '../review.ts';
import type { View } from '../view.ts';

/** The name under which the live pointer moves to another generation; undefined when this write does not move it. */
export const newlyLive = (before: Platform, after: Platform): { name: string; uid: string } | undefined =>
  after.status.live && after.status.live.uid !== before.status.live?.uid ? after.status.live : undefined;

/**
 * A write to a Platform or to its status.
 *
 * @param candidate the generation that the live pointer moves to: from the cache, or a live read when it is not there;
 *   `unknown` when that could not be read
 */
export function decideUpdate(
  before: Platform,
  after: Platform,
  candidate: ClusterGeneration | 'unknown' | undefined,
  view: View,
  moment: Moment,
): Decision {
  const wrong = pointerTrouble(before, after, candidate);
  if (wrong !== undefined) return refuse(wrong);
  return allow(
    ...overrideWarnings(before, after, view, moment),
    ...budgetWarnings(before, after, view),
    ...allowanceWarnings(before, after, view),
    ...retentionWarnings(before, after),
  );
}

function pointerTrouble(
  before: Platform,
  after: Platform,
  candidate: ClusterGeneration | 'unknown' | undefined,
): string | undefined {
  const next = newlyLive(before, after);
  if (!next || candidate === 'unknown') return undefined;
  const what = `status.live of Platform ${after.metadata.name} cannot move to ${next.name}`;
  if (candidate?.metadata.uid !== next.uid)
    return `${what}: there is no ClusterGeneration ${next.name} with uid ${next.uid}. Traffic would point at nothing; apply a Cutover to one that exists`;
  if (candidate.spec.platform !== after.metadata.name)
    return `${what}: it belongs to Platform ${candidate.spec.platform}. Apply a Cutover to a generation of this Platform`;
  return undefined;
}

function overrideWarnings(before: Platform, after: Platform, view: View, moment: Moment): string[] {
  const name = after.spec.override?.generation;
  if (name === undefined || name === before.spec.override?.generation) return [];
  const generation = view.generation(name);
  if (!generation) return [`spec.override names ${name}, and there is no ClusterGeneration of that name`];
  if (generation.spec.platform !== after.metadata.name)
    return [
      `spec.override names ${name}, which belongs to Platform ${generation.spec.platform}: it has no effect here`,
    ];
  return holdOf(generation, after, moment) === undefined
    ? [`spec.override names ${name}, which nothing protects: it can be deleted without`]
    : [];
}

function budgetWarnings(before: Platform, after: Platform, view: View): string[] {
  const [was, is] = [before, after].map(({ spec }) => spec.destructiveBudget.machinesPerMinute);
  if (was === undefined || is === undefined || is <= was) return [];
  return view.generationsOf(after.metadata.name).flatMap(({ metadata, status }) => {
    const left = status.machines?.launched ?? 0;
    const going = status.liveTime !== undefined && (status.retiredTime !== undefined || metadata.deletionTimestamp);
    return going && left > 0
      ? [
          `${metadata.name} is being removed, ${left} machines are left: from now on ${is} a minute go instead of ${was}`,
        ]
      : [];
  });
}

/** Above this a platform does without a fifth of its machines at a time; few mean that. Per cent. */
const LARGE = 20;

function allowanceWarnings(before: Platform, after: Platform, view: View): string[] {
  const [was, is] = [before, after].map(({ spec }) => Number.parseInt(spec.blastRadius.machines, 10));
  if (was === undefined || is === undefined || is <= was || is <= LARGE) return [];
  const live = view.generation(after.status.live?.name ?? '');
  const total = live?.spec.pools.reduce((sum, { machines }) => sum + machines, 0) ?? 0;
  const many = live ? `: ${Math.floor((total * is) / 100)} of the ${total} machines of ${live.metadata.name}` : '';
  return [`spec.blastRadius lets ${is}% of the live generation be out at once${many}`];
}

function retentionWarnings(before: Platform, after: Platform): string[] {
  const [was, is] = [before.spec.retention, after.spec.retention];
  if (is.standby === 'None' && was.standby !== 'None')
    return ['spec.retention.standby None: the next cutover leaves nothing to roll back to'];
  return is.standby !== 'None' && parseDuration(is.for) < parseDuration(was.for)
    ? [`spec.retention.for ${is.for} instead of ${was.for}: rollback ends that soon after the next cutover`]
    : [];
}
