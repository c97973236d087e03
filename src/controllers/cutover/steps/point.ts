import { LIVE_TIME_TAG } from '../../../api/v1alpha1/index.ts';
import { timestamp } from '../../../domain/conditions.ts';
import type { Effect, Step } from '../input.ts';

/**
 * Point moves the live pointer: first the generation says of itself that it is live, then its machines at the cloud do,
 * then the platform names it. The cloud's word outlives a cluster that is restored from a backup.
 */
export const point: Step = {
  name: 'Point',
  done: ({ platform, to }) => to?.status.liveTime !== undefined && platform?.status.live?.uid === to.metadata.uid,
  act: ({ platform, from, to, members, machines, now }) => {
    if (!platform || !to) return { waitFor: 'the platform and both generations' };
    if (!Array.isArray(members))
      return members.reason === 'Throttled' ? { waitFor: members.message } : { blocked: members };
    const liveTime = to.status.liveTime ?? timestamp(now);
    const effects: Effect[] = [];
    if (to.status.liveTime === undefined)
      effects.push({
        do: 'writeGeneration',
        object: to,
        status: { ...to.status, liveTime },
        what: `mark ${to.metadata.name} as live`,
      });
    if (platform.status.live?.uid !== to.metadata.uid) {
      const untagged = machines.filter(({ tags }) => tags[LIVE_TIME_TAG] !== liveTime).map(({ id }) => id);
      if (untagged.length > 0)
        effects.push({
          do: 'tag',
          generation: to,
          machines: untagged,
          tags: { [LIVE_TIME_TAG]: liveTime },
          what: `tag ${untagged.length} machines of ${to.metadata.name} as live since ${liveTime}`,
        });
      const { name, uid } = to.metadata;
      const before =
        platform.status.live ?? (from && { name: from.metadata.name, uid: from.metadata.uid, time: liveTime });
      effects.push({
        do: 'writePlatform',
        object: platform,
        status: { ...platform.status, live: { name, uid, time: liveTime }, ...(before && { previous: before }) },
        what: `point Platform ${platform.metadata.name} at ${name}`,
      });
    }
    return { effects, message: `${to.metadata.name} becomes live` };
  },
};
