import type { Failure, FailureReason, GenerationPool, GenerationPoolStatus, Launch } from '../../api/v1alpha1/index.ts';
import { timestamp } from '../../domain/conditions.ts';
import type { Moment } from '../../domain/moment.ts';
import { refusalsNow } from '../../domain/refusals.ts';
import type { ProviderError } from '../../providers/provider.ts';

/** Most machines asked for in one request: a batch fails as a whole where a single one would have come. */
const LARGEST_BATCH = 100;

/** First and longest wait after a refusal, in declared ms, by what was refused. */
const WAITS: Record<FailureReason, [first: number, longest: number]> = {
  Throttled: [1_000, 30_000],
  AddressesExhausted: [15_000, 300_000],
  CapacityUnavailable: [15_000, 300_000],
  SubnetUnsuitable: [15_000, 300_000],
  QuotaExceeded: [30_000, 300_000],
  Unauthorized: [30_000, 300_000],
  InvalidTemplate: [60_000, 600_000],
  RegistrationTimeout: [60_000, 600_000],
  NodeLost: [60_000, 600_000],
  AnotherAccount: [30_000, 300_000],
  EndedEarly: [30_000, 300_000],
  Unknown: [2_000, 60_000],
};

/**
 * A request may be on its way for so long in real time, however fast a drill runs: three times what the cloud's client waits for an
 * answer. No launch is given up before. Real ms.
 */
export const IN_FLIGHT = 15_000;

type Instances = NonNullable<GenerationPoolStatus['instances']>;

/** Launches that the journal holds at once: bounds the status, the rest follows in the next round. */
const JOURNAL_LENGTH = 64;

/**
 * The launches to ask for now: those in the journal again, with their tokens, until each has an answer; only then new
 * ones, for what each subnet lacks that is not left out. While one is unanswered nothing is added, so that machines never exceed desired.
 *
 * @param affordable machines that the account's API budget allows in one request now; with 0 nothing new is asked for
 */
export function launchesFor(pool: GenerationPool, instances: Instances, affordable: number, now: number): Launch[] {
  const journal = pool.status.launches ?? [];
  if (journal.length > 0 || affordable < 1) return journal;
  const batch = Math.min(LARGEST_BATCH, affordable);
  const launches: Launch[] = [];
  const leftOut = new Set(refusalsNow(pool, now).map(({ subnet }) => subnet));
  let free = pool.spec.machines - instances.length;
  for (const { subnet, machines } of pool.spec.placement) {
    let lacking = Math.min(free, machines - instances.filter((instance) => instance.subnet === subnet).length);
    free -= Math.max(0, lacking);
    if (leftOut.has(subnet)) continue;
    for (; lacking > 0; lacking -= batch)
      launches.push({
        token: `${pool.metadata.uid}-${(pool.status.launchCount ?? 0) + launches.length}`,
        subnet,
        machines: Math.min(batch, lacking),
        time: timestamp(now),
      });
  }
  return launches.slice(0, JOURNAL_LENGTH);
}

/** The failures of a pool with what the cloud has refused, or left unanswered; `scaled` turns declared ms into real ms. */
export const withFailure = (
  failures: readonly Failure[] | undefined,
  error: ProviderError,
  now: number,
  scaled: (ms: number) => number,
): Failure[] => failedAgain(failures ?? [], error, { now, scaled });

/**
 * The failures of a pool with one more: counted, with the time of the next attempt, twice as far away each time.
 *
 * @param about `sameAttempt`: this one belongs to an attempt that has been counted; `atOnce`: the next one need not wait
 */
export function failedAgain(
  failures: readonly Failure[],
  { reason, message, retryAfter = 0 }: Pick<ProviderError, 'reason' | 'message'> & { retryAfter?: number | undefined },
  about: Moment & { sameAttempt?: boolean; atOnce?: boolean },
): Failure[] {
  const { now, scaled, sameAttempt, atOnce } = about;
  const before = failures.find((failure) => failure.reason === reason);
  const [first, longest] = WAITS[reason];
  const count = sameAttempt && before ? before.count : (before?.count ?? 0) + 1;
  const waiting = sameAttempt && before ? waitFor([before], now) : 0;
  const wait = atOnce ? 0 : waiting || Math.max(retryAfter, scaled(Math.min(longest, first * 2 ** (count - 1))));
  const failure: Failure = {
    reason,
    message: message.slice(0, 1024),
    count,
    since: before?.since ?? timestamp(now),
    retryTime: timestamp(now + wait),
  };
  return [...failures.filter((one) => one.reason !== reason), failure];
}

/** What is observed of machines after their launch: that another launch, or a start, is accepted says nothing about it. */
const OBSERVED: FailureReason[] = ['RegistrationTimeout', 'NodeLost', 'EndedEarly'];

export const isObserved = ({ reason }: Failure): boolean => OBSERVED.includes(reason);

/** Real ms until the next attempt may be made; 0 when nothing holds it back. */
export function waitFor(failures: readonly Failure[] | undefined, now: number): number {
  const times = (failures ?? []).flatMap(({ retryTime }) => (retryTime ? [Date.parse(retryTime)] : []));
  return Math.max(0, ...times.map((time) => time - now));
}
