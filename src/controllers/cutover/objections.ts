import type { CutoverPlan } from '../../api/v1alpha1/index.ts';
import { conditionOf } from '../../domain/conditions.ts';
import { guardTrouble } from '../../domain/guard.ts';
import { notImplemented } from '../../domain/not-implemented.ts';
import type { CutoverInput } from './input.ts';
import { hashOf } from './job-manifest.ts';
import { barredBy, irreversibleIn, isBegun } from './journal.ts';
import { endedFirst, isPressing } from './steps/quiesce.ts';
import { objectionToJobs } from './trial.ts';

/** All that is in the way of a cutover before it moves anything: each with the object, what is wrong, and what to do. */

export type Objection = CutoverPlan['blockers'][number];

type Check = (input: CutoverInput) => (Objection | undefined)[];

const objection = (object: string, reason: string, message: string): Objection => ({
  object,
  reason,
  message: message.slice(0, 2048),
});

const platformIsThere: Check = ({ cutover, platform }) => {
  const name = cutover.spec.platform;
  const object = `Platform ${name}`;
  if (!platform) return [objection(object, 'PlatformNotFound', `Platform ${name} does not exist: create it`)];
  if (!platform.status.protected)
    return [
      objection(
        object,
        'PlatformNotReady',
        `Platform ${name} has no status.protected yet: the operator is about to write it`,
      ),
    ];
  const unbuilt = notImplemented.platform(platform);
  return [unbuilt ? objection(object, 'NotImplemented', unbuilt) : undefined];
};

/** The generation that is to become live is this platform's, and is there to stay. */
const targetIsThere: Check = ({ cutover, to }) => {
  const name = cutover.spec.to;
  if (name === undefined) return [];
  const about = (reason: string, message: string) => [objection(`ClusterGeneration ${name}`, reason, message)];
  if (!to) return about('TargetNotFound', `ClusterGeneration ${name} does not exist: create it`);
  if (to.spec.platform !== cutover.spec.platform)
    return about(
      'WrongPlatform',
      `ClusterGeneration ${name} belongs to Platform ${to.spec.platform}, not to ${cutover.spec.platform}`,
    );
  if (to.metadata.deletionTimestamp)
    return about(
      'TargetDeleted',
      `ClusterGeneration ${name} is being deleted: make another generation and another Cutover to it`,
    );
  const expected = cutover.status.generations?.to;
  if (expected && expected.uid !== to.metadata.uid)
    return about(
      'TargetReplaced',
      `ClusterGeneration ${name} is not the one that this cutover began with: it was deleted and made anew`,
    );
  return [];
};

/** Retired is for ever: its machines are being removed. One that was live before comes back by a Rollback. */
const targetMayGoLive: Check = ({ cutover, to, superseded }) => {
  if (!to) return [];
  const name = to.metadata.name;
  const about = (reason: string, message: string) => [objection(`ClusterGeneration ${name}`, reason, message)];
  const { retiredTime, liveTime, reservedBy } = to.status;
  if (retiredTime)
    return about(
      'TargetRetired',
      `ClusterGeneration ${name} was retired at ${retiredTime} and never comes back: make a new generation`,
    );
  const rollback = cutover.spec.mode === 'Rollback';
  // What is kept may be all that is left when the live one is lost.
  const back = rollback || cutover.spec.mode === 'Recovery';
  if (liveTime && !back && !isBegun(cutover))
    return about(
      'TargetWasLive',
      `ClusterGeneration ${name} has been live before: going back to it is a Cutover of mode Rollback`,
    );
  const { retention } = to.status;
  if (back && retention?.noRollback)
    return about(
      'RollbackBarred',
      `ClusterGeneration ${name} cannot become live again: ${retention.noRollback}. Make a new generation of that release that can live with it`,
    );
  const irreversible = superseded && liveTime && !isBegun(cutover) ? irreversibleIn(superseded) : undefined;
  if (irreversible)
    return about(
      'RollbackBarred',
      `ClusterGeneration ${name} cannot become live again: ${barredBy(irreversible).message} (Cutover ${superseded?.metadata.name}). Make a new generation of that release that can live with it`,
    );
  if (!liveTime && rollback)
    return about(
      'TargetNeverLive',
      `ClusterGeneration ${name} never was live, so nothing can be rolled back to it: write mode Planned`,
    );
  const ours = [cutover.metadata.uid, superseded?.metadata.uid];
  if (reservedBy && !ours.includes(reservedBy.uid))
    return about('TargetReserved', `ClusterGeneration ${name} is reserved by Cutover ${reservedBy.name}`);
  return [];
};

const sourceIsThere: Check = ({ cutover, from }) => {
  const name = cutover.spec.from;
  if (name === '' || from || cutover.spec.mode === 'Recovery') return [];
  return [
    objection(
      `ClusterGeneration ${name}`,
      'SourceNotFound',
      `ClusterGeneration ${name}, from which this cutover moves, does not exist: if it is lost, write mode Recovery`,
    ),
  ];
};

