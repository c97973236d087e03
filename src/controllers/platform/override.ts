import type { ClusterGeneration, Platform, PlatformStatus } from '../../api/v1alpha1/index.ts';
import { timestamp, type Verdict } from '../../domain/conditions.ts';
import { freezeOf } from '../../domain/freeze.ts';
import { isCurrent, OVERRIDE_FOR } from '../../domain/override.ts';
import type { Announcement, Effect, PlatformInput } from './input.ts';

/**
 * Break-glass: what two people have asked for in spec.override is put in force, for one generation by its UID, and
 * taken out again. One write at a time: the Platform first, which is the record, then the generation; and out of force
 * in the other order, so that a crash anywhere leaves something that the next look finishes.
 */

export type Override = NonNullable<Platform['spec']['override']>;
type Last = NonNullable<PlatformStatus['lastOverride']>;

export interface OverrideStep {
  /** Fields of Platform.status to write. */
  platform: Partial<PlatformStatus>;
  effect?: Effect | undefined;
  say?: Announcement | undefined;
  verdict: Verdict;
  /** Real ms until it ends by itself. */
  endsIn?: number | undefined;
}

/** The condition of a Platform that is True while an override is in force. */
export const OVERRIDDEN = 'Overridden';

/** The next thing to do about an override, if any. Pure; the objects must have been read live. */
export function overrideStep(input: PlatformInput): OverrideStep {
  const { platform, generations } = input;
  if (platform.status.override) return inForce(input, platform.status.override);
  const leftover = generations.find(({ status }) => status.override);
  const verdict = standing(input);
  if (leftover) return { platform: {}, effect: without(leftover), verdict };
  return putInForce(input) ?? { platform: {}, verdict };
}

function putInForce({ platform, generations, now, scaled }: PlatformInput): OverrideStep | undefined {
  const wanted = platform.spec.override;
  const target = wanted && targetOf(generations, wanted);
  if (!wanted || !target || objectionTo(platform, wanted, target)) return undefined;
  const { generation, reason, release, requestedBy, approvedBy = '' } = wanted;
  const { uid } = target.metadata;
  const until = timestamp(now + scaled(OVERRIDE_FOR));
  const lastOverride: Last = { generation, uid, reason, release, requestedBy, approvedBy, until, state: 'InForce' };
  return {
    platform: { override: { generation, uid, until, ...(release && { release }) }, lastOverride },
    say: announcement([platform, target], 'OverrideInForce', lastOverride, `is lifted until ${until}`),
    verdict: said(lastOverride),
    endsIn: scaled(OVERRIDE_FOR),
  };
}

/** One in force: it ends with its time, its generation, or the will of anybody who removes it from spec. */
function inForce(input: PlatformInput, override: NonNullable<PlatformStatus['override']>): OverrideStep {
  const { platform, generations, now } = input;
  const target = generations.find(({ metadata }) => metadata.uid === override.uid);
  const last = platform.status.lastOverride;
  const state = endOf(input, override, target);
  if (!state) {
    const { until, release } = override;
    const here = target?.status.override;
    const same = here?.until === until && (here.release ?? false) === (release ?? false);
    const effect: Effect | undefined =
      !target || same
        ? undefined
        : { object: target, status: { ...target.status, override: { until, ...(release && { release }) } } };
    return { platform: {}, effect, verdict: said(last ?? override), endsIn: Date.parse(until) - now };
  }
  if (target?.status.override) return { platform: {}, effect: without(target), verdict: said(last ?? override) };
  const ended = last && { ...last, state };
  const about = [platform, ...(target ? [target] : [])];
  return {
    platform: {
      override: undefined,
      ...(ended && { lastOverride: ended }),
      ...(state === 'Done' && forgotten(platform, override)),
    },
    say: ended && announcement(about, `Override${state}`, ended, ENDS[state]),
    verdict: { type: OVERRIDDEN, status: false, reason: state, message: ENDS[state] },
  };
}

const ENDS = {
  Expired: 'is in force again: the override has reached its end',
  Withdrawn: 'is in force again: the override was taken out of spec.override',
  Done: 'has nothing left to protect: the generation is gone',
} as const;

