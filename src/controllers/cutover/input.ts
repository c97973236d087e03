import type { ClusterGeneration, Cutover, Platform } from '../../api/v1alpha1/index.ts';
import type { Sight } from '../../guard/canary/sight.ts';
import type { Machine } from '../../providers/provider.ts';
import type { Member, Problem, TargetView } from '../../traffic/target.ts';

/** All that a decision about a cutover rests on: every object read live, every target just looked at. */
export interface CutoverInput {
  cutover: Cutover;
  platform: Platform | undefined;
  from: ClusterGeneration | undefined;
  to: ClusterGeneration | undefined;
  /** The unfinished cutover of the platform that goes first, if that is another one. */
  first: Cutover | undefined;
  /** Machines of `to` as cloud and Kubernetes show them, or why they could not be seen. */
  members: Member[] | Problem;
  /** Those that have not ended, registered or not, with their tags; empty when `members` says why they could not be seen. */
  machines: Pick<Machine, 'id' | 'tags'>[];
  /** The platform's traffic targets as seen for `to`; empty when there is no `to`. */
  targets: TargetView[];
  /** Whether every API server enforces the reservation; absent while it is not written, and once it was seen. */
  sight?: Sight | undefined;
  now: number;
  /** Turns declared ms into real ms. */
  scaled(ms: number): number;
}

/** A change of something other than the cutover itself. Each carries the object as it was read: its version is the precondition. */
export type Effect =
  | { do: 'writeGeneration'; object: ClusterGeneration; status: ClusterGeneration['status']; what: string }
  | { do: 'writePlatform'; object: Platform; status: Platform['status']; what: string }
  | { do: 'tag'; generation: ClusterGeneration; machines: string[]; tags: Record<string, string>; what: string }
  | { do: 'switch'; target: string; from: Record<string, string>; to: Record<string, string>; what: string };

/** What a step wants done next. */
export type Action =
  /** Journal first, then effects, then look again. */
  | { journal?: Partial<Cutover['status']>; effects: Effect[]; message: string }
  /** Nothing to do but to look again soon. */
  | { waitFor: string }
  /** It cannot go on until somebody does something. */
  | { blocked: Problem };

/** A step of a cutover: pure, and idempotent whatever crashes around it. */
export interface Step {
  name: NonNullable<Cutover['status']['steps']>[number]['name'];
  /** True when what the step is for is there to be seen. */
  done(input: CutoverInput): boolean;
  act(input: CutoverInput): Action;
}