/** Two leaders may each have let a cutover begin: the second must not move what the first has left meanwhile. */
const sourceIsLive: Check = ({ cutover, platform, to }) => {
  const live = platform?.status.live;
  if (!platform || (live?.name ?? '') === cutover.spec.from || (live && live.uid === to?.metadata.uid)) return [];
  return [
    objection(
      `Platform ${platform.metadata.name}`,
      'SourceNotLive',
      `${live?.name ?? 'no generation'} is live, and Cutover ${cutover.metadata.name} moves from ${cutover.spec.from || 'none'}: another Cutover was faster. Nothing is moved; ${isBegun(cutover) ? 'abort this one first (spec.abort: true), then ' : ''}make another Cutover from ${live?.name ?? '""'}`,
    ),
  ];
};

/** Going back to a standby that is kept stopped. */
export const isToStopped = ({ cutover, to }: Pick<CutoverInput, 'cutover' | 'to'>): boolean =>
  cutover.spec.mode !== 'Planned' && to?.status.retention?.standby === 'Stopped';

/** The reservation starts it: only then it can be ready. */
const isStoppedStandby = (input: CutoverInput): boolean =>
  isToStopped(input) && input.to?.status.reservedBy?.uid !== input.cutover.metadata.uid;

/** What is in the way as long as machines are not ready, and their pods. */
const UNTIL_READY = ['TargetNotReady', 'NoReadyEndpoints', 'TooFewReadyEndpoints', 'TooFewMachines'];

/** True for what is in the way only until a standby that the reservation has set going is ready: nobody has to do anything. */
export const passes = (input: CutoverInput, { reason }: Objection): boolean =>
  isToStopped(input) && UNTIL_READY.includes(reason);

/** Both fit beside each other: proved by the generation's own proof of capacity, and by its machines being there. */
const targetIsReady: Check = (input) => {
  const { to, members } = input;
  if (!to || isStoppedStandby(input)) return [];
  const name = to.metadata.name;
  const about = (reason: string, message: string) => objection(`ClusterGeneration ${name}`, reason, message);
  const capacity = conditionOf(to, 'CapacityProved');
  const ready = conditionOf(to, 'Ready');
  const current = ready?.observedGeneration === to.metadata.generation;
  return [
    capacity?.status === 'False'
      ? about(capacity.reason, `ClusterGeneration ${name} does not fit beside the live one: ${capacity.message}`)
      : undefined,
    ready?.status === 'True' && current
      ? undefined
      : about(
          'TargetNotReady',
          `ClusterGeneration ${name} is not ready: ${(current && ready?.message) || 'the operator has not looked at it yet'}`,
        ),
    // A condition is what somebody saw a while ago; this is what the cloud and the Nodes show now.
    ...(Array.isArray(members)
      ? [...rolesOf(to)].map(([role, wanted]) => {
          const there = members.filter((member) => member.role === role && member.ready).length;
          return there < wanted
            ? about('TargetNotReady', `role ${role} of ${name} has ${there} of ${wanted} machines ready`)
            : undefined;
        })
      : [about(members.reason, members.message)]),
  ];
};

/** A release that quietly brings fewer machines than are live would fall over with the first full load. */
const rolesAreLargeEnough: Check = ({ cutover, from, to }) => {
  if (!from || !to || cutover.spec.allowSmallerRoles || cutover.spec.mode !== 'Planned') return [];
  const coming = rolesOf(to);
  return [...rolesOf(from)].map(([role, machines]) => {
    const then = coming.get(role) ?? 0;
    if (then >= machines) return undefined;
    return objection(
      `ClusterGeneration ${to.metadata.name}`,
      'RoleTooSmall',
      `role ${role} has ${machines} machines in ${from.metadata.name}, which is live, and only ${then} in ${to.metadata.name}: add machines, or write allowSmallerRoles: true in the Cutover`,
    );
  });
};

const rolesOf = ({ spec }: NonNullable<CutoverInput['to']>): Map<string, number> =>
  spec.pools.reduce((roles, { role, machines }) => roles.set(role, (roles.get(role) ?? 0) + machines), new Map());

/** One Service, or one address, cannot be brought to two places. */
const targetsAreApart: Check = ({ platform }) => {
  const traffic = platform?.spec.traffic ?? [];
  const moved = traffic.flatMap(({ name, service, elasticIPs }) => [
    ...(service ? [{ name, thing: textOf(service) }] : []),
    ...(elasticIPs?.allocationIDs ?? []).map((id) => ({ name, thing: `Elastic IP ${id}` })),
  ]);
  const overlap = (name: string, thing: string, others: typeof moved) => {
    const other = others.findLast((one) => one.thing === thing);
    return (
      other &&
      objection(
        `traffic target ${name}`,
        'TargetsOverlap',
        `traffic targets ${other.name} and ${name} of Platform ${platform?.metadata.name} both have ${thing}: each needs its own`,
      )
    );
  };
  return [
    ...moved.map(({ name, thing }, n) => overlap(name, thing, moved.slice(0, n))),
    ...traffic.map(({ name, preview }) => preview && overlap(name, textOf(preview), moved)),
  ];
};

