import { type Cutover, MOST_HOLDS, type Platform } from '../../api/v1alpha1/index.ts';
import { formatDuration } from '../../domain/duration.ts';
import { entryOf, hasBegun } from './journal.ts';

type Downtime = NonNullable<Cutover['status']['downtime']>[number];
type Stop = NonNullable<Downtime['stops']>[number];

/**
 * How long each role was not served, real time, as far as that has ended: the sum of its holds, without what was served in
 * between. Its traffic: while any target of it was held, from before its first move until it was seen to serve again; what
 * two targets were held at once counts once. Its singletons: where all are stopped first, from when they were told to end;
 * where each moves on its own, from the beginning of Restore; until Restore was done, or Quiesce undone. Those that move on
 * their own go back on their own as well, after the cutover has ended: that is not measured.
 */
export function downtimeOf(cutover: Cutover, platform: Platform | undefined): Pick<Cutover['status'], 'downtime'> {
  const downtime = (platform?.spec.roles ?? []).flatMap((role): Downtime[] => {
    const traffic = trafficOf(cutover, role.name);
    const stops = role.handover === 'Singleton' ? stopsOf(cutover, platform, role) : [];
    if (traffic === undefined && stops.length === 0) return [];
    const singletons = lengthOf(stops.map(({ stoppedTime, startedTime }) => [stoppedTime, startedTime]));
    return [
      {
        role: role.name,
        ...(traffic && { traffic }),
        ...(singletons && { singletons }),
        ...(stops.length > 0 && { stops }),
      },
    ];
  });
  return downtime.length > 0 ? { downtime } : {};
}

function trafficOf({ status }: Cutover, role: string): string | undefined {
  const targets = (status.plan?.switches ?? []).filter((entry) => entry.role === role).map(({ target }) => target);
  const held = (status.switches ?? []).filter(({ target, heldTime }) => heldTime && targets.includes(target));
  return lengthOf(
    held
      .flatMap(({ earlierHolds = [], heldTime = '', servedTime }) => [...earlierHolds, { heldTime, servedTime }])
      .map(({ heldTime, servedTime }) => [heldTime, servedTime]),
  );
}

/** Written down as they are seen: a step that is undone has lost when it was done, and the platform who stopped what. */
function stopsOf(cutover: Cutover, platform: Platform | undefined, role: Platform['spec']['roles'][number]): Stop[] {
  const stops = cutover.status.downtime?.find((entry) => entry.role === role.name)?.stops ?? [];
  const last = stops.at(-1);
  const open = last && !last.startedTime ? last : undefined;
  const begun =
    toldToEnd(cutover, platform, role.name) ?? (role.quiesce === 'AllFirst' ? undefined : beginOfRestore(cutover));
  const isNew =
    begun !== undefined &&
    stops.every(({ stoppedTime, startedTime }) => startedTime && startedTime <= begun && stoppedTime < begun);
  const stop = isNew ? { stoppedTime: begun } : open;
  if (!stop) return stops;
  const startedTime = startedAgain(cutover, stop);
  return [...(open ? stops.slice(0, -1) : stops), { ...stop, ...(startedTime && { startedTime }) }].slice(-MOST_HOLDS);
}

/** When the singletons of a role were told to end, by this cutover or by the one that it has taken over. */
function toldToEnd(cutover: Cutover, platform: Platform | undefined, role: string): string | undefined {
  const { quiesced } = platform?.status ?? {};
  const by = [cutover.metadata.uid, entryOf(cutover, 'Quiesce') && cutover.spec.supersedes?.uid];
  return quiesced?.stop.includes(role) && by.includes(quiesced.cutover.uid) ? quiesced.time : undefined;
}

const beginOfRestore = (cutover: Cutover): string | undefined =>
  hasBegun(cutover, 'Restore') ? entryOf(cutover, 'Restore')?.startTime : undefined;

/** When all had started; or, of those that were stopped while it goes back, when they were let start again. */
function startedAgain(cutover: Cutover, { stoppedTime }: Stop): string | undefined {
  const restore = entryOf(cutover, 'Restore');
  const quiesce = entryOf(cutover, 'Quiesce');
  const { undo } = cutover.status;
  if (restore?.state === 'Done' && !(undo && stoppedTime >= undo.time)) return restore.endTime;
  return quiesce?.state === 'Undone' ? quiesce.endTime : undefined;
}

/** Of all together, each moment once; undefined when there is none, or one has not ended. Times as the API has them. */
function lengthOf(spans: [begin: string, end: string | undefined][]): string | undefined {
  if (spans.length === 0 || spans.some(([, end]) => !end)) return undefined;
  let total = 0;
  let until = 0;
  const moments = spans.map(([begin, end]) => [Date.parse(begin), Date.parse(end ?? '')] as const);
  for (const [begin, end] of moments.toSorted(([a], [b]) => a - b)) {
    total += Math.max(0, end - Math.max(begin, until));
    until = Math.max(until, end);
  }
  return formatDuration(total);
}
