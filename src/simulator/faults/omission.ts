import type { FaultSpec } from '../scenario/fault.ts';
import { type Answer, isAnswer } from '../wire/xml.ts';

/** Answers that are not whole, though nothing says so: HTTP 200, and less in them than there is. */

/** The answer without what faults leave out of its lists. Machines count one by one, whatever reservation they are of. */
export function omitting(answer: Answer, faults: readonly FaultSpec[]): Answer {
  const share = Math.max(0, ...faults.map(({ effect }) => effect.omits ?? 0));
  if (share === 0) return answer;
  return Object.fromEntries(
    Object.entries(answer).map(([name, value]) => {
      if (!Array.isArray(value)) return [name, value];
      return [name, name === 'reservationSet' ? lessOfEach(value.filter(isAnswer), share) : less(value, share)];
    }),
  );
}

const less = <T>(items: readonly T[], share: number): T[] => items.slice(Math.ceil(items.length * share));

function lessOfEach(reservations: readonly Answer[], share: number): Answer[] {
  const all = reservations.flatMap((reservation) => instancesOf(reservation));
  const left = new Set(less(all, share));
  return reservations
    .map((reservation) => ({ ...reservation, instancesSet: instancesOf(reservation).filter((one) => left.has(one)) }))
    .filter(({ instancesSet }) => instancesSet.length > 0);
}

const instancesOf = ({ instancesSet }: Answer): Answer[] =>
  Array.isArray(instancesSet) ? instancesSet.filter(isAnswer) : [];
