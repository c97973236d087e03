import { MOST_HOLDS } from '../../api/v1alpha1/index.ts';
import { conditionOf, isTrue, timestamp } from '../../domain/conditions.ts';
import { formatDuration } from '../../domain/duration.ts';
import { realLimit } from '../../domain/moment.ts';
import { type Problem, stateText } from '../../traffic/target.ts';
import { planChanged } from './approvals.ts';
import { firstEntry } from './inherit.ts';
import type { Action, CutoverInput, Move, Step } from './input.ts';
import { entryOf } from './journal.ts';
import { objectionsTo } from './objections.ts';
import { type Entry, isBack, SETTLED, type Standing, type Switches, standingOf, type Way } from './standing.ts';

/**
 * The one rule by which Hold, Switch and Release move traffic, forth and back: every old and new value is journalled before
 * the first move; what is not where it has to be is moved; what is there is believed when it is seen to serve. A target that
 * somebody else has changed stops the cutover on its way forth, and is left to them on its way back.
 */

/** How long endpoints may take to follow: they do in seconds, or something is wrong with the pods. Declared ms. */
const PATIENCE = 300_000;
/** Endpoints follow in real time, however fast a drill runs: on a busy machine those of 60 pods take half a minute. Real ms. */
const LEAST_PATIENCE = 90_000;
const NOT_SERVING = 'NotServing';

type Look = { entry: Entry; standing: Standing };

/** No traffic has moved yet: Preflight and the approvals are asked once more, and all old values are written down. */
export function journalled(input: CutoverInput): Action {
  const [objection] = objectionsTo(input);
  const problem = objection ?? planChanged(input);
  if (problem) return { blocked: { reason: problem.reason, message: problem.message } };
  const switches = input.targets.map((view) => firstEntry(input, view));
  return { journal: { switches }, effects: [], message: `journalled ${switches.length} traffic targets` };
}

/** True when all targets of a way forth were seen to serve from its end, and none is seen elsewhere now. */
export function hasArrived(input: CutoverInput, way: Way): boolean {
  return (
    input.cutover.status.switches?.filter(way.applies).every((entry) => {
      const { is } = standingOf(input, entry, way);
      return entry.state === SETTLED[way.to] && (is === 'there' || is === 'unseen');
    }) === true
  );
}

/** What has to be done next on a way, forth or back; undefined when all of it is done. */
export function moveAlong(input: CutoverInput, step: Step['name'], way: Way): Action | undefined {
  const looks = (input.cutover.status.switches ?? [])
    .filter(way.applies)
    .map((entry) => ({ entry, standing: standingOf(input, entry, way) }));
  return isBack(way) ? back(input, way, looks) : forth(input, step, way, looks);
}

function forth(input: CutoverInput, step: Step['name'], way: Way, looks: Look[]): Action | undefined {
  for (const { standing } of looks) if (standing.is === 'lost') return { failed: standing.problem };
  const unseen = unseenOf(looks);
  if (unseen) return wait(unseen);
  const moves = movesOf(looks);
  const journal = brought(input, way, looks);
  const waiting = waitingFor(looks);
  const overdue = waiting.length + moves.length > 0 && input.now - since(input, step) > patience(input);
  // What is Blocked past the point of no return goes on by itself when its cause is gone.
  if (overdue && !(moves.length > 0 && isTrue(input.cutover, 'Blocked')))
    return { failed: inVain([...waiting, ...moves.map(text)]), ...journal };
  if (moves.length > 0) return { ...journal, ...switching(moves, []) };
  if (waiting.length > 0) return { waitFor: waiting.join('; '), ...journal };
  return 'journal' in journal ? { ...journal, effects: [], message: arrival(looks) } : undefined;
}

function back(input: CutoverInput, way: Way, looks: Look[]): Action | undefined {
  const notes = looks.flatMap(({ standing }) => notesOf(standing));
  const moves = movesOf(looks);
  const journal = brought(input, way, looks);
  // What can go back does, whatever is in the way of others.
  if (moves.length > 0) return { ...journal, ...switching(moves, notes) };
  const unseen = unseenOf(looks);
  const waiting = waitingFor(looks);
  const open = unseen ? [unseen.message, ...waiting] : waiting;
  if (open.length > 0 && 'journal' in journal) return { waitFor: [...open, ...notes].join('; '), ...journal };
  if (unseen) return wait(unseen);
  if (waiting.length > 0 && input.now - sinceUndo(input) > patience(input)) return { blocked: inVain(waiting) };
  if (waiting.length > 0) return { waitFor: [...waiting, ...notes].join('; ') };
  return 'journal' in journal ? { ...journal, effects: [], message: [arrival(looks), ...notes].join('; ') } : undefined;
}

const unseenOf = (looks: readonly Look[]): Problem | undefined =>
  looks.map(({ standing }) => (standing.is === 'unseen' ? standing.problem : undefined)).find((found) => found);

/** A cloud that asks for patience gets it; anything else needs a person. */
const wait = ({ reason, message }: Problem): Action =>
  reason === 'Throttled' ? { waitFor: message } : { blocked: { reason, message } };

/** From where each was seen just now: a change since then is somebody else's. */
const movesOf = (looks: readonly Look[]): Move[] =>
  looks.flatMap(({ entry: { target }, standing }) =>
    standing.is === 'away' && !standing.barred ? [{ target, from: standing.now, to: standing.goal }] : [],
  );

