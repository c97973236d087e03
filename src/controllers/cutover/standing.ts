import type { Cutover, SwitchState } from '../../api/v1alpha1/index.ts';
import { type Problem, sameState, stateText, type TargetView } from '../../traffic/target.ts';
import type { CutoverInput } from './input.ts';
import { type Machines, partsBack, partsForth } from './parts.ts';

/**
 * Where a traffic target stands on the way that the journal has for it: `from`, then its maintenance responder if it has
 * one (`hold`), then `to`. Several addresses are one target, and each of them may stand elsewhere.
 */

export type Switches = NonNullable<Cutover['status']['switches']>;
export type Entry = Switches[number];
export type Place = 'from' | 'hold' | 'to';

const ORDER: readonly Place[] = ['from', 'hold', 'to'];

/** Which targets a step moves, and between which places; against the order of places when it is undone. */
export interface Way {
  applies(entry: Entry): boolean;
  from: Place;
  to: Place;
}

export const isBack = ({ from, to }: Way): boolean => ORDER.indexOf(to) < ORDER.indexOf(from);

/** `notes`: what of it stays where it is, and why, for people. */
export type Standing =
  /** Nothing of it is left to move. `served`: seen to serve from there, or nothing more can be seen. */
  | { is: 'there'; served: boolean; waitingFor: string; notes: string[] }
  /** To be moved; `barred` says why it had better not be now, `to` where the way leads since what it led to is gone. */
  | {
      is: 'away';
      now: SwitchState;
      goal: SwitchState;
      place: Place | undefined;
      barred?: string;
      to?: SwitchState;
      notes: string[];
    }
  /** Somebody else has it: changed, taken out of the Platform, or deleted. */
  | { is: 'lost'; problem: Problem }
  | { is: 'unseen'; problem: Problem };

export function standingOf(input: CutoverInput, entry: Entry, way: Way): Standing {
  const { target } = entry;
  const { platform } = input;
  if (!platform)
    return notSeen(`Platform ${input.cutover.spec.platform} does not exist: traffic is not moved without it`);
  if (!platform.spec.traffic.some(({ name }) => name === target))
    return lost('TargetRemoved', `traffic target ${target} was taken out of the Platform while this cutover moves it`);
  const coming = input.targets.find((view) => view.target === target);
  const leaving = input.back.find((view) => view.target === target);
  const view = isBack(way) ? (leaving ?? coming) : (coming ?? leaving);
  if (!view)
    return notSeen(`traffic target ${target} was not looked at, because no generation of this cutover is there`);
  if (view.gone) return lost('TargetGone', view.problem?.message ?? `traffic target ${target} does not exist any more`);
  const problem = unseen(input, entry, way, view, leaving);
  if (problem) return { is: 'unseen', problem };
  const sight = { entry, way, view, coming, leaving, ...machinesOf(input, { coming, leaving }) };
  return view.parts ? partsOf(sight) : wholeOf(sight);
}

const lost = (reason: string, message: string): Standing => ({ is: 'lost', problem: { reason, message } });

const notSeen = (message: string): Standing => ({ is: 'unseen', problem: { reason: 'TargetNotSeen', message } });

/** From where the machines cannot be seen, nothing is concluded about who serves there. */
function unseen(
  { members, left }: CutoverInput,
  entry: Entry,
  { to }: Way,
  view: TargetView,
  leaving: TargetView | undefined,
): Problem | undefined {
  if (view.unseen) return view.problem ?? { reason: 'TargetNotSeen', message: view.waitingFor };
  if (to === 'to' && !Array.isArray(members)) return members;
  const concerns = isOf(leaving, entry.from) || (leaving !== undefined && hadNone(entry));
  return to === 'from' && concerns && !Array.isArray(left) ? left : undefined;
}

/** True for a target that had no state: a Service whose selector Git has just left out, for example. */
const hadNone = ({ from = {} }: Entry): boolean => Object.keys(from).length === 0;

/** True when a state is what the generation of the view would have. */
const isOf = (view: TargetView | undefined, state: SwitchState = {}): view is TargetView =>
  view !== undefined && sameState(view.wanted, state);

interface Sight extends Machines {
  entry: Entry;
  way: Way;
  view: TargetView;
  /** The target as seen for the generation that it goes to, and for the one that it leaves. */
  coming: TargetView | undefined;
  leaving: TargetView | undefined;
}

function machinesOf(
  { cutover, members, left, targets, back }: CutoverInput,
  { coming, leaving }: Pick<Sight, 'coming' | 'leaving'>,
): Machines {
  const present = [...targets, ...back].flatMap(({ now }) => Object.values(now));
  return {
    ahead: Array.isArray(members) ? coming?.choices : undefined,
    home: Array.isArray(left) ? leaving?.choices : undefined,
    busy: (place) =>
      new Set([...present, ...(cutover.status.switches ?? []).flatMap((entry) => Object.values(entry[place] ?? {}))]),
  };
}

