import type { Failure, GenerationPool } from '../../api/v1alpha1/index.ts';
import { kstatus, timestamp, type Verdict } from '../../domain/conditions.ts';
import { STANDBY } from '../../domain/standby.ts';
import type { Members } from './census.ts';
import type { PoolInput } from './input.ts';
import type { PowerPlan } from './power.ts';

/** What a pool's status says of it: its failures and conditions. */

/** The failures that still matter: of a pool that goes, those of its going. */
export function failuresOf({ pool, generation }: PoolInput): Failure[] {
  const leavingSince = pool.metadata.deletionTimestamp ?? generation?.status.retiredTime;
  const failures = pool.status.failures ?? [];
  return leavingSince ? failures.filter(({ since }) => Date.parse(since) >= Date.parse(leavingSince)) : failures;
}

/**
 * The failures after this look: those of registering are counted anew, all others go when everything is as it should be.
 *
 * @param late ids of machines that have not registered in time
 */
export function failuresNow(pool: GenerationPool, late: readonly string[], complete: boolean, now: number): Failure[] {
  const others = (pool.status.failures ?? []).filter(({ reason }) => reason !== 'RegistrationTimeout');
  if (late.length === 0) return complete ? [] : others;
  const before = pool.status.failures?.find(({ reason }) => reason === 'RegistrationTimeout');
  return [
    ...others,
    {
      reason: 'RegistrationTimeout',
      message: `${late.length} machines run at the cloud and have not registered a Node: ${late.slice(0, 10).join(', ')}. Look at their console output, user data and security groups`,
      count: late.length,
      since: before?.since ?? timestamp(now),
    },
  ];
}

interface Facts {
  wanted: number;
  launched: number;
  members: Members;
  power: PowerPlan;
  failures: readonly Failure[];
}

/** The conditions of a pool. */
export function verdicts(input: PoolInput, facts: Facts): Verdict[] {
  const { pool, generation, standstill, revived } = input;
  const { wanted, launched, members, power, failures } = facts;
  const failure = failures[0];
  if (pool.metadata.deletionTimestamp) {
    const left = `${launched} machines are still to be removed`;
    if (standstill.end) return frozen(`${left}: ${standstill.end}`);
    const [reason, message] = failure ? [failure.reason, `${left}: ${failure.message}`] : ['Deleting', left];
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
  return [
    launched >= wanted
      ? { type: 'Launched', status: true, reason: 'AllLaunched', message: `${launched} machines exist` }
      : { type: 'Launched', status: false, reason, message },
    ready
      ? { type: 'Ready', status: true, reason: 'AllReady', message: `${members.ready} machines are ready` }
      : { type: 'Ready', status: false, reason, message },
    ...kstatus(ready ? 'Current' : 'Reconciling', reason, message),
  ];
}

/** A stopped standby is as it should be, and so is one on its way there: nothing that anybody waits for is missing. */
function standbyVerdicts({ pool, standstill }: PoolInput, { launched, power, failures }: Facts): Verdict[] {
  const stopped = power.stop.length === 0 && power.changing === 0 && power.finishing === 0;
  const reason = stopped ? STANDBY.stopped : STANDBY.stopping;
  const lost = pool.spec.machines - launched;
  const trouble = failures[0]?.message ?? (power.stop.length > 0 ? standstill.end : undefined);
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
