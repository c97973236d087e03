import type { Failure, GenerationPool } from '../../api/v1alpha1/index.ts';
import { kstatus, timestamp, type Verdict } from '../../domain/conditions.ts';
import type { Members } from './census.ts';
import type { PoolInput } from './input.ts';

/** What a pool's status says of it: its failures and conditions. */

/** The failures that still matter: of a pool that goes, those of its going. */
export function failuresOf({ pool, generation }: PoolInput): Failure[] {
  const leavingSince = pool.metadata.deletionTimestamp ?? generation?.status.retiredTime;
  const failures = pool.status.failures ?? [];
  return leavingSince ? failures.filter(({ since }) => Date.parse(since) >= Date.parse(leavingSince)) : failures;
}

/** The failures after this look: those of registering are counted anew, those of launching go when all is ready. */
export function failuresNow(pool: GenerationPool, members: Members, launching: number, now: number): Failure[] {
  const others = (pool.status.failures ?? []).filter(({ reason }) => reason !== 'RegistrationTimeout');
  const complete = launching === 0 && members.ready >= pool.spec.machines;
  if (members.late.length === 0) return complete ? [] : others;
  const before = pool.status.failures?.find(({ reason }) => reason === 'RegistrationTimeout');
  return [
    ...others,
    {
      reason: 'RegistrationTimeout',
      message: `${members.late.length} machines run at the cloud and have not registered a Node: ${members.late.slice(0, 10).join(', ')}. Look at their console output, user data and security groups`,
      count: members.late.length,
      since: before?.since ?? timestamp(now),
    },
  ];
}

/** The conditions of a pool. */
export function verdicts(
  { pool, standstill }: PoolInput,
  wanted: number,
  launched: number,
  members: Members,
  failures: readonly Failure[],
): Verdict[] {
  const failure = failures[0];
  if (pool.metadata.deletionTimestamp) {
    const left = `${launched} machines are still to be removed`;
    if (standstill.end) return frozen(`${left}: ${standstill.end}`);
    const [reason, message] = failure ? [failure.reason, `${left}: ${failure.message}`] : ['Deleting', left];
    return [{ type: 'Ready', status: false, reason, message }, ...kstatus('Reconciling', reason, message)];
  }
  if (standstill.launch && launched < wanted) return frozen(standstill.launch);
  const reason = failure?.reason ?? (launched < wanted ? 'Launching' : 'WaitingForNodes');
  const message = failure?.message ?? `${launched} of ${wanted} machines launched, ${members.ready} ready`;
  const ready = members.ready >= wanted;
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

const frozen = (message: string): Verdict[] => [
  { type: 'Ready', status: false, reason: 'Frozen', message },
  ...kstatus('Stalled', 'Frozen', message),
];
