import { timestamp } from '../../domain/conditions.ts';
import { guardTrouble } from '../../domain/guard.ts';
import type { CutoverInput, Effect } from './input.ts';

/** How soon to look again at one that a cutover is just taking back, or whose guard does not work. Declared ms. */
const BUSY = 60_000;

/**
 * What is left of a cutover that has succeeded: a clock. At its end the old generation is retired, for ever, unless a
 * later cutover has made it live again. `from` is read live, and its version is the precondition of the write: a
 * cutover back to it, which writes the very same object first, and this clock cannot both win.
 */
export function retirement(input: CutoverInput): {
  effects: Effect[] /** real ms */;
  requeueAfter: number | undefined;
} {
  const { cutover, platform, from, now, scaled } = input;
  const name = cutover.spec.from;
  if (!platform || name === '' || !cutover.status.retainUntil) return { effects: [], requeueAfter: undefined };
  const listed = platform.status.protected?.includes(name) ?? false;
  const ours = from?.metadata.uid === cutover.status.generations?.from?.uid ? from : undefined;
  if (from && !ours) return { effects: [], requeueAfter: undefined };
  // Retired is for ever: not while the guard may be open, which would show first on what is retired by mistake.
  const troubled = guardTrouble(platform, { now, scaled }) !== undefined;
  const later = { effects: [], requeueAfter: scaled(BUSY) };
  if (listed && troubled && (!ours || ours.status.retiredTime)) return later;
  if (!ours || ours.status.retiredTime)
    return { effects: listed ? [unprotect(platform, name)] : [], requeueAfter: undefined };
  if (wasLiveSince(cutover, ours)) return { effects: [], requeueAfter: undefined };
  if (platform.status.live?.uid === ours.metadata.uid || ours.status.reservedBy) return later;
  const due = cutover.spec.retireNow ? now : Date.parse(cutover.status.retainUntil);
  if (now < due) return { effects: [], requeueAfter: due - now };
  if (troubled) return later;
  const { uid } = cutover.metadata;
  return {
    effects: [
      {
        do: 'writeGeneration',
        object: ours,
        status: { ...ours.status, retiredTime: timestamp(now), retiredBy: { name: cutover.metadata.name, uid } },
        what: `retire ${name}`,
      },
      ...(listed ? [unprotect(platform, name)] : []),
    ],
    requeueAfter: undefined,
  };
}

/** Live since this cutover left it: then a later cutover's clock is the one that counts. */
function wasLiveSince(cutover: CutoverInput['cutover'], from: NonNullable<CutoverInput['from']>): boolean {
  const left = cutover.status.steps?.find(({ name }) => name === 'Point')?.endTime ?? '';
  return Date.parse(from.status.liveTime ?? '') > Date.parse(left);
}

const unprotect = (platform: NonNullable<CutoverInput['platform']>, name: string): Effect => ({
  do: 'writePlatform',
  object: platform,
  status: { ...platform.status, protected: (platform.status.protected ?? []).filter((listed) => listed !== name) },
  what: `no longer protect ${name}`,
});
