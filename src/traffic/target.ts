/**
 * traffic/ is what a cutover switches: one contract, a file per kind of target. In go the members of a generation,
 * out comes what a target points at, what it would have to point at, and whether that is where requests arrive.
 * Nothing here decides; nothing here can release an address.
 */
import type { TrafficTarget as Spec, SwitchState } from '../api/v1alpha1/index.ts';

/** One machine of the generation that traffic is to reach. */
export interface Member {
  machine: string;
  /** ms since the epoch */
  launchTime: number;
  role: string;
  node: string;
  ready: boolean;
}

/** The generation that a target is looked at for. */
export interface Destination {
  platform: string;
  generation: string;
  members: readonly Member[];
  /** One ready endpoint is enough, however many there are now. */
  fewer?: boolean;
}

/** What is in the way of switching, for people. */
export interface Problem {
  reason: string;
  message: string;
}

/** The maintenance responder of a target, as it was just seen. */
export interface HoldView {
  /** What the target has to point at for its requests to arrive there. */
  wanted: SwitchState;
  /** Why it cannot take them. */
  problem?: Problem;
  /** True when the target points there and its requests arrive nowhere else. */
  serving: boolean;
  waitingFor: string;
}

/** A target as it was just seen. */
export interface TargetView {
  target: string;
  role: string;
  /** What it points at. */
  now: SwitchState;
  /** What it has to point at for the destination. */
  wanted: SwitchState;
  /** Why it cannot be switched, or not yet. */
  problem?: Problem;
  /** True when it could not be looked at: `now` says nothing then, and `problem` why. */
  unseen?: true;
  /** True when it was looked for and is not there: then it is unseen, too. */
  gone?: true;
  /** True when it moves part by part, one key of its state after the other, so that it may be found between two states. */
  parts?: true;
  /** Of such a target: machines of the destination that can take a part, one each; the preferred first. */
  choices?: readonly string[];
  /** True when nothing ready is at the destination: whatever was moved there would be served by nobody. */
  nobody?: true;
  /** What it has to point at to reach nobody, of a target that cannot simply be left without a state. */
  nowhere?: SwitchState;
  /** True when what it points at is where requests arrive: observed, not concluded from what was written. */
  serving: boolean;
  /** What is still to be seen before that. */
  waitingFor: string;
  /** Of a target that has a maintenance responder. */
  hold?: HoldView;
  /** Why a move of it would be refused: tried as a dry run, when that was asked for. */
  refused?: Problem;
}

/** A target of one kind. */
export interface TargetKind {
  view(spec: Spec, destination: Destination): Promise<TargetView>;
  /** Moves the target from one state to another. Throws ForeignChange when it is in neither. */
  point(spec: Spec, from: SwitchState, to: SwitchState): Promise<void>;
  /**
   * Tries to point the target at each of these states as `point` would, without doing it. Throws what refuses the first that is
   * refused. Absent where the kind of target cannot try.
   */
  attempt?(spec: Spec, states: readonly SwitchState[]): Promise<void>;
}

/** Somebody else moved the target meanwhile. */
export class ForeignChange extends Error {
  override readonly name = 'ForeignChange';
}

/** True when two states are the same, whatever the order of their keys. */
export const sameState = (a: SwitchState, b: SwitchState): boolean =>
  Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([key, value]) => b[key] === value);

/** A state for people: `web=green, tier=front`. */
export const stateText = (state: SwitchState): string =>
  Object.entries(state)
    .map(([key, value]) => `${key}=${value || '(nothing)'}`)
    .join(', ') || '(nothing)';
