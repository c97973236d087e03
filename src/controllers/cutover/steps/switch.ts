import { sameState, stateText } from '../../../traffic/target.ts';
import type { Action, CutoverInput, Effect, Step } from '../input.ts';
import { objectionsTo } from '../objections.ts';
import { nothing } from './nothing.ts';

/**
 * Switch moves every traffic target to the new generation: all old values are journalled first, then all are switched,
 * then each is believed only when it is seen to serve from the new machines.
 */

type Journal = NonNullable<CutoverInput['cutover']['status']['switches']>;

export const switchTraffic: Step = {
  name: 'Switch',
  done: ({ cutover }) => cutover.status.switches?.every(({ state }) => state === 'Verified') === true,
  act: (input) => {
    const journal = input.cutover.status.switches;
    return journal ? proceed(input, journal) : begin(input);
  },
  undo: nothing,
};

/** Nothing has moved yet: Preflight is asked once more, now that the generation is reserved. */
function begin(input: CutoverInput): Action {
  const [blocked] = objectionsTo(input);
  if (blocked) return { blocked };
  const switches: Journal = input.targets.map(({ target, now, wanted }) => ({
    target,
    from: now,
    to: wanted,
    state: 'Pending',
  }));
  return { journal: { switches }, effects: [], message: `journalled ${switches.length} traffic targets` };
}

function proceed(input: CutoverInput, journal: Journal): Action {
  const seen = new Map(input.targets.map((view) => [view.target, view]));
  const switches: Journal = [];
  const effects: Effect[] = [];
  let waitingFor = '';
  for (const entry of journal) {
    const view = seen.get(entry.target);
    const { target, to } = entry;
    const from = entry.from ?? {};
    if (!view)
      return {
        blocked: {
          reason: 'TargetRemoved',
          message: `traffic target ${target} was taken out of the Platform while this cutover moves it: put it back`,
        },
      };
    if (view.unseen && view.problem) {
      const { reason, message } = view.problem;
      return reason === 'Throttled' ? { waitFor: message } : { blocked: { reason, message } };
    }
    const arrived = sameState(view.now, to);
    if (entry.state === 'Verified') switches.push(entry);
    else if (arrived && isServing(view, to)) switches.push({ ...entry, state: 'Verified' });
    else if (arrived) {
      waitingFor ||= view.waitingFor;
      switches.push({ ...entry, state: 'Switched' });
    } else if (sameState(view.now, from) || isBetween(view.now, from, to)) {
      effects.push({
        do: 'switch',
        moves: [{ target, from, to }],
        what: `switch ${target} from ${stateText(from)} to ${stateText(to)}`,
      });
      switches.push(entry);
    } else
      return {
        blocked: {
          reason: 'ForeignChange',
          message: `traffic target ${target} is at ${stateText(view.now)}: this cutover found it at ${stateText(from)} and wants it at ${stateText(to)}. Somebody else changed it: set it back to one of the two`,
        },
      };
  }
  const changed = JSON.stringify(switches) !== JSON.stringify(journal);
  if (!changed && effects.length === 0) return { waitFor: waitingFor };
  return { journal: { switches }, effects, message: effects.map(({ what }) => what).join('; ') || waitingFor };
}

/** Of a target that has arrived: the journalled state counts. Another machine may have become Ready since, and would now be wanted. */
const isServing = (view: CutoverInput['targets'][number], to: Record<string, string>): boolean =>
  view.serving || (view.problem === undefined && !sameState(view.wanted, to));

/** Some parts moved, the others not yet: several addresses are one target. */
const isBetween = (now: Record<string, string>, from: Record<string, string>, to: Record<string, string>): boolean =>
  Object.keys(now).length === Object.keys(to).length &&
  Object.entries(now).every(([key, value]) => value === to[key] || value === (from[key] ?? ''));
