import { type ClusterGeneration, type Cutover, LIVE_TIME_TAG, MOST_LIVE_BY } from '../../../api/v1alpha1/index.ts';
import { timestamp } from '../../../domain/conditions.ts';
import type { Action, CutoverInput, Effect, Step } from '../input.ts';

/**
 * Point moves the live pointer: first the generation says of itself that it is live, then its machines at the cloud do,
 * then the platform names it. The cloud's word outlives a cluster that is restored from a backup. Undone in reverse order.
 */

type Pointer = NonNullable<Cutover['status']['pointer']>;

export const point: Step = {
  name: 'Point',
  done: ({ cutover, platform, to }) => {
    const { pointer } = cutover.status;
    if (!pointer) return false;
    if (cutover.spec.to === undefined) return platform !== undefined && platform.status.live === undefined;
    return to?.status.liveTime === pointer.liveTime && platform?.status.live?.uid === to.metadata.uid;
  },
  act: (input) => {
    const { cutover, platform, to, now } = input;
    if (!platform || (cutover.spec.to !== undefined && !to)) return { waitFor: 'the platform and both generations' };
    const { live, previous } = platform.status;
    const pointer: Pointer = cutover.status.pointer ?? {
      liveTime: timestamp(now),
      ...(live && { live }),
      ...(previous && { previous }),
      ...(to?.status.liveTime && { formerLiveTime: to.status.liveTime }),
    };
    const moved = to ? forward(input, to, pointer) : takeDown(input, pointer);
    return 'effects' in moved ? { ...moved, journal: { pointer } } : moved;
  },
  undo: (input) => (input.cutover.status.pointer ? backward(input, input.cutover.status.pointer) : undefined),
};

function forward(input: CutoverInput, to: ClusterGeneration, { liveTime, live: before }: Pointer): Action {
  const { platform, from } = input;
  const { name, uid } = to.metadata;
  if (!platform) return { waitFor: 'the platform' };
  const unseen = cloudTrouble(input);
  if (unseen) return unseen;
  const effects: Effect[] = [];
  if (to.status.liveTime !== liveTime)
    effects.push({
      do: 'writeGeneration',
      object: to,
      status: {
        ...to.status,
        liveTime,
        liveBy: [...othersOf(input, to), input.cutover.metadata.name].slice(-MOST_LIVE_BY),
      },
      what: `mark ${name} as live`,
    });
  if (platform.status.live?.uid !== uid || platform.status.live.time !== liveTime) {
    effects.push(...tagged(input, to, ({ tags }) => tags[LIVE_TIME_TAG] !== liveTime, liveTime));
    const previous = before ?? (from && { name: from.metadata.name, uid: from.metadata.uid, time: liveTime });
    const { decommissioned: _, ...status } = platform.status;
    effects.push({
      do: 'writePlatform',
      object: platform,
      status: { ...status, live: { name, uid, time: liveTime }, ...(previous && { previous }) },
      what: `point Platform ${platform.metadata.name} at ${name}`,
    });
  }
  return { effects, message: `${name} becomes live` };
}

/** The last generation of a platform stops being live, and none is. */
function takeDown({ cutover, platform }: CutoverInput, { liveTime }: Pointer): Action {
  if (!platform) return { waitFor: 'the platform' };
  const { live, ...status } = platform.status;
  const { name, uid } = cutover.metadata;
  const what = `point Platform ${platform.metadata.name} at no generation`;
  const decommissioned = { cutover: { name, uid }, time: liveTime };
  const next = { ...status, decommissioned, ...(live && { previous: live }) };
  return { effects: [{ do: 'writePlatform', object: platform, status: next, what }], message: what };
}

/** The platform first, then the cloud, then the generation itself: until the end nobody may take it for one that never was live. */
function backward(input: CutoverInput, pointer: Pointer): Action | undefined {
  const { cutover, platform, to } = input;
  if (!platform) return undefined;
  // The pointer goes back also when the generation is gone, or another one has its name.
  const uid = cutover.status.generations?.to?.uid ?? to?.metadata.uid;
  const { liveTime, formerLiveTime, live, previous } = pointer;
  const effects: Effect[] = [];
  // Two people who have removed the generation have the Platform name none.
  if (platform.status.live ? platform.status.live.uid === uid : live) {
    const { live: _live, previous: _previous, ...status } = platform.status;
    effects.push({
      do: 'writePlatform',
      object: platform,
      status: { ...status, ...(live && { live }), ...(previous && { previous }) },
      what: `point Platform ${platform.metadata.name} back at ${live?.name ?? 'no generation'}`,
    });
  }
  if (to && to.metadata.uid === uid && to.status.liveTime === liveTime) {
    const unseen = cloudTrouble(input);
    if (unseen) return unseen;
    effects.push(...tagged(input, to, ({ tags }) => tags[LIVE_TIME_TAG] === liveTime, formerLiveTime ?? ''));
    const { liveTime: _, liveBy: _by, ...status } = to.status;
    const liveBy = othersOf(input, to);
    effects.push({
      do: 'writeGeneration',
      object: to,
      status: { ...status, ...(formerLiveTime && { liveTime: formerLiveTime }), ...(liveBy.length > 0 && { liveBy }) },
      what: `${to.metadata.name} is not live any more`,
    });
  }
  return effects.length > 0 ? { effects, message: `${live?.name ?? 'no generation'} becomes live again` } : undefined;
}

/** Of those that have made it live, the names of the others. */
const othersOf = ({ cutover }: CutoverInput, { status }: ClusterGeneration): string[] =>
  (status.liveBy ?? []).filter((name) => name !== cutover.metadata.name);

function cloudTrouble({ members }: CutoverInput): Action | undefined {
  if (Array.isArray(members)) return undefined;
  return members.reason === 'Throttled' ? { waitFor: members.message } : { blocked: members };
}

/** The cloud's own record; an empty time takes one back. */
function tagged(
  { machines }: CutoverInput,
  generation: ClusterGeneration,
  which: (machine: CutoverInput['machines'][number]) => boolean,
  time: string,
): Effect[] {
  const ids = machines.filter(which).map(({ id }) => id);
  if (ids.length === 0) return [];
  const { name } = generation.metadata;
  const says = time === '' ? 'not live' : `live since ${time}`;
  const what = `tag ${ids.length} machines of ${name} as ${says}`;
  return [{ do: 'tag', generation, machines: ids, tags: { [LIVE_TIME_TAG]: time }, what }];
}
