import type { FailureReason, GenerationPool, Refusal } from '../api/v1alpha1/index.ts';
import { timestamp } from './conditions.ts';
import type { Moment } from './moment.ts';

/**
 * Subnets in which a cloud would not launch machines of a pool: they are left out for a while, and longer each time. What
 * lacks there is placed elsewhere; where there is no other place it is asked for again when the time is over.
 */

/** First and longest time for which a subnet is left out, in declared ms, by what was refused. */
const LEFT_OUT: Partial<Record<FailureReason, [first: number, longest: number]>> = {
  AddressesExhausted: [15_000, 300_000],
  CapacityUnavailable: [15_000, 300_000],
  // What a zone offers changes in months; but whether it was the zone is the cloud's word only.
  SubnetUnsuitable: [300_000, 3_600_000],
};

/** Whether a failure holds back its subnet alone: launches elsewhere need not wait for it. */
export const isOfSubnet = ({ reason }: { reason: FailureReason }): boolean => LEFT_OUT[reason] !== undefined;

/** The refusals of a pool with one more. What would be refused in any subnet is no subnet's. */
export function withRefusal(
  refusals: readonly Refusal[] | undefined,
  { subnet, reason, message }: Pick<Refusal, 'subnet' | 'reason' | 'message'>,
  { now, scaled }: Moment,
): Refusal[] {
  const times = LEFT_OUT[reason];
  if (!times) return [...(refusals ?? [])];
  const [first, longest] = times;
  const before = refusals?.find((refusal) => refusal.subnet === subnet && refusal.reason === reason);
  const count = (before?.count ?? 0) + 1;
  const wait = scaled(Math.min(longest, first * 2 ** (count - 1)));
  const refusal: Refusal = {
    subnet,
    reason,
    message: message.slice(0, 1024),
    count,
    since: before?.since ?? timestamp(now),
    retryTime: timestamp(now + wait),
  };
  return [...withoutRefusal(refusals, subnet), refusal];
}

/** The same once machines have come in a subnet. */
export const withoutRefusal = (refusals: readonly Refusal[] | undefined, subnet: string): Refusal[] =>
  (refusals ?? []).filter((refusal) => refusal.subnet !== subnet);

/** Refusals that still count, in the order in which their subnets are to be tried again. */
export const refusalsNow = ({ status }: Pick<GenerationPool, 'status'>, now: number): Refusal[] =>
  (status.refusals ?? [])
    .filter(({ retryTime }) => Date.parse(retryTime) > now)
    .toSorted((a, b) => Date.parse(a.retryTime) - Date.parse(b.retryTime) || a.subnet.localeCompare(b.subnet));
