import type { Cutover, Platform } from '../../api/v1alpha1/index.ts';
import { formatDuration } from '../../domain/duration.ts';
import { entryOf } from './journal.ts';

type Downtime = NonNullable<Cutover['status']['downtime']>[number];

/**
 * How long each role was not served, real time, as far as that has ended. Its traffic: from the first target that was held
 * to the last that was seen to serve again. Its singletons: until Restore was done, or Quiesce undone, from Quiesce where all
 * are stopped first, and from the beginning of Restore where each moves on its own.
 */
export function downtimeOf(cutover: Cutover, platform: Platform | undefined): Pick<Cutover['status'], 'downtime'> {
  const roles = platform?.spec.roles ?? [];
  const downtime = roles.flatMap((role): Downtime[] => {
    const traffic = trafficOf(cutover, role.name);
    const singletons = role.handover === 'Singleton' ? singletonsOf(cutover, role.quiesce === 'AllFirst') : undefined;
    if (traffic === undefined && singletons === undefined) return [];
    return [{ role: role.name, ...(traffic && { traffic }), ...(singletons && { singletons }) }];
  });
  return downtime.length > 0 ? { downtime } : {};
}

function trafficOf({ status }: Cutover, role: string): string | undefined {
  const targets = (status.plan?.switches ?? []).filter((entry) => entry.role === role).map(({ target }) => target);
  const held = (status.switches ?? []).filter(({ target, heldTime }) => heldTime && targets.includes(target));
  if (held.length === 0 || held.some(({ servedTime }) => !servedTime)) return undefined;
  const start = Math.min(...held.map(({ heldTime }) => Date.parse(heldTime ?? '')));
  const end = Math.max(...held.map(({ servedTime }) => Date.parse(servedTime ?? '')));
  return formatDuration(end - start);
}

function singletonsOf(cutover: Cutover, allFirst: boolean): string | undefined {
  const restore = entryOf(cutover, 'Restore');
  const quiesce = entryOf(cutover, 'Quiesce');
  const start = allFirst ? quiesce?.startTime : restore?.startTime;
  const end =
    restore?.state === 'Done' ? restore.endTime : quiesce?.state === 'Undone' && allFirst ? quiesce.endTime : undefined;
  return start && end ? formatDuration(Date.parse(end) - Date.parse(start)) : undefined;
}
