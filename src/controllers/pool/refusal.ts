import type { GenerationPoolStatus } from '../../api/v1alpha1/index.ts';
import { timestamp } from '../../domain/conditions.ts';
import { objectionToRemoval, objectionToStop } from '../../domain/removal.ts';
import type { PoolInput } from './input.ts';

/**
 * What the interlock refuses a pool. While the caches say that it would refuse, it is not asked. When it refuses all the same, by what it
 * reads live or sees at the cloud, it is asked again with growing delay. Either way the reason stands in the pool's status.
 */
export type Refusal = NonNullable<GenerationPoolStatus['refusal']>;

/** Declared ms before the interlock is asked again: at first, and at most. */
const FIRST = 5_000;
const LONGEST = 300_000;

/** Longest reason that the status takes, characters. */
const REASON_LENGTH = 1024;

/** The refusal that stands in the way of an act now, or is to be tried again; undefined when there is none. */
export function refusalOf(input: PoolInput, act: 'Terminate' | 'Stop' | undefined): Refusal | undefined {
  const { pool, generation, platform, now } = input;
  const before = pool.status.refusal;
  if (act === undefined) return undefined;
  const objection = generation && (act === 'Stop' ? objectionToStop : objectionToRemoval)(generation, platform, input);
  if (objection !== undefined) return { ...because(before, objection, now), tries: 0 };
  return before?.retryTime === undefined ? undefined : before;
}

/** Whether the interlock is not to be asked yet. */
export const stands = (refusal: Refusal | undefined, now: number): boolean =>
  refusal !== undefined && untilRetry(refusal, now) > 0;

/** Real ms until the interlock may be asked again; Infinity while the caches say that it would refuse. */
export const untilRetry = ({ retryTime }: Refusal, now: number): number =>
  retryTime === undefined ? Number.POSITIVE_INFINITY : Date.parse(retryTime) - now;

/**
 * What the interlock has just refused: to be asked again twice as late as the last time.
 *
 * @param progressed it has done a part, so that the rest is not to wait for long
 */
export function refusedNow(
  before: Refusal | undefined,
  reason: string,
  { now, scaled, progressed }: { now: number; scaled(ms: number): number; progressed: boolean },
): Refusal {
  const tries = progressed ? 1 : (before?.tries ?? 0) + 1;
  const wait = scaled(Math.min(LONGEST, FIRST * 2 ** Math.min(tries - 1, 30)));
  return { ...because(before, reason, now), tries, retryTime: timestamp(now + wait) };
}

/** One reason, and since when it is given. */
function because(before: Refusal | undefined, reason: string, now: number): Pick<Refusal, 'reason' | 'since'> {
  const short = reason.slice(0, REASON_LENGTH);
  return { reason: short, since: before?.reason === short ? before.since : timestamp(now) };
}
