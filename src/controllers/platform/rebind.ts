import type { ClusterGeneration, Platform, PlatformStatus } from '../../api/v1alpha1/index.ts';
import { LABEL } from '../../api/v1alpha1/index.ts';
import { timestamp } from '../../domain/conditions.ts';
import { lastLiveAtCloud, machinesOfPlatform } from '../../domain/consistency.ts';
import { uidsOf } from '../../domain/identity.ts';
import type { Announcement, Effect, PlatformInput } from './input.ts';
import { areTwoPeople } from './override.ts';

/**
 * After a restore from a backup: what two people have said in spec.rebind, machines at the cloud with this UID belong to
 * that ClusterGeneration. The generation takes the UID as one of its former ones, then the Platform records it.
 */

type Rebind = NonNullable<Platform['spec']['rebind']>;

export interface RebindStep {
  /** Fields of Platform.status to write. */
  platform: Partial<PlatformStatus>;
  effect?: Effect | undefined;
  say?: Announcement | undefined;
  /** Why it is not carried out, for the condition; undefined when it is, or was. */
  objection?: string | undefined;
}

/** As many as the API keeps, of UIDs of a generation and of records of the platform. */
const MOST_UIDS = 8;
const MOST_RECORDS = 16;

/** The next thing to do about spec.rebind, if any. Pure; the objects must have been read live. */
export function rebindStep(input: PlatformInput): RebindStep {
  const { platform, generations, now } = input;
  const { rebind } = platform.spec;
  if (!rebind) return { platform: tidied(input) };
  const target = generations.find(({ metadata }) => metadata.name === rebind.generation);
  const record = recordOf(platform, rebind);
  const current = record && !isOutdated(input, record);
  if (current && target && uidsOf(target).includes(rebind.uid)) return { platform: {} };
  const objection = objectionTo(input, rebind, target) ?? (record && objectionToRepeating(rebind));
  if (objection || !target) return { platform: {}, objection: `spec.rebind is not carried out: ${objection}` };
  const { uid, generation, requestedBy, approvedBy } = rebind;
  if (!uidsOf(target).includes(uid)) {
    const formerUIDs = [...(target.status.formerUIDs ?? []), uid];
    return { platform: {}, effect: { object: target, status: { ...target.status, formerUIDs } } };
  }
  const entry = { generation, uid, time: timestamp(now) };
  return {
    platform: { rebound: [...(platform.status.rebound ?? []), entry].slice(-MOST_RECORDS) },
    say: {
      about: [platform, target],
      type: 'Warning',
      reason: 'Rebound',
      action: 'Rebind',
      note: `machines at the cloud with UID ${uid} belong to ClusterGeneration ${generation}. Requested by ${requestedBy}, approved by ${approvedBy}`,
    },
  };
}

const recordOf = ({ status }: Platform, { generation, uid }: { generation: string; uid: string }) =>
  status.rebound?.find((entry) => entry.generation === generation && entry.uid === uid);

/** Said before the cloud was told that the same generation went live once more: it does not answer that. */
function isOutdated({ platform, cloud }: PlatformInput, record: { uid: string; time: string }): boolean {
  const seen = lastLiveAtCloud(machinesOfPlatform(platform, cloud.machines));
  return seen?.uid === record.uid && Date.parse(seen.time) > Date.parse(record.time);
}

/** Once spec.rebind is empty, what is outdated goes from the record: the same may then be said again. */
function tidied(input: PlatformInput): Partial<PlatformStatus> {
  const { rebound } = input.platform.status;
  const kept = rebound?.filter((record) => !isOutdated(input, record));
  return kept && kept.length !== rebound?.length ? { rebound: kept } : {};
}

const objectionToRepeating = ({ generation }: Rebind): string =>
  `the same was said of ${generation} before, of something else. Take spec.rebind out, then set it again`;

function objectionTo(
  { platform, generations, cloud }: PlatformInput,
  { generation, uid, requestedBy, approvedBy }: Rebind,
  target: ClusterGeneration | undefined,
): string | undefined {
  if (!approvedBy)
    return `another person than ${requestedBy} approves it by setting spec.rebind.approvedBy to their own name`;
  if (!areTwoPeople(requestedBy, approvedBy))
    return `it takes two different people, not ${requestedBy} and ${approvedBy}`;
  if (!target) return `ClusterGeneration ${generation} of this Platform does not exist: restore it first`;
  if (cloud.trouble) return `the cloud cannot be looked at: ${cloud.trouble.message}`;
  const owner = generations.find((other) => other !== target && uidsOf(other).includes(uid));
  if (owner) return `UID ${uid} is that of ClusterGeneration ${owner.metadata.name}`;
  const machines = machinesOfPlatform(platform, cloud.machines).filter(({ tags }) => tags[LABEL.generationUID] === uid);
  if (machines.length === 0) return `the cloud has no machine with UID ${uid}: copy it from the message`;
  const named = machines[0]?.tags[LABEL.generation];
  if (named !== generation)
    return `the machines with UID ${uid} are tagged with generation ${named}: create a ClusterGeneration of that name and name it here`;
  if ((target.status.formerUIDs ?? []).length >= MOST_UIDS && !uidsOf(target).includes(uid))
    return `ClusterGeneration ${generation} has ${MOST_UIDS} former UIDs already`;
  return undefined;
}
