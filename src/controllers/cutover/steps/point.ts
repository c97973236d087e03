import { timestamp } from '../../../domain/conditions.ts';
import type { Effect, Step } from '../input.ts';

/** Point moves the live pointer: first the generation says of itself that it is live, then the platform names it. */
export const point: Step = {
  name: 'Point',
  done: ({ platform, to }) => to?.status.liveTime !== undefined && platform?.status.live?.uid === to.metadata.uid,
  act: ({ platform, from, to, now }) => {
    if (!platform || !to) return { waitFor: 'the platform and both generations' };
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
