import type { ClusterGeneration, GenerationPool, Platform } from '../../api/v1alpha1/index.ts';
import { kstatus, type Verdict, withConditions } from '../../domain/conditions.ts';
import { notImplemented } from '../../domain/not-implemented.ts';
import { holdOf } from '../../domain/protection.ts';

/**
 * controllers/platform reports how a platform is doing: its roles, whether the live generation is complete. The live
 * pointer and the list of protected generations are the cutovers' to write, but for one case: a Platform without a
 * status (new, or restored from a backup, which drops it) gets both back from what the generations say of themselves.
 */

/** How often to look again while something is wrong. Declared ms; all else wakes it by itself. */
const BUSY = 30_000;

export interface PlatformInput {
  platform: Platform;
  /** Its generations; read live when the status is to be restored. */
  generations: ClusterGeneration[];
  /** Pools of the live generation. */
  livePools: GenerationPool[];
  classExists: boolean;
  now: number;
  scaled(ms: number): number;
}

export function decide(input: PlatformInput): { status: Platform['status']; requeueAfter: number | undefined } {
  const { platform, now, scaled } = input;
  const pointers = platform.status.protected === undefined ? restored(input) : {};
  const current: PlatformInput = { ...input, platform: { ...platform, status: { ...platform.status, ...pointers } } };
  const roles = rolesOf(current);
  const verdicts = verdictsOf(current, roles);
  const troubled = verdicts.some(({ type, status }) => type === 'Ready' && status !== true);
  return {
    status: {
      ...current.platform.status,
      observedGeneration: platform.metadata.generation,
      roles,
      conditions: withConditions(platform.status.conditions, verdicts, {
        generation: platform.metadata.generation,
        now,
      }),
    },
    requeueAfter: troubled ? scaled(BUSY) : undefined,
  };
}

/**
 * What the generations' own statuses say: every one that is held is protected, the last to go live is live. A cutover
 * writes liveTime when traffic has moved, so this is right in the middle of one, too.
 */
function restored({ platform, generations }: PlatformInput): Partial<Platform['status']> {
  const held = generations.filter((generation) => holdOf(generation, undefined) !== undefined);
  const live = held
    .filter(({ status }) => status.liveTime)
    .toSorted((a, b) => (b.status.liveTime ?? '').localeCompare(a.status.liveTime ?? ''))[0];
  return {
    protected: held.map(({ metadata }) => metadata.name).toSorted(),
    ...(live?.status.liveTime &&
      platform.status.live === undefined && {
        live: { name: live.metadata.name, uid: live.metadata.uid, time: live.status.liveTime },
      }),
  };
}

type Roles = NonNullable<Platform['status']['roles']>;

function rolesOf({ platform, livePools }: PlatformInput): Roles {
  return platform.spec.roles.map(({ name }) => {
    const pools = livePools.filter(({ spec }) => spec.role === name);
    const desired = pools.reduce((sum, { spec }) => sum + spec.machines, 0);
    const ready = pools.reduce((sum, { status }) => sum + (status.machines?.ready ?? 0), 0);
    return { name, machines: { desired, ready }, restored: ready >= desired };
  });
}

function verdictsOf({ platform, generations, classExists }: PlatformInput, roles: Roles): Verdict[] {
  const { live } = platform.status;
  const missing = roles.filter(({ restored }) => !restored);
  const lost = live !== undefined && !generations.some(({ metadata }) => metadata.uid === live.uid);
  const shortage = missing.map(({ name, machines }) => `${name} ${machines.ready}/${machines.desired}`).join(', ');
  const standing: Verdict[] = [
    live
      ? { type: 'Live', status: true, reason: 'Live', message: `${live.name} since ${live.time}` }
      : { type: 'Live', status: false, reason: 'AwaitingFirstCutover', message: 'apply a Cutover with from: ""' },
    missing.length > 0
      ? { type: 'Degraded', status: true, reason: 'MachinesMissing', message: shortage }
      : { type: 'Degraded', status: false, reason: 'Complete', message: '' },
  ];
  const trouble = troubleOf(platform, classExists, lost, shortage);
  if (!trouble) {
    const reason = live ? 'Serving' : 'AwaitingFirstCutover';
    return [...standing, { type: 'Ready', status: true, reason, message: '' }, ...kstatus('Current', reason, '')];
  }
  const { reason, message } = trouble;
  return [
    ...standing,
    { type: 'Ready', status: false, reason, message },
    ...kstatus(reason === 'MachinesMissing' ? 'Reconciling' : 'Stalled', reason, message),
  ];
}

function troubleOf(
  platform: Platform,
  classExists: boolean,
  lost: boolean,
  shortage: string,
): { reason: string; message: string } | undefined {
  const unbuilt = notImplemented.platform(platform);
  if (unbuilt) return { reason: 'NotImplemented', message: unbuilt };
  if (!classExists)
    return { reason: 'ClassNotFound', message: `GenerationClass ${platform.spec.className} does not exist: create it` };
  if (lost)
    return {
      reason: 'LiveGenerationLost',
      message: `${platform.status.live?.name} is live and does not exist any more`,
    };
  return shortage
    ? { reason: 'MachinesMissing', message: `machines of the live generation are missing: ${shortage}` }
    : undefined;
}