function endOf(
  { platform, now, scaled }: PlatformInput,
  { until }: { until: string },
  target: ClusterGeneration | undefined,
): keyof typeof ENDS | undefined {
  if (!target) return 'Done';
  const { spec, status } = platform;
  if (!spec.override || !status.lastOverride || !isSame(spec.override, status.lastOverride)) return 'Withdrawn';
  return isCurrent(until, { now, scaled }) ? undefined : 'Expired';
}

/**
 * What the Platform no longer says of a generation that two people had removed: without this it would point at nothing,
 * protect a name for ever, and could neither be deleted nor see another first cutover.
 */
function forgotten(
  { status }: Platform,
  { generation, uid }: { generation: string; uid: string },
): Partial<PlatformStatus> {
  const { live } = status;
  const wasLive = live?.uid === uid;
  // A namesake that is live keeps the name on the list.
  const listed = live?.name === generation && !wasLive;
  return {
    ...(!listed && { protected: (status.protected ?? []).filter((name) => name !== generation) }),
    ...(wasLive && { live: undefined, previous: live }),
  };
}

const without = (object: ClusterGeneration): Effect => ({ object, status: { ...object.status, override: undefined } });

const targetOf = (generations: readonly ClusterGeneration[], { generation }: Override): ClusterGeneration | undefined =>
  generations.find(({ metadata }) => metadata.name === generation);

/** Why what spec.override asks for is not put in force. */
function objectionTo(
  platform: Platform,
  wanted: Override,
  target: ClusterGeneration | undefined,
): { reason: string; message: string } | undefined {
  const { generation, requestedBy, approvedBy } = wanted;
  const last = platform.status.lastOverride;
  if (last && isSame(wanted, last))
    return {
      reason: last.state,
      message: `the override of ${generation} by ${requestedBy} and ${approvedBy} has been in force once (until ${last.until}) and does not come into force again. Take spec.override out; to ask anew, give another reason`,
    };
  if (!approvedBy)
    return {
      reason: 'AwaitingApproval',
      message: `${requestedBy} asks to override the protection of ${generation}: another person approves it by setting spec.override.approvedBy to their own name`,
    };
  if (!areTwoPeople(requestedBy, approvedBy))
    return {
      reason: 'NotTwoPeople',
      message: `an override takes two different people, not ${requestedBy} and ${approvedBy}`,
    };
  if (!target)
    return { reason: 'GenerationNotFound', message: `ClusterGeneration ${generation} of this Platform does not exist` };
  const frozen = freezeOf(platform);
  return frozen === undefined ? undefined : { reason: 'Frozen', message: frozen };
}

/** Two names, of no service account, Node or component of Kubernetes. The policies prove each by its own write. */
export const areTwoPeople = (...users: [string, string]): boolean =>
  users.every((user) => !user.startsWith('system:')) && users[0] !== users[1];

const isSame = (wanted: Override, last: Last): boolean =>
  wanted.generation === last.generation &&
  wanted.reason === last.reason &&
  wanted.release === last.release &&
  wanted.requestedBy === last.requestedBy &&
  (wanted.approvedBy ?? '') === last.approvedBy;

/** What the condition says while none is in force. */
function standing({ platform, generations }: PlatformInput): Verdict {
  const wanted = platform.spec.override;
  const objection = wanted && objectionTo(platform, wanted, targetOf(generations, wanted));
  return { type: OVERRIDDEN, status: false, reason: 'NotOverridden', message: '', ...objection };
}

const sentence = (last: Last, what: string): string =>
  `the protection of ClusterGeneration ${last.generation} ${what}. Override requested by ${last.requestedBy}, approved by ${last.approvedBy}, because: ${last.reason}${last.release ? '. Its machines are let go, not terminated' : ''}`;

const said = (last: Last | { generation: string; until: string }): Verdict => ({
  type: OVERRIDDEN,
  status: true,
  reason: 'InForce',
  message:
    'reason' in last ? sentence(last, `is lifted until ${last.until}`) : `${last.generation} until ${last.until}`,
});

const announcement = (about: Announcement['about'], reason: string, last: Last, what: string): Announcement => ({
  about,
  type: 'Warning',
  reason,
  action: 'Override',
  note: sentence(last, what),
});

/** The overrides that these platforms have in force, for metrics. */
export const overridesIn = (platforms: readonly Platform[]): { platform: string; generation: string }[] =>
  platforms.flatMap(({ metadata, status }) =>
    status.override ? [{ platform: metadata.name, generation: status.override.generation }] : [],
  );
