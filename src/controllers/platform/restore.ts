import type { ClusterGeneration, PlatformStatus } from '../../api/v1alpha1/index.ts';
import { conditionOf, type Verdict } from '../../domain/conditions.ts';
import { generationOf, inconsistencyOf, lastLiveAtCloud, machinesOfPlatform } from '../../domain/consistency.ts';
import { CONSISTENT } from '../../domain/freeze.ts';
import { uidsOf } from '../../domain/identity.ts';
import { holdOf } from '../../domain/protection.ts';
import type { Effect, PlatformInput } from './input.ts';

/**
 * The live pointer and the list of protected generations are the cutovers' to write, but for a Platform that has lost
 * its status: it gets both back from what its generations say of themselves, and where they have lost theirs too, from
 * traffic and cloud if all of these agree. Until Kubernetes and cloud agree, nothing is written at all: the policies
 * then refuse every deletion.
 */
export function pointersOf(input: PlatformInput): Partial<PlatformStatus> {
  const { platform, generations, cloud } = input;
  const found = inconsistencyOf(platform, generations, cloud.machines);
  if (platform.status.protected !== undefined) return found?.reason === 'PointerDisagrees' ? widened(input) : {};
  return cloud.trouble || found ? {} : restored(input);
}

/** What the cloud says is live is protected as well while nobody knows better. */
function widened({ platform, generations, cloud }: PlatformInput): Partial<PlatformStatus> {
  const seen = lastLiveAtCloud(machinesOfPlatform(platform, cloud.machines));
  const generation = seen && generationOf(generations, seen.uid);
  return generation ? { protected: sorted([...(platform.status.protected ?? []), generation.metadata.name]) } : {};
}

function restored(input: PlatformInput): Partial<PlatformStatus> {
  const { platform, generations, now, scaled } = input;
  const held = generations.filter((generation) => holdOf(generation, undefined, { now, scaled }) !== undefined);
  const live = platform.status.live ?? lastToGoLive(held) ?? inferred(input);
  const rebound = generations.filter(({ status }) => status.formerUIDs?.length && !status.retiredTime);
  const names = [...held, ...rebound].map(({ metadata }) => metadata.name);
  return { protected: sorted(live ? [...names, live.name] : names), ...(live && { live }) };
}

/** The last to go live, by their own word. A cutover writes it when traffic has moved: so this is right in the middle of one, too. */
function lastToGoLive(held: readonly ClusterGeneration[]): PlatformStatus['live'] {
  const [last] = held
    .filter(({ status }) => status.liveTime)
    .toSorted((a, b) => (b.status.liveTime ?? '').localeCompare(a.status.liveTime ?? ''));
  return last?.status.liveTime
    ? { name: last.metadata.name, uid: last.metadata.uid, time: last.status.liveTime }
    : undefined;
}

/** The one that the cloud's newest tag names, if every traffic target points at the same one. */
function inferred({ platform, generations, cloud, traffic }: PlatformInput): PlatformStatus['live'] {
  const seen = lastLiveAtCloud(machinesOfPlatform(platform, cloud.machines));
  const generation = seen && generationOf(generations, seen.uid);
  if (!seen || !generation || generation.status.retiredTime) return undefined;
  const { name, uid } = generation.metadata;
  const uids = uidsOf(generation);
  const agreed = traffic.every(
    (target) => target.name === name || (target.uid !== undefined && uids.includes(target.uid)),
  );
  return agreed ? { name, uid, time: seen.time } : undefined;
}

/** True when the live pointer can come from nowhere but traffic and cloud. */
export const isToBeInferred = ({ platform, generations, cloud }: Omit<PlatformInput, 'traffic'>): boolean =>
  platform.status.protected === undefined &&
  !generations.some(({ status }) => status.liveTime) &&
  lastLiveAtCloud(machinesOfPlatform(platform, cloud.machines)) !== undefined;

/**
 * A generation that was found to be live says so itself again: in a look after the one that wrote the Platform, because
 * the policies let nothing go live that is not protected.
 */
export function markedLive({ platform, generations }: PlatformInput): Effect | undefined {
  const { live } = platform.status;
  const object = generations.find(({ metadata }) => metadata.uid === live?.uid);
  if (!live || !object?.status.formerUIDs?.length || object.status.liveTime || object.status.reservedBy)
    return undefined;
  return { object, status: { ...object.status, liveTime: live.time } };
}

/** Whether Kubernetes and the cloud agree. A cloud that cannot be seen takes no disagreement back. */
export function consistency(
  { platform, generations, cloud }: PlatformInput,
  restored: Partial<PlatformStatus>,
  objection: string | undefined,
): Verdict {
  const current = { ...platform, status: { ...platform.status, ...restored } };
  const found = inconsistencyOf(current, generations, cloud.machines);
  const said = conditionOf(platform, CONSISTENT);
  const verdict = (status: Verdict['status'], reason: string, message: string): Verdict => ({
    type: CONSISTENT,
    status,
    reason,
    message: [message, objection].filter(Boolean).join('. '),
  });
  if (found) return verdict(false, found.reason, found.message);
  if (!cloud.trouble) return verdict(true, 'Consistent', '');
  const { reason, message } = cloud.trouble;
  if (said?.status === 'False') return { type: CONSISTENT, status: false, reason: said.reason, message: said.message };
  return verdict('Unknown', reason, `the cloud could not be compared with: ${message}`);
}

const sorted = (names: readonly string[]): string[] => [...new Set(names)].toSorted();