function wholeOf(sight: Sight): Standing {
  const { entry, way, view, leaving } = sight;
  const { target, from = {}, hold, to } = entry;
  const { now, nowhere } = view;
  // A target that had no state cannot be left without one: it is pointed at the old generation, or else at nobody.
  const [home, none] = hadNone(entry) && nowhere ? [leaving?.wanted, nowhere] : [];
  const origin = (leaving?.nobody ? none : (home ?? none)) ?? from;
  const states: [Place, SwitchState | undefined][] = [
    ['from', from],
    ['from', home],
    ['from', none],
    ['hold', hold],
    ['to', to],
  ];
  const at = states.filter(([, state]) => state && sameState(state, now)).map(([place]) => place);
  if (at.length === 0) return strayed(entry, `traffic target ${target} is at ${stateText(now)}`);
  // Two places may be the same state.
  if (at.includes(way.to)) return there(sight);
  const goal = { from: origin, hold: hold ?? origin, to }[way.to];
  return away(sight, { now, goal, place: at[0], notes: [] });
}

const partsOf = (sight: Sight): Standing => (isBack(sight.way) ? partsGoBack(sight) : partsGoForth(sight));

function partsGoForth(sight: Sight): Standing {
  const { entry, view } = sight;
  const { to } = entry;
  const { now, foreign, goal } = partsForth(entry, view.now, sight);
  if (foreign.length > 0) return strayed(entry, placesOf(entry, foreign, now));
  const changed = sameState(goal, to) ? undefined : goal;
  if (sameState(now, goal) && !changed) return there(sight);
  return { ...away(sight, { now, goal, place: undefined, notes: [] }), ...(changed && { to: changed }) };
}

/** Those that somebody else has moved do not keep the others from going back. */
function partsGoBack(sight: Sight): Standing {
  const { entry, view, leaving } = sight;
  const { now, foreign, goal, fixed, served } = partsBack(entry, view.now, sight);
  const notes = [
    ...(foreign.length > 0
      ? [`${placesOf(entry, foreign, now)}, where somebody else has put it: it is left there`]
      : []),
    ...fixed.map(
      (key) =>
        `${key} of traffic target ${entry.target} pointed at nothing before, and cannot be made to: it stays at ${now[key]}`,
    ),
  ];
  if (!sameState(now, goal)) return away(sight, { now, goal, place: undefined, notes });
  if (served.length > 0) {
    const barred = leaving?.problem?.message ?? view.waitingFor;
    return { is: 'away', now, goal, place: undefined, barred, notes };
  }
  return notes.length > 0 ? { is: 'there', served: true, waitingFor: '', notes } : there(sight);
}

const placesOf = ({ target }: Entry, keys: readonly string[], now: SwitchState): string =>
  keys.map((key) => `${key} of traffic target ${target} is at ${now[key] || 'nothing'}`).join(', ');

const strayed = ({ from, hold, to }: Entry, where: string): Standing =>
  lost(
    'ForeignChange',
    `${where}: this cutover found it at ${stateText(from ?? {})}, ${hold ? `holds it at ${stateText(hold)} ` : ''}and wants it at ${stateText(to)}. Somebody else changed it: set it back to one of these`,
  );

/** How the journal calls a target that was seen to serve from where a way leads to. */
export const SETTLED = { from: 'Reverted', hold: 'Held', to: 'Verified' } as const satisfies Record<
  Place,
  Entry['state']
>;

function there({ entry, way, view, coming, leaving }: Sight): Standing {
  const seen = (served: boolean, waitingFor = '', notes: string[] = []): Standing => ({
    is: 'there',
    // A pod that is restarted later changes nothing about what was seen.
    served: served || entry.state === SETTLED[way.to],
    waitingFor,
    notes,
  });
  if (way.to === 'hold') return seen(view.hold?.serving === true, view.hold?.waitingFor);
  if (way.to === 'to') return seen(coming !== undefined && servesFrom(coming, entry.to), view.waitingFor);
  if (!isOf(leaving, view.now)) return seen(true);
  const { serving, nobody, waitingFor } = leaving;
  if (serving || !nobody) return seen(serving, waitingFor);
  return seen(true, '', [
    `traffic target ${entry.target} is back where it was, and nothing serves there: ${waitingFor}`,
  ]);
}

/** The journalled state counts: another machine may have become Ready since, and would now be wanted. */
const servesFrom = ({ serving, choices }: TargetView, state: SwitchState): boolean =>
  serving || (choices !== undefined && Object.values(state).every((machine) => choices.includes(machine)));

/** Requests go where something ready takes them (S1): forward always; back, unless nothing takes them now either. */
function away(
  sight: Sight,
  move: Omit<Extract<Standing, { is: 'away' }>, 'is' | 'barred' | 'to'>,
): Extract<Standing, { is: 'away' }> {
  const { entry, way, view, coming, leaving } = sight;
  const why =
    way.to === 'hold'
      ? view.hold?.problem?.message
      : way.to === 'to'
        ? coming?.nobody && coming.problem?.message
        : isOf(leaving, entry.from) && leaving.nobody && leaving.problem?.message;
  const served = {
    from: leaving?.serving,
    hold: view.hold?.serving,
    to: isOf(coming, entry.to) && coming.serving,
    parts: coming?.serving,
  }[move.place ?? 'parts'];
  return { is: 'away', ...move, ...(why && (!isBack(way) || served) && { barred: why }) };
}
