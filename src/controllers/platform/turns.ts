import type { Platform, TrafficStatus } from '../../api/v1alpha1/index.ts';
import type { EventInput } from '../../kube/events.ts';

/** What people are told of traffic targets: once for each that stops to serve, is held, or serves again. */
export function turns(before: Platform, after: Platform): EventInput[] {
  const known = new Map((before.status.traffic ?? []).map((entry) => [entry.name, entry]));
  return (after.status.traffic ?? []).flatMap((entry) => {
    const turn = turnOf(known.get(entry.name), entry);
    return turn ? [{ regarding: after, action: 'Observe', ...turn }] : [];
  });
}

function turnOf(
  before: TrafficStatus | undefined,
  { name, state, leadsTo, ready, minReady, reason, message = '' }: TrafficStatus,
): Pick<EventInput, 'type' | 'reason' | 'note'> | undefined {
  if (before?.state === state && (state !== 'NotServing' || before.reason === reason)) return undefined;
  switch (state) {
    case 'NotServing':
      return { type: 'Warning', reason: 'TargetNotServing', note: `${name} (${reason}): ${message}` };
    case 'Serving': {
      const note = `${name} is served by ${leadsTo}: ${ready} ready, and at least ${minReady} have to be`;
      return { type: 'Normal', reason: 'TargetServing', note };
    }
    case 'Held':
      return { type: 'Normal', reason: 'TargetHeld', note: `${name}: ${message}` };
    case 'Unknown':
      return before && { type: 'Warning', reason: 'TargetNotSeen', note: `${name}: ${message}` };
    case 'Moving':
      return undefined;
  }
}

/** Traffic targets of all platforms as they were last seen, for metrics. */
export const trafficIn = (platforms: readonly Platform[]) =>
  platforms.flatMap(({ metadata, status }) =>
    (status.traffic ?? []).map(({ name, state, ready }) => ({ platform: metadata.name, target: name, state, ready })),
  );
