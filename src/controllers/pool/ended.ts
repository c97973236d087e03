import type { Failure, GenerationPool } from '../../api/v1alpha1/index.ts';
import { isCause } from '../../domain/failures.ts';
import type { Moment } from '../../domain/moment.ts';
import type { Machine } from '../../providers/provider.ts';
import type { Instance } from './accounting.ts';
import type { PoolInput } from './input.ts';
import { failedAgain } from './launching.ts';

/**
 * Machines that end soon after their launch: a disk whose key may not be used, an image that halts. That a launch was
 * accepted proves nothing, so that such an end counts as a refusal does; once it has registered, only when that happens again.
 * A machine that is lost later is replaced at once.
 */

/** A machine that lives this long after its launch has proved that launches work. Declared ms. */
const PROVED = 10 * 60_000;

/** EC2 knows launch times to the second. Real ms. */
const LAUNCH_TIME_PRECISION = 1_000;

/** Machines named in a message. */
const NAMED = 10;

export interface EarlyEnd {
  machine: Machine;
  /** Its Node had been seen: the launch had worked, so that such an end must happen twice to say something. */
  registered: boolean;
}

/** Machines that the pool counted before this look, and that it shows as ended too soon after their launch. */
export function endedEarly({ pool, now, scaled }: PoolInput, machines: readonly Machine[]): EarlyEnd[] {
  const counted = new Map((pool.status.instances ?? []).map((instance) => [instance.id, instance]));
  return machines.flatMap((machine) => {
    const instance = counted.get(machine.id);
    const ended = machine.state === 'shutting-down' || machine.state === 'terminated';
    if (!instance || !ended || now - machine.launchTime >= scaled(PROVED)) return [];
    return [{ machine, registered: instance.registeredTime !== undefined }];
  });
}

/**
 * The failures of a pool after this look: with the machines that ended early, if any, and without those of a time that is over.
 * Of one attempt several machines may end, one after the other: the wait grows with attempts, not with machines.
 */
export function withEnded(
  failures: readonly Failure[],
  early: readonly EarlyEnd[],
  instances: readonly Instance[],
  { now, scaled }: Moment,
): Failure[] {
  const before = failures.find(({ reason }) => reason === 'EndedEarly');
  const attempt = Date.parse(before?.retryTime ?? '');
  if (early.length === 0) {
    const young = instances.some(({ time }) => now - Date.parse(time) < scaled(PROVED));
    const over = !young && now - attempt > scaled(PROVED);
    return over ? failures.filter((failure) => failure !== before) : [...failures];
  }
  const sameAttempt = early.every(({ machine }) => machine.launchTime + LAUNCH_TIME_PRECISION < attempt);
  const atOnce = before === undefined && early.every(({ registered }) => registered);
  const failure = { reason: 'EndedEarly' as const, message: messageOf(early.map(({ machine }) => machine)) };
  return failedAgain(failures, failure, { now, scaled, sameAttempt, atOnce });
}

/** What a pool says of machines that ended early, in the cloud's words. */
function messageOf(early: readonly Machine[]): string {
  const named = early.slice(0, NAMED).map(({ id }) => id);
  const words = new Set(
    early.map(({ ended }) => (ended ? `${ended.code}: ${ended.message}` : 'the cloud does not say why')),
  );
  const many = early.length === 1 ? '1 machine' : `${early.length} machines`;
  return (
    `${many} ended soon after launch (${named.join(', ')}): ${[...words].slice(0, 3).join('; ')}. Look at the launch template: ` +
    'its image, its disks, and whether the key of its disks may be used. It is tried again, more slowly each time'
  );
}

/** What is new in a pool's failures by machines that ended early, for an event. */
export function newlyEnded(before: GenerationPool, after: GenerationPool): string | undefined {
  const [was, is] = [before, after].map(({ status }) => status.failures?.find(({ reason }) => reason === 'EndedEarly'));
  return is && isCause(is) && (was?.message !== is.message || was.count !== is.count) ? is.message : undefined;
}
