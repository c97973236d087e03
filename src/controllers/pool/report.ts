import type { Failure } from '../../api/v1alpha1/index.ts';
import { kstatus, timestamp, type Verdict } from '../../domain/conditions.ts';
import { isCause } from '../../domain/failures.ts';
import { STANDBY } from '../../domain/standby.ts';
import type { Members } from './census.ts';
import type { PoolInput } from './input.ts';
import { isObserved } from './launching.ts';
import type { PowerPlan } from './power.ts';
import type { Refusal } from './refusal.ts';

/** What a pool's status says of it: its failures and conditions. */

/** The failures that still matter: of a pool that goes, those of its going. */
export function failuresOf({ pool, generation }: PoolInput): Failure[] {
  const leavingSince = pool.metadata.deletionTimestamp ?? generation?.status.retiredTime;
  const failures = pool.status.failures ?? [];
  return leavingSince ? failures.filter(({ since }) => Date.parse(since) >= Date.parse(leavingSince)) : failures;
}

/** Failures that each look at the Nodes finds anew; all others are of what the cloud was asked for. */
const BY_NODES = {
  RegistrationTimeout: (ids: string) =>
    `machines run at the cloud and have not registered a Node: ${ids}. Look at their console output, user data and security groups`,
  NodeLost: (ids: string) =>
    `machines run at the cloud, had registered, and their Nodes are gone: ${ids}. Nothing is ended because of that. A kubelet makes its Node only when it starts: restart it on these machines`,
} as const;

const isOfNodes = ({ reason }: Pick<Failure, 'reason'>): boolean => Object.hasOwn(BY_NODES, reason);

/**
 * The failures after this look: those of Nodes are counted anew. All others go when everything is as it should be, but for machines
 * that ended early: those that are there now may do the same.
 *
 * @param present failures as they stand, with what this look shows of machines that ended
 */
export function failuresNow(
  present: readonly Failure[],
  { late, lost }: Pick<Members, 'late' | 'lost'>,
  complete: boolean,
  now: number,
): Failure[] {
  const found = (reason: keyof typeof BY_NODES, ids: readonly string[]): Failure[] => {
    if (ids.length === 0) return [];
    const before = present.find((failure) => failure.reason === reason);
    const message = `${ids.length} ${BY_NODES[reason](ids.slice(0, 10).join(', '))}`;
    return [{ reason, message, count: ids.length, since: before?.since ?? timestamp(now) }];
  };
  const nodes = [...found('RegistrationTimeout', late), ...found('NodeLost', lost)];
  const others = present.filter((failure) => !isOfNodes(failure));
  return [...(complete && nodes.length === 0 ? others.filter(isObserved) : others), ...nodes];
}

interface Facts {
  wanted: number;
  launched: number;
  members: Members;
  power: PowerPlan;
  failures: readonly Failure[];
  /** What keeps its machines from being removed or stopped. */
  refusal: Refusal | undefined;
}

/** Reason of a pool's condition while the interlock keeps its machines. */
const REFUSED = 'Refused';

/** The conditions of a pool. */
export function verdicts(input: PoolInput, facts: Facts): Verdict[] {
  const { pool, generation, standstill, revived } = input;
  const { wanted, launched, members, power, failures, refusal } = facts;
  const failure = failures.find(isCause);
  if (pool.metadata.deletionTimestamp) {
    const left = `${launched} machines are still to be removed`;
    if (standstill.end) return frozen(`${left}: ${standstill.end}`);
    const [reason, message] = refusal
      ? [REFUSED, `${left}: ${refusal.reason}`]
      : failure
        ? [failure.reason, `${left}: ${failure.message}`]
        : ['Deleting', left];
    return [{ type: 'Ready', status: false, reason, message }, ...kstatus('Reconciling', reason, message)];
  }
  if (power.standby) return standbyVerdicts(input, facts);
  if (standstill.launch && (launched < wanted || power.off > 0)) return frozen(standstill.launch);
  const counts = `${launched} of ${wanted} machines launched, ${members.ready} ready`;
  const unprotected = revived.bare.length + revived.unknown;
  const starting = power.off > 0 || generation?.status.retention?.standby === 'Stopped';
  const [cause, about] =
    launched < wanted
      ? ['Launching', counts]
      : members.ready >= wanted && unprotected > 0
        ? ['Protecting', `${counts}; ${unprotected} of them were stopped and are to be protected again`]
        : starting
          ? [STANDBY.starting, `${counts}; ${power.off} of them are still off`]
          : ['WaitingForNodes', counts];
  const reason = failure?.reason ?? cause;
  const message = failure?.message ?? about;
  const ready = members.ready >= wanted && unprotected === 0;
  const kept = refusal ? `; what is too much is kept: ${refusal.reason}` : '';
  return [
    launched >= wanted
      ? { type: 'Launched', status: true, reason: 'AllLaunched', message: `${launched} machines exist` }
      : { type: 'Launched', status: false, reason, message },
    ready
      ? { type: 'Ready', status: true, reason: 'AllReady', message: `${members.ready} machines are ready${kept}` }
      : { type: 'Ready', status: false, reason, message },
    ...kstatus(ready ? 'Current' : 'Reconciling', reason, message),
  ];
}

/** A stopped standby is as it should be, and so is one on its way there: nothing that anybody waits for is missing. */
function standbyVerdicts({ pool, standstill }: PoolInput, { launched, power, failures, refusal }: Facts): Verdict[] {
  const stopped = power.stop.length === 0 && power.changing === 0 && power.finishing === 0;
  const reason = stopped ? STANDBY.stopped : STANDBY.stopping;
  const lost = pool.spec.machines - launched;
  const trouble = refusal?.reason ?? failures[0]?.message ?? (power.stop.length > 0 ? standstill.end : undefined);
  const message = [
    `${power.off} of ${launched} machines are stopped and kept for a rollback`,
    ...(power.finishing > 0 ? [`${power.finishing} run until the Jobs on them have ended`] : []),
    ...(lost > 0 ? [`${lost} more would have to be launched`] : []),
    ...(trouble ? [trouble] : []),
  ].join('; ');
  return [
    { type: 'Launched', status: lost <= 0, reason, message },
    { type: 'Ready', status: true, reason, message },
    ...kstatus('Current', reason, message),
  ];
}

const frozen = (message: string): Verdict[] => [
  { type: 'Ready', status: false, reason: 'Frozen', message },
  ...kstatus('Stalled', 'Frozen', message),
];
