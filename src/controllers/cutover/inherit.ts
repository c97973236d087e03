import type { Cutover } from '../../api/v1alpha1/index.ts';
import { sameState } from '../../traffic/target.ts';
import type { CutoverInput } from './input.ts';

type Switches = NonNullable<Cutover['status']['switches']>;

/**
 * What a cutover takes over from the one that it supersedes, into its own journal: targets that are held stay held, with
 * the way that they have to go from there, and what was migrated is not migrated again.
 */
export function inherited({ cutover, superseded, targets, back }: CutoverInput): Partial<Cutover['status']> {
  if (!superseded || !cutover.spec.supersedes) return {};
  const { migrations } = superseded.status;
  const old = new Map((superseded.status.switches ?? []).map((entry) => [entry.target, entry]));
  const switches = targets.map(({ target, now, wanted, hold }): Switches[number] => {
    const before = old.get(target);
    const held = hold !== undefined && sameState(now, hold.wanted);
    // Behind its maintenance responder it is at neither end: what it would go back to is where the live generation is.
    const from = held ? (back.find((view) => view.target === target)?.wanted ?? before?.from ?? now) : now;
    return {
      target,
      from,
      to: wanted,
      ...(hold && { hold: hold.wanted }),
      state: held ? 'Held' : 'Pending',
      ...(before?.heldTime && { heldTime: before.heldTime }),
      ...(before?.servedTime && { servedTime: before.servedTime }),
    };
  });
  return { ...(switches.length > 0 && { switches }), ...(migrations && { migrations }) };
}
