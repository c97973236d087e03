import { ANNOTATION, CUTOVER_FINALIZER } from '../../../api/v1alpha1/index.ts';
import { planChanged } from '../approvals.ts';
import { inherited } from '../inherit.ts';
import type { Action, CutoverInput, Effect, Step } from '../input.ts';
import { isBegun } from '../journal.ts';
import { objectionsTo, passes } from '../objections.ts';
import { late } from './approve.ts';
import { point } from './point.ts';

/**
 * Reserve makes the new generation untouchable before anything depends on it: first on its own object, which no cache
 * can lag behind and no stale leader can overwrite, then in the platform's list that policies read, together with the name
 * of this cutover: one at a time holds a platform. It is done when every API server was seen to enforce that (one that
 * stalls would go on by what it knew before), and Preflight and the approvals still hold. A planned cutover waits besides until its
 * workloads are guarded: users are to reach them soon.
 */
export const reserve: Step = {
  name: 'Reserve',
  done: (input) =>
    late(input) === undefined &&
    isWritten(input) &&
    isSeen(input) &&
    unguarded(input).length === 0 &&
    objectionsTo(input).length === 0 &&
    planChanged(input) === undefined,
  act: (input) => {
    const tooLate = late(input);
    if (tooLate) return tooLate;
    const objections = objectionsTo(input);
    const blocked = objections.find((objection) => !passes(input, objection));
    // What has been deleted, retired or taken by another since Preflight is not reserved.
    if (!isWritten(input)) return blocked ? { blocked } : write(input);
    const { sight } = input;
    if (!isSeen(input)) {
      if (!sight || sight.seen) return { waitFor: `the protection of ${input.cutover.spec.to} to be seen` };
      return sight.overdue
        ? { blocked: { reason: 'GuardNotEffective', message: `waiting in vain: ${sight.waitingFor}` } }
        : { waitFor: sight.waitingFor };
    }
    if (blocked) return { blocked };
    const [open] = unguarded(input);
    if (open) return { waitFor: `${open} to be guarded (annotation ${ANNOTATION.workloads} of its Namespace)` };
    const [starting] = objections;
    if (starting) return cannotStart(input) ?? { waitFor: starting.message };
    const changed = planChanged(input);
    return changed ? { blocked: changed } : { waitFor: 'the end of Reserve' };
  },
  // A former leader may have moved the pointer after Point was undone: the platform is not let go as long as it is there.
  undo: (input) => point.undo(input) ?? giveBack(input),
};

/** Of a standby that was stopped: the cloud does not let it start, and nobody knows until when. */
function cannotStart({ to, refusals = [] }: CutoverInput): Action | undefined {
  const [refused, ...others] = refusals.filter(({ reason }) => reason !== 'Throttled');
  if (!refused) return undefined;
  const { pool, reason, since } = refused;
  const more = others.length > 0 ? ` (and ${others.length} more of its troubles)` : '';
  // When it is tried next is left out: it is another time after each try.
  const message = `${to?.metadata.name} is kept stopped, and since ${since} its pool ${pool} cannot be started${more}: ${refused.message} It is tried again by itself after ever longer waits, of ten minutes at most: the next time is status.failures[].retryTime of GenerationPool ${pool}. Nothing has moved: wait, make room at the cloud, or abort this Cutover (spec.abort: true)`;
  return { blocked: { reason, message } };
}

const isSeen = ({ cutover, sight }: CutoverInput): boolean => cutover.spec.to === undefined || sight?.seen === true;

/** A rollback's are guarded already, and a recovery has no time to wait. */
const unguarded = ({ cutover, unguarded: found = [] }: CutoverInput): string[] =>
  cutover.spec.mode === 'Planned' ? found : [];

function write(input: CutoverInput): Action {
  const { cutover, platform, from, to } = input;
  if (!platform || (cutover.spec.to !== undefined && !to)) return { waitFor: 'the platform and both generations' };
  const { name, uid } = cutover.metadata;
  const effects: Effect[] = [];
  if (!cutover.metadata.finalizers?.includes(CUTOVER_FINALIZER))
    effects.push({ do: 'finalizer', wanted: true, what: 'keep this Cutover until what it holds is given back' });
  if (to && to.status.reservedBy?.uid !== uid)
    effects.push({
      do: 'writeGeneration',
      object: to,
      status: { ...to.status, reservedBy: { name, uid } },
      what: `reserve ${to.metadata.name}`,
    });
  const present = platform.status.protected ?? [];
  const missing = namesOf(input).filter((generation) => !present.includes(generation));
  if (missing.length > 0 || platform.status.cutover?.uid !== uid)
    effects.push({
      do: 'writePlatform',
      object: platform,
      status: { ...platform.status, protected: [...present, ...missing], cutover: { name, uid } },
      what: `hold Platform ${platform.metadata.name}${missing.length > 0 ? ` and protect ${missing.join(' and ')}` : ''}`,
    });
  const generations = { ...(from && { from: referenceTo(from) }), ...(to && { to: referenceTo(to) }) };
  return {
    // Read once: what it takes over is in its own journal from then on.
    journal: isBegun(cutover) ? {} : { generations, ...inherited(input) },
    effects,
    message: `reserving ${to?.metadata.name ?? `Platform ${platform.metadata.name}`}`,
  };
}

const namesOf = ({ from, to }: Pick<CutoverInput, 'from' | 'to'>): string[] =>
  [from, to].flatMap((generation) => (generation ? [generation.metadata.name] : []));

const referenceTo = ({ metadata }: { metadata: { name: string; uid: string } }) => ({
  name: metadata.name,
  uid: metadata.uid,
});

/** Both generations are protected as far as it can be written, and the platform is this cutover's. */
export function isWritten(input: Pick<CutoverInput, 'cutover' | 'platform' | 'from' | 'to'>): boolean {
  const { cutover, platform, to } = input;
  const { uid } = cutover.metadata;
  const list = platform?.status.protected ?? [];
  return (
    isBegun(cutover) &&
    platform?.status.cutover?.uid === uid &&
    (cutover.spec.to === undefined || to?.status.reservedBy?.uid === uid) &&
    namesOf(input).every((name) => list.includes(name))
  );
}

/** The generation first, then the platform: as long as that is held, nobody else begins. */
function giveBack({ cutover, platform, to }: CutoverInput): Action | undefined {
  const { uid } = cutover.metadata;
  const effects: Effect[] = [];
  if (to?.status.reservedBy?.uid === uid) {
    const { reservedBy: _, ...status } = to.status;
    effects.push({
      do: 'writeGeneration',
      object: to,
      status,
      what: `give back the reservation of ${to.metadata.name}`,
    });
  }
  if (platform?.status.cutover?.uid === uid) {
    const { cutover: _, ...status } = platform.status;
    // One that was live before is kept for a rollback as it was.
    const leaves = to && to.status.liveTime === undefined ? to.metadata.name : undefined;
    effects.push({
      do: 'writePlatform',
      object: platform,
      status: { ...status, protected: (status.protected ?? []).filter((name) => name !== leaves) },
      what: `let go of Platform ${platform.metadata.name}${leaves ? ` and no longer protect ${leaves}` : ''}`,
    });
  }
  return effects.length > 0 ? { effects, message: 'giving back what was reserved' } : undefined;
}
