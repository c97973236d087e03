import type { CutoverInput, Effect, Step } from '../input.ts';

/**
 * Reserve makes the new generation untouchable before anything depends on it: first on its own object, which no cache
 * can lag behind and no stale leader can overwrite, then in the platform's list that policies read. It is done when every
 * API server was seen to enforce that: one that stalls would go on by what it knew before.
 */
export const reserve: Step = {
  name: 'Reserve',
  done: (input) => isWritten(input) && input.sight?.seen === true,
  act: (input) => {
    const { cutover, platform, from, to, sight } = input;
    if (!platform || !to) return { waitFor: 'the platform and both generations' };
    if (isWritten(input)) {
      if (!sight || sight.seen) return { waitFor: `the protection of ${to.metadata.name} to be seen` };
      return sight.overdue
        ? { blocked: { reason: 'GuardNotEffective', message: `waiting in vain: ${sight.waitingFor}` } }
        : { waitFor: sight.waitingFor };
    }
    const { name, uid } = cutover.metadata;
    const effects: Effect[] = [];
    if (to.status.reservedBy?.uid !== uid)
      effects.push({
        do: 'writeGeneration',
        object: to,
        status: { ...to.status, reservedBy: { name, uid } },
        what: `reserve ${to.metadata.name}`,
      });
    const names = [...(from ? [from.metadata.name] : []), to.metadata.name];
    const present = platform.status.protected ?? [];
    const missing = names.filter((generation) => !present.includes(generation));
    if (missing.length > 0)
      effects.push({
        do: 'writePlatform',
        object: platform,
        status: { ...platform.status, protected: [...present, ...missing] },
        what: `protect ${missing.join(' and ')}`,
      });
    const referenceTo = ({ metadata }: { metadata: { name: string; uid: string } }) => ({
      name: metadata.name,
      uid: metadata.uid,
    });
    return {
      journal: { generations: { ...(from && { from: referenceTo(from) }), to: referenceTo(to) } },
      effects,
      message: `reserving ${to.metadata.name}`,
    };
  },
};

/** Both generations are protected as far as it can be written. */
export function isWritten({
  cutover,
  platform,
  from,
  to,
}: Pick<CutoverInput, 'cutover' | 'platform' | 'from' | 'to'>): boolean {
  const list = platform?.status.protected ?? [];
  return (
    to?.status.reservedBy?.uid === cutover.metadata.uid &&
    list.includes(to.metadata.name) &&
    (!from || list.includes(from.metadata.name))
  );
}
