import { conditionOf } from '../../../domain/conditions.ts';
import { guardTrouble } from '../../../domain/guard.ts';
import { notImplemented } from '../../../domain/not-implemented.ts';
import type { Problem } from '../../../traffic/target.ts';
import type { CutoverInput, Step } from '../input.ts';

/** Preflight proves, before anything moves, that the new generation is complete and every target can be switched. */

type Check = (input: CutoverInput) => Problem | undefined;

const problem = (reason: string, message: string): Problem => ({ reason, message });

/** In their order: the first that fails is what the cutover is Blocked by. */
const CHECKS: Check[] = [
  // A status that was never written says nothing about what is live.
  ({ cutover, platform }) => {
    if (!platform) return problem('PlatformNotFound', `Platform ${cutover.spec.platform} does not exist: create it`);
    if (!platform.status.protected)
      return problem(
        'PlatformNotReady',
        `Platform ${platform.metadata.name} has no status.protected yet: the operator is about to write it`,
      );
    const unbuilt = notImplemented.platform(platform);
    return unbuilt ? problem('NotImplemented', unbuilt) : undefined;
  },
  // The generation that is to become live is this platform's, and is there to stay.
  ({ cutover, to }) => {
    const name = cutover.spec.to;
    if (!to) return problem('TargetNotFound', `ClusterGeneration ${name} does not exist: create it`);
    if (to.spec.platform !== cutover.spec.platform)
      return problem(
        'WrongPlatform',
        `ClusterGeneration ${name} belongs to Platform ${to.spec.platform}, not to ${cutover.spec.platform}`,
      );
    if (to.metadata.deletionTimestamp)
      return problem(
        'TargetDeleted',
        `ClusterGeneration ${name} is being deleted: make another generation and another Cutover to it`,
      );
    const expected = cutover.status.generations?.to;
    if (expected && expected.uid !== to.metadata.uid)
      return problem(
        'TargetReplaced',
        `ClusterGeneration ${name} is not the one that this cutover began with: it was deleted and made anew`,
      );
    return undefined;
  },
  // Retired is for ever: its machines are being removed. One that was live before comes back by a Rollback.
  ({ cutover, to }) => {
    if (to?.status.retiredTime)
      return problem(
        'TargetRetired',
        `ClusterGeneration ${cutover.spec.to} was retired at ${to.status.retiredTime} and never comes back: make a new generation`,
      );
    if (to?.status.liveTime && to.status.reservedBy?.uid !== cutover.metadata.uid)
      return problem(
        'TargetWasLive',
        `ClusterGeneration ${cutover.spec.to} has been live before: going back to it is mode Rollback, which this version does not do yet`,
      );
    const holder = to?.status.reservedBy;
    if (holder && holder.uid !== cutover.metadata.uid)
      return problem('TargetReserved', `ClusterGeneration ${cutover.spec.to} is reserved by Cutover ${holder.name}`);
    return undefined;
  },
  ({ cutover, from }) =>
    cutover.spec.from !== '' && !from
      ? problem(
          'SourceNotFound',
          `ClusterGeneration ${cutover.spec.from}, from which this cutover moves, does not exist`,
        )
      : undefined,
  // Two leaders may each have let a cutover begin: the second must not move what the first has left meanwhile.
  ({ cutover, platform, to }) => {
    const live = platform?.status.live;
    if ((live?.name ?? '') === cutover.spec.from || live?.uid === to?.metadata.uid) return undefined;
    return problem(
      'SourceNotLive',
      `${live?.name ?? 'no generation'} is live, and Cutover ${cutover.metadata.name} has begun from ${cutover.spec.from || 'none'}: another Cutover was faster. Nothing is moved; make another Cutover from ${live?.name ?? '""'}`,
    );
  },
  // Both fit beside each other: proved by the generation's own proof of capacity, and by its machines being there.
  ({ cutover, to }) => {
    const capacity = to && conditionOf(to, 'CapacityProved');
    if (capacity?.status === 'False')
      return problem(
        capacity.reason,
        `ClusterGeneration ${cutover.spec.to} does not fit beside the live one: ${capacity.message}`,
      );
    const ready = to && conditionOf(to, 'Ready');
    const current = ready?.observedGeneration === to?.metadata.generation;
    if (ready?.status === 'True' && current) return undefined;
    return problem(
      'TargetNotReady',
      `ClusterGeneration ${cutover.spec.to} is not ready: ${(current && ready?.message) || 'the operator has not looked at it yet'}`,
    );
  },
  // A condition is what somebody saw a while ago; this is what the cloud and the Nodes show now.
  ({ to, members }) => {
    if (!Array.isArray(members)) return members;
    for (const { name, role, machines } of to?.spec.pools ?? []) {
      const wanted = (to?.spec.pools ?? [])
        .filter((pool) => pool.role === role)
        .reduce((sum, pool) => sum + pool.machines, 0);
      const ready = members.filter((member) => member.role === role && member.ready).length;
      if (ready < wanted)
        return problem(
          'TargetNotReady',
          `role ${role} has ${ready} of ${wanted} machines ready (pool ${name} asks for ${machines})`,
        );
    }
    return undefined;
  },
  ({ targets }) => targets.find((target) => target.problem)?.problem,
  // Nothing is moved that is not known to be protected. What is lost already is not waited for.
  ({ cutover, platform, now, scaled }) => {
    const trouble = platform && cutover.spec.mode !== 'Recovery' && guardTrouble(platform, { now, scaled });
    return trouble ? problem('GuardNotEffective', trouble) : undefined;
  },
];

/** The first thing in the way of this cutover; undefined when nothing is. Asked again after the reservation. */
export function objectionTo(input: CutoverInput): Problem | undefined {
  for (const check of CHECKS) {
    const found = check(input);
    if (found) return found;
  }
  return undefined;
}

export const preflight: Step = {
  name: 'Preflight',
  done: (input) => objectionTo(input) === undefined,
  act: (input) => {
    const blocked = objectionTo(input);
    return blocked ? { blocked } : { waitFor: 'the end of Preflight' };
  },
};