const textOf = ({ namespace, name }: { namespace: string; name: string }): string => `Service ${namespace}/${name}`;

const targetsCanBeSwitched: Check = (input) => {
  // Without a new generation traffic stays where it is.
  if (input.cutover.spec.to === undefined || isStoppedStandby(input)) return [];
  return input.targets.flatMap(({ target, problem, hold, refused }) =>
    [problem, hold?.problem, refused].map(
      (found) => found && objection(`traffic target ${target}`, found.reason, found.message),
    ),
  );
};

/** Only what cannot go on, and cannot go back either, is taken over by another cutover. */
const supersededMayBe: Check = ({ cutover, superseded }) => {
  const wanted = cutover.spec.supersedes;
  if (!wanted || isBegun(cutover)) return [];
  const about = (reason: string, message: string) => [objection(`Cutover ${wanted.name}`, reason, message)];
  if (!superseded || superseded.metadata.uid !== wanted.uid)
    return about('SupersededNotFound', `spec.supersedes: there is no Cutover ${wanted.name} with UID ${wanted.uid}`);
  const { outcome, undo } = superseded.status;
  if (outcome || !isBegun(superseded) || superseded.spec.platform !== cutover.spec.platform)
    return about(
      'SupersededNotUnderWay',
      `spec.supersedes: Cutover ${wanted.name} ${outcome ? `has ended (${outcome})` : 'is not under way on this platform'}, so there is nothing to take over: leave supersedes out`,
    );
  const bar = conditionOf(superseded, 'RollbackAvailable');
  if (bar?.status !== 'False' || undo)
    return about(
      'SupersededCanGoBack',
      `spec.supersedes: Cutover ${wanted.name} can still be undone: abort it (spec.abort: true) and make another one`,
    );
  const changed = changedMigration(cutover, superseded);
  return changed
    ? about(
        'MigrationChanged',
        `Cutover ${wanted.name} has begun a migration ${changed}, and spec.migrations has another one of that name: in its place nobody would know any more that the first has run. Make another Cutover, where it has a name of its own`,
      )
    : [];
};

/** One that has changed something, or may have, and is not the same work in both: the journal has room for one of a name. */
const changedMigration = ({ spec }: CutoverInput['cutover'], { status }: CutoverInput['cutover']): string | undefined =>
  status.migrations?.find(
    ({ name, hash, state }) =>
      state !== 'Failed' &&
      state !== 'Undone' &&
      (spec.migrations ?? []).some((own) => own.name === name && hashOf(own.jobTemplate) !== hash),
  )?.name;

/** Traffic would be held until Quiesce gives up on a copy that nobody can see the end of. */
const tasksCanEnd: Check = (input) => {
  const { cutover, platform, tasks } = input;
  if (!platform || isPressing(input)) return [];
  const roles = endedFirst(cutover, platform);
  return tasks.map(({ role, unreachable }) =>
    unreachable !== undefined && roles.includes(role)
      ? objection(
          `role ${role}`,
          'TaskUnreachable',
          `role ${role} is ended before the cutover goes on, and ${unreachable}`,
        )
      : undefined,
  );
};

/** Found out while traffic is held, a mistake in a template would be an outage. */
const jobsCanRun: Check = (input) => {
  const problem = objectionToJobs(input);
  return [problem && objection(`Cutover ${input.cutover.metadata.name}`, problem.reason, problem.message)];
};

/** Nothing is moved that is not known to be protected. What is lost already is not waited for. */
const guardWorks: Check = ({ cutover, platform, now, scaled }) => {
  const trouble = platform && cutover.spec.mode !== 'Recovery' && guardTrouble(platform, { now, scaled });
  return [trouble ? objection(`Platform ${platform.metadata.name}`, 'GuardNotEffective', trouble) : undefined];
};

/** In the order in which people would want to hear of them: the first is what the cutover is Blocked by. */
const CHECKS: Check[] = [
  platformIsThere,
  targetIsThere,
  targetMayGoLive,
  sourceIsThere,
  sourceIsLive,
  supersededMayBe,
  targetIsReady,
  rolesAreLargeEnough,
  targetsAreApart,
  targetsCanBeSwitched,
  tasksCanEnd,
  jobsCanRun,
  guardWorks,
];

/** Everything in the way, most important first. Asked again once the generation is reserved. */
export const objectionsTo = (input: CutoverInput): Objection[] =>
  CHECKS.flatMap((check) => check(input)).filter((found) => found !== undefined);
