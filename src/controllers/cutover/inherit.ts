import type { Cutover } from '../../api/v1alpha1/index.ts';
import { sameState, type TargetView } from '../../traffic/target.ts';
import type { CutoverInput } from './input.ts';

/** What a cutover takes over from the one that it supersedes, into its own journal. */

type Entry = NonNullable<Cutover['status']['switches']>[number];

/** What was migrated is not migrated again; tasks that are stopped have been since the superseded cutover stopped them. */
export function inherited({ cutover, superseded }: CutoverInput): Partial<Cutover['status']> {
  if (!cutover.spec.supersedes || !superseded) return {};
  const { migrations, downtime } = superseded.status;
  const stops = (downtime ?? []).flatMap(({ role, stops }) => (stops ? [{ role, stops }] : []));
  return { ...(migrations && { migrations }), ...(stops.length > 0 && { downtime: stops }) };
}

/** A target before its first move. One that is held stays held, with the way that it has to go from there. */
export function firstEntry(input: CutoverInput, { target, now, wanted, hold }: TargetView): Entry {
  const { cutover, superseded, back } = input;
  const entry: Entry = { target, from: now, ...(hold && { hold: hold.wanted }), to: wanted, state: 'Pending' };
  if (!cutover.spec.supersedes) return entry;
  const before = superseded?.status.switches?.find((old) => old.target === target);
  const held = hold !== undefined && sameState(now, hold.wanted);
  // Behind its maintenance responder it is at neither end: what it would go back to is where the live generation is.
  const from = held ? (back.find((view) => view.target === target)?.wanted ?? before?.from ?? now) : now;
  return {
    ...entry,
    from,
    state: held ? 'Held' : 'Pending',
    ...(before?.heldTime && { heldTime: before.heldTime }),
    ...(before?.servedTime && { servedTime: before.servedTime }),
    ...(before?.earlierHolds && { earlierHolds: before.earlierHolds }),
  };
}
