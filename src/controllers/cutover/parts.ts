import type { SwitchState } from '../../api/v1alpha1/index.ts';

/**
 * A target of several parts, each of which a machine has: which of them have strayed, and where each has to go. A machine that
 * is gone is replaced by another of its generation; what the cloud has taken from one that has ended, nobody else has changed.
 */

/** Machines that can take a part, as far as they can be seen. */
export interface Machines {
  /** Of the generation that becomes live; undefined: nobody knows, and nothing is concluded. */
  ahead: readonly string[] | undefined;
  /** Of the one that is left, likewise. */
  home: readonly string[] | undefined;
  /** Those of either that have a part, or that a way leads to. */
  busy(place: 'from' | 'to'): ReadonlySet<string>;
}

export interface Parts {
  now: SwitchState;
  /** Keys of parts that somebody else has moved. */
  foreign: string[];
  goal: SwitchState;
}

type Ends = { from?: SwitchState | undefined; to: SwitchState };

/** On the way to the new generation. `goal` differs from `to` where a machine is gone. */
export function partsForth(ends: Ends, seen: SwitchState, machines: Machines): Parts {
  const { from = {}, to } = ends;
  const { ahead, home, busy } = machines;
  const { keys, now } = stateOf(ends, seen);
  const goal = filled(to, ahead, busy('to'));
  const bereft = (key: string) => now[key] === '' && (isGone(to[key], ahead) || isGone(from[key], home));
  const known = (key: string) => [to[key], from[key] ?? '', goal[key]].includes(now[key]) || bereft(key);
  return { now, foreign: keys.filter((key) => seen[key] === undefined || !known(key)), goal };
}

/**
 * On the way back. `fixed`: parts that belonged to nobody and cannot be made to again. `served`: parts that stay where they are
 * served, because no machine of the old generation can take them.
 */
export function partsBack(
  ends: Ends,
  seen: SwitchState,
  { ahead, home, busy }: Machines,
): Parts & { fixed: string[]; served: string[] } {
  const { from = {}, to } = ends;
  const { keys, now } = stateOf(ends, seen);
  /** At another machine of the old generation than before, whose own is gone. */
  const lodged = (key: string) => isGone(from[key], home) && home?.includes(now[key] ?? '') === true;
  // What nobody serves goes back, whoever has taken it away.
  const known = (key: string) => [to[key], from[key] ?? '', ''].includes(now[key]) || lodged(key);
  const foreign = keys.filter((key) => seen[key] === undefined || !known(key));
  const fixed = keys.filter((key) => !foreign.includes(key) && !from[key] && now[key]);
  const origin = filled(from, home, busy('from'));
  const served = keys.filter(
    (key) => isGone(origin[key], home) && !lodged(key) && ahead?.includes(now[key] ?? '') === true,
  );
  const stays = (key: string) => [...foreign, ...fixed, ...served].includes(key) || lodged(key);
  const goal = Object.fromEntries(keys.map((key) => [key, (stays(key) ? now[key] : origin[key]) ?? '']));
  return { now, foreign, goal, fixed, served };
}

function stateOf({ to }: Ends, seen: SwitchState): { keys: string[]; now: SwitchState } {
  const keys = Object.keys(to);
  return { keys, now: Object.fromEntries(keys.map((key) => [key, seen[key] ?? ''])) };
}

/** The state with the machines in it that are gone replaced by others that are free, as far as there are any. */
function filled(state: SwitchState, choices: readonly string[] | undefined, busy: ReadonlySet<string>): SwitchState {
  const free = (choices ?? []).filter((machine) => !busy.has(machine));
  return Object.fromEntries(
    Object.entries(state).map(([key, machine]) => [
      key,
      isGone(machine, choices) ? (free.shift() ?? machine) : machine,
    ]),
  );
}

/** True for a machine that is known not to be there. */
const isGone = (machine: string | undefined, choices: readonly string[] | undefined): boolean =>
  Boolean(machine) && choices !== undefined && !choices.includes(machine ?? '');
