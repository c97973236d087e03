import { LABEL } from '../../../src/api/v1alpha1/index.ts';
import type { Call, MachineRecord } from '../../../src/simulator/state/ledger.ts';
import type { Look } from '../websites.ts';

/** Arithmetic over the cloud's ledger. Pure; times are real ms since the epoch. */

export const machinesOf = (records: ReadonlyArray<MachineRecord>, generation: string): MachineRecord[] =>
  records.filter(({ tags }) => tags[LABEL.generation] === generation);

export const ofRole = (records: ReadonlyArray<MachineRecord>, role: string): MachineRecord[] =>
  records.filter(({ tags }) => tags[LABEL.role] === role);

/** When a machine was first asked to stop or terminate, whoever asked; Infinity while nobody has. */
export const endOf = ({ stopped, terminated }: MachineRecord): number =>
  Math.min(timeOf(stopped, Number.POSITIVE_INFINITY), timeOf(terminated, Number.POSITIVE_INFINITY));

/** The most machines that existed at one time, from the request for each to the request to terminate it. */
export function mostAtOnce(records: ReadonlyArray<MachineRecord>): number {
  const changes = records.flatMap((record) => [
    { at: timeOf(record.launched, 0), by: 1 },
    { at: timeOf(record.terminated, Number.POSITIVE_INFINITY), by: -1 },
  ]);
  let now = 0;
  let most = 0;
  // One that ends as another begins counts beside it: the stricter reading.
  for (const { by } of changes.toSorted((a, b) => a.at - b.at || b.by - a.by)) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}

/** The most machines that were asked to end within any span of `ms` real ms. */
export function mostEndedWithin(records: ReadonlyArray<MachineRecord>, ms: number): number {
  const ends = records.map(endOf);
  return Math.max(0, ...ends.map((from) => ends.filter((end) => end >= from && end < from + ms).length));
}

/** When a machine was at work: from the registration of its Node until it was stopped, terminated or removed. */
const spanOf = (record: MachineRecord) => ({
  begin: timeOf(record.nodeRegistered, Number.POSITIVE_INFINITY),
  end: Math.min(endOf(record), timeOf(record.nodeRemoved, Number.POSITIVE_INFINITY)),
});

const covers = ({ begin, end }: ReturnType<typeof spanOf>, moment: number): boolean => begin <= moment && end > moment;

/** The fewest machines that were at work at one time in a span. */
export function fewestAtWork(records: ReadonlyArray<MachineRecord>, from: number, until: number): number {
  const spans = records.map(spanOf);
  const moments = [from, ...spans.map(({ end }) => end).filter((end) => end >= from && end <= until)];
  return Math.min(...moments.map((moment) => spans.filter((span) => covers(span, moment)).length));
}

/** For each look, how many of the ready endpoints were on a machine at work: a pod stays Ready for a while after its machine. */
export function endpointsAtWork(looks: ReadonlyArray<Look>, records: ReadonlyArray<MachineRecord>): number[] {
  const byNode = Map.groupBy(records, ({ nodeName }) => nodeName ?? '');
  return looks.map(
    ({ at, nodes }) => nodes.filter((node) => byNode.get(node)?.some((record) => covers(spanOf(record), at))).length,
  );
}

/** Requests of a caller that the cloud refused for their rate, by operation. */
export function throttledOf(calls: ReadonlyArray<Call>, caller: string, from = 0): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const call of calls)
    if (call.caller === caller && call.throttled !== undefined && timeOf(call.time, 0) >= from)
      counts[call.operation] = (counts[call.operation] ?? 0) + 1;
  return counts;
}

/** Machines that calls in a span asked for a generation, refused calls included. */
export const launchesFor = (calls: ReadonlyArray<Call>, generation: string, from: number, until: number): number =>
  calls.filter(
    ({ operation, parameters, time }) =>
      operation === 'RunInstances' &&
      parameters.tags?.[LABEL.generation] === generation &&
      timeOf(time, 0) >= from &&
      timeOf(time, 0) < until,
  ).length;

export const timeOf = (text: string | undefined, otherwise: number): number =>
  text === undefined ? otherwise : Date.parse(text);
