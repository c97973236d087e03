import { type ClusterGeneration, LABEL, type Platform, type PlatformStatus } from '../../api/v1alpha1/index.ts';
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
 * then refuse every deletion. Then, a look after the other, because each write needs the one before it: the list, the
 * word of the generation itself, the pointer.
 */
export function pointersOf(input: PlatformInput): Partial<PlatformStatus> {
  const { platform, generations, cloud } = input;
  const found = inconsistencyOf(platform, generations, cloud.machines);
  // Without a single generation there is nothing to lose: a mistyped Platform, say, that can be deleted again.
  const unseen = cloud.trouble !== undefined && generations.length > 0;
  if (platform.status.protected === undefined) return unseen || found ? {} : restored(input);
  const widened = protectedAsWell(input, found !== undefined);
  if (found) return widened;
  const candidate = isPointerLost(platform) ? candidateOf(input) : undefined;
  const pointed = candidate && candidate.generation.status.liveTime === candidate.live.time;
  return { ...widened, ...(pointed && { live: candidate.live }) };
}

/** True after a rebind of a platform of which nobody knows what is live. */
const isPointerLost = ({ status }: Platform): boolean =>
  status.live === undefined && status.previous === undefined && (status.rebound ?? []).length > 0;

/**
 * What was rebound is protected until a cutover retires it; and while cloud and Kubernetes disagree, so is everything
 * that goes by the name of what they disagree about.
 */
function protectedAsWell(
  { platform, generations, cloud }: PlatformInput,
  disagreeing: boolean,
): Partial<PlatformStatus> {
  const machines = machinesOfPlatform(platform, cloud.machines);
  const strangers = machines.filter(({ tags }) => !generationOf(generations, tags[LABEL.generationUID] ?? ''));
  const doubtful = new Set(disagreeing ? strangers.map(({ tags }) => tags[LABEL.generation]) : []);
  const seen = disagreeing ? lastLiveAtCloud(machines) : undefined;
  const last = seen && generationOf(generations, seen.uid);
  const listed = platform.status.protected ?? [];
  const names = generations
    .filter(({ status }) => !status.retiredTime)
    .filter((one) => one === last || one.status.formerUIDs?.length || doubtful.has(one.metadata.name))
    .map(({ metadata }) => metadata.name)
    .filter((name) => !listed.includes(name));
  return names.length > 0 ? { protected: sorted([...listed, ...names]) } : {};
}

function restored(input: PlatformInput): Partial<PlatformStatus> {
  const { platform, generations, cloud, now, scaled } = input;
  const held = generations.filter((generation) => holdOf(generation, undefined, { now, scaled }) !== undefined);
  const live = platform.status.live ?? lastToGoLive(held);
  const rebound = generations.filter(({ status }) => status.formerUIDs?.length && !status.retiredTime);
  const seen = lastLiveAtCloud(machinesOfPlatform(platform, cloud.machines));
  const last = seen && generationOf(generations, seen.uid);
  const names = [...held, ...rebound, ...(last ? [last] : [])].map(({ metadata }) => metadata.name);
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

interface Candidate {
  generation: ClusterGeneration;
  live: NonNullable<PlatformStatus['live']>;
}

/** The one that the cloud's newest tag names, as long as no cutover has begun to say it otherwise. */
function candidateOf({ platform, generations, cloud }: Omit<PlatformInput, 'traffic'>): Candidate | undefined {
  const seen = lastLiveAtCloud(machinesOfPlatform(platform, cloud.machines));
  const generation = seen && generationOf(generations, seen.uid);
  if (!seen || !generation || generation.status.retiredTime) return undefined;
  if (cloud.trouble || generations.some(({ status }) => status.reservedBy)) return undefined;
  const { name, uid } = generation.metadata;
  return { generation, live: { name, uid, time: seen.time } };
}

/** True when it must be looked at where traffic goes, to tell which generation is live. */
export const isToBeInferred = (input: Omit<PlatformInput, 'traffic'>): boolean =>
  isPointerLost(input.platform) && candidateOf(input) !== undefined;

/** A generation says itself again that it is live, if every traffic target points at the one that the cloud names. */
export function markedLive(input: PlatformInput): Effect | undefined {
  const { platform, generations, traffic } = input;
  const candidate = isPointerLost(platform) ? candidateOf(input) : undefined;
  if (!candidate || generations.some(({ status }) => status.liveTime)) return undefined;
  const { generation, live } = candidate;
  if (!platform.status.protected?.includes(live.name)) return undefined;
  const uids = uidsOf(generation);
  const agreed = traffic.every(
    (target) => target.name === live.name || (target.uid !== undefined && uids.includes(target.uid)),
  );
  return agreed ? { object: generation, status: { ...generation.status, liveTime: live.time } } : undefined;
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
