import { type ClusterGeneration, LABEL, type Platform } from '../api/v1alpha1/index.ts';
import { isReleased, liveTimeAtCloud, uidsOf } from './identity.ts';

/**
 * Whether what Kubernetes says of a platform agrees with what the cloud says of its machines. After a restore from a
 * backup it does not: objects have new UIDs and no status, or a status from before the last cutover.
 */

/** A machine as the cloud shows it; all that matters here. */
export interface TaggedMachine {
  id: string;
  state: string;
  tags: Readonly<Record<string, string>>;
}

export interface Inconsistency {
  reason: 'UnknownMachines' | 'PointerDisagrees';
  /** A sentence for people: what disagrees, and what two of them can say about it. */
  message: string;
}

/** The machines of a platform that are still its business: those that have ended, or were let go, are not. */
export const machinesOfPlatform = <M extends TaggedMachine>(platform: Platform, machines: readonly M[]): M[] =>
  machines.filter(
    ({ state, tags }) =>
      tags[LABEL.platform] === platform.metadata.name &&
      state !== 'terminated' &&
      state !== 'shutting-down' &&
      !isReleased(tags),
  );

/** Which generation the cloud says was the last to go live, by the newest tag of that kind. */
export function lastLiveAtCloud(machines: readonly TaggedMachine[]): { uid: string; time: string } | undefined {
  return machines
    .flatMap(({ tags }) => {
      const [uid, time] = [tags[LABEL.generationUID], liveTimeAtCloud(tags)];
      return uid !== undefined && time !== undefined && !Number.isNaN(Date.parse(time)) ? [{ uid, time }] : [];
    })
    .toSorted((a, b) => Date.parse(b.time) - Date.parse(a.time))[0];
}

/** The generation that goes, or went, by this UID. */
export const generationOf = (generations: readonly ClusterGeneration[], uid: string): ClusterGeneration | undefined =>
  generations.find((generation) => uidsOf(generation).includes(uid));

/**
 * What disagrees; undefined when nothing does. A platform that has nothing at the cloud never disagrees with it.
 *
 * @param generations all generations of the platform
 * @param machines machines with this cluster's tag, of any platform
 */
export function inconsistencyOf(
  platform: Platform,
  generations: readonly ClusterGeneration[],
  machines: readonly TaggedMachine[],
): Inconsistency | undefined {
  const ours = machinesOfPlatform(platform, machines);
  return unknownMachines(platform, generations, ours) ?? pointerDisagrees(platform, generations, ours);
}

function unknownMachines(
  platform: Platform,
  generations: readonly ClusterGeneration[],
  ours: readonly TaggedMachine[],
): Inconsistency | undefined {
  const known = new Set(generations.flatMap(uidsOf));
  const strangers = Map.groupBy(
    ours.filter(({ tags }) => !known.has(tags[LABEL.generationUID] ?? '')),
    ({ tags }) => tags[LABEL.generationUID] ?? '',
  );
  if (strangers.size === 0) return undefined;
  const list = [...strangers].map(([uid, machines]) => {
    const ids = machines.map(({ id }) => id);
    const some = ids.length > 3 ? `${ids.slice(0, 3).join(', ')} and ${ids.length - 3} more` : ids.join(', ');
    return `${ids.length} of ${machines[0]?.tags[LABEL.generation] || 'no generation'} with UID ${uid || '(none)'} (${some})`;
  });
  return {
    reason: 'UnknownMachines',
    message: `the cloud has machines of Platform ${platform.metadata.name} that no ClusterGeneration owns: ${list.join('; ')}. Nothing is launched, terminated or moved. After a restore: say in spec.rebind, one UID at a time, to which ClusterGeneration they belong, by two people`,
  };
}

function pointerDisagrees(
  platform: Platform,
  generations: readonly ClusterGeneration[],
  ours: readonly TaggedMachine[],
): Inconsistency | undefined {
  const seen = lastLiveAtCloud(ours);
  if (!seen || platform.status.protected === undefined) return undefined;
  const { live, previous, rebound } = platform.status;
  const generation = generationOf(generations, seen.uid);
  if (!generation || (live && uidsOf(generation).includes(live.uid))) return undefined;
  // A cutover is making it live at this moment: the cloud is told before the Platform is.
  if (generation.status.reservedBy) return undefined;
  const time = Date.parse(seen.time);
  const known = [live, previous].some((pointer) => pointer && Date.parse(pointer.time) >= time);
  const settled = rebound?.some((entry) => entry.uid === seen.uid && Date.parse(entry.time) >= time);
  if (known || settled) return undefined;
  const { name } = generation.metadata;
  const says = live ? `${live.name} is, since ${live.time}` : 'none is';
  return {
    reason: 'PointerDisagrees',
    message: `the cloud's tags say that ${name} (UID ${seen.uid}) is live since ${seen.time}, and Platform ${platform.metadata.name} says that ${says}: was it restored from a backup that is older than the last cutover? Nothing is launched, terminated or moved. Look where traffic goes; then two people acknowledge it with spec.rebind {generation: ${name}, uid: ${seen.uid}}, and an ordinary Cutover puts the pointer right`,
  };
}