const waitingFor = (looks: readonly Look[]): string[] =>
  looks.flatMap(({ standing }) => {
    if (standing.is === 'there') return standing.served ? [] : [standing.waitingFor];
    return standing.is === 'away' && standing.barred ? [standing.barred] : [];
  });

function notesOf(standing: Standing): string[] {
  if (standing.is === 'lost') return [`left as it is: ${standing.problem.message}`];
  return standing.is === 'unseen' ? [] : standing.notes;
}

/** Targets that somebody else has changed: they are where they were put, and not where they were. For people. */
export const leftToOthers = (input: CutoverInput): string[] =>
  (input.cutover.status.switches ?? []).flatMap((entry) => {
    const standing = standingOf(input, entry, { applies: () => true, from: 'to', to: 'from' });
    return standing.is === 'lost' ? notesOf(standing) : [];
  });

/** Moves named in full before names only are given: a message has room for so many. */
const IN_FULL = 3;

const text = ({ target, from, to }: Move): string => `${target} from ${stateText(from)} to ${stateText(to)}`;

function switching(moves: Move[], notes: string[]): Extract<Action, { effects: unknown }> {
  const more = moves.slice(IN_FULL).map(({ target }) => target);
  const named = moves.slice(0, IN_FULL).map(text).join('; ');
  const what = `switch ${named}${more.length > 0 ? `; and ${more.length} more: ${more.join(', ')}` : ''}`;
  return { effects: [{ do: 'switch', moves, what }], message: [what, ...notes].join('; ') };
}

function arrival(looks: readonly Look[]): string {
  const arrived = looks.filter(({ standing }) => standing.is !== 'lost').map(({ entry }) => entry.target);
  if (arrived.length === 0) return 'nothing is left to move';
  return `${arrived.join(', ')} ${arrived.length === 1 ? 'is where it has' : 'are where they have'} to be`;
}

const patience = (input: CutoverInput): number => realLimit(input, PATIENCE, LEAST_PATIENCE);

const inVain = (waiting: readonly string[]): Problem => ({
  reason: NOT_SERVING,
  message: `for ${formatDuration(PATIENCE)} in vain: ${waiting.join('; ')}`,
});

/** The journal with what was just seen, if that is new: a state is never ahead of it (S11). */
function brought(
  { cutover, now }: CutoverInput,
  way: Way,
  looks: readonly Look[],
): { journal?: { switches: Switches } } {
  const before = cutover.status.switches ?? [];
  const seen = new Map(looks.map(({ entry, standing }) => [entry.target, observed(entry, standing, way, now)]));
  const switches = before.map((entry) => seen.get(entry.target) ?? entry);
  return JSON.stringify(switches) === JSON.stringify(before) ? {} : { journal: { switches } };
}

function observed(entry: Entry, standing: Standing, way: Way, now: number): Entry {
  const { heldTime, servedTime } = entry;
  const time = timestamp(now);
  // Before the first move, whatever comes of it; and once more for one that was served in between.
  const toBeHeld = way.to === 'hold' && (!heldTime || servedTime !== undefined);
  switch (standing.is) {
    case 'unseen':
      return entry;
    case 'lost':
      return { ...entry, state: 'Reverted' };
    case 'away': {
      const timed = toBeHeld && !standing.barred ? heldFrom(entry, time) : entry;
      if (isBack(way)) return timed;
      const held = entry.state === 'Held' && standing.place === 'hold';
      const { to } = standing;
      return { ...timed, ...(to && { to }), state: held ? 'Held' : 'Pending' };
    }
    case 'there': {
      const state = standing.served ? SETTLED[way.to] : way.to === 'to' ? 'Switched' : 'Pending';
      const served = way.to !== 'hold' && standing.served && heldTime && !servedTime;
      return { ...(toBeHeld ? heldFrom(entry, time) : entry), state, ...(served && { servedTime: time }) };
    }
  }
}

/** With a hold that begins now; of one that has ended, how long it was is kept. */
function heldFrom({ heldTime, servedTime, earlierHolds = [], ...entry }: Entry, time: string): Entry {
  const holds = heldTime && servedTime ? [...earlierHolds, { heldTime, servedTime }] : earlierHolds;
  return { ...entry, ...(holds.length > 0 && { earlierHolds: holds.slice(-MOST_HOLDS) }), heldTime: time };
}

/** Since when endpoints could have followed, ms since the epoch: while it was Blocked by something else, they could not. */
function since({ cutover, now }: CutoverInput, step: Step['name']): number {
  const start = Date.parse(entryOf(cutover, step)?.startTime ?? '') || now;
  const blocked = conditionOf(cutover, 'Blocked');
  if (!blocked) return start;
  if (blocked.status === 'True') return blocked.reason === NOT_SERVING ? start : now;
  return Math.max(start, Date.parse(blocked.lastTransitionTime));
}

/** Since the last step after this one was undone. */
function sinceUndo({ cutover, now }: CutoverInput): number {
  const { undo, steps = [] } = cutover.status;
  const ends = steps.filter(({ state }) => state === 'Undone').map(({ endTime }) => Date.parse(endTime ?? '') || 0);
  return Math.max(Date.parse(undo?.time ?? '') || now, ...ends);
}
