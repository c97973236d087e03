import type { ClusterGeneration, Cutover, Failure, Platform, SwitchState } from '../../api/v1alpha1/index.ts';
import type { Sight } from '../../guard/canary/sight.ts';
import type { Machine } from '../../providers/provider.ts';
import type { Member, Problem, TargetView } from '../../traffic/target.ts';

/** All that a decision about a cutover rests on: every object read live, every target just looked at. */
export interface CutoverInput {
  cutover: Cutover;
  platform: Platform | undefined;
  from: ClusterGeneration | undefined;
  to: ClusterGeneration | undefined;
  /** Others of the platform that were live before and are not retired: a later cutover may go back to them. */
  kept: ClusterGeneration[];
  /** The unfinished cutover of the platform that goes first, if that is another one. */
  first: Cutover | undefined;
  /** The cutover that spec.supersedes names, as it is now. */
  superseded: Cutover | undefined;
  /** Another cutover that supersedes this one and has begun, ended or not: what this one held is its now. */
  successor: Cutover | undefined;
  /** Machines of `to` as cloud and Kubernetes show them, or why they could not be seen. */
  members: Member[] | Problem;
  /** Those that have not ended, registered or not, with their tags; empty when `members` says why they could not be seen. */
  machines: Pick<Machine, 'id' | 'tags' | 'state'>[];
  /** What the cloud refuses to the pools of `to`, or what they wait for in vain, pool by pool. */
  refusals?: PoolRefusal[];
  /** Machines of `from`, likewise: whether there is something to go back to. */
  left: Member[] | Problem;
  /** The platform's traffic targets as seen for `to`; in mode Decommission, which has none, for `from`. */
  targets: TargetView[];
  /** The same targets as seen for `from`; empty when there is no `from`. */
  back: TargetView[];
  /** Jobs that this cutover has made, or taken over. */
  jobs: JobView[];
  /** Why a Job or a preview that this cutover needs would be refused: tried as a dry run until Preflight is done. */
  trial?: Problem | undefined;
  /** Answers of the http checks, asked just now; only while Verify or Soak is what it is at. */
  answers: Answer[];
  /** Pods of each Follow and Singleton role; empty from Migrate to Release, which do not go by them. */
  tasks: TaskCensus[];
  /** Whether every API server enforces the reservation; absent while it is not written, and once it was seen. */
  sight?: Sight | undefined;
  /** Workloads of `to` that the policies would not find yet, for people; absent once Reserve is done. */
  unguarded?: string[] | undefined;
  now: number;
  /** Turns declared ms into real ms. */
  scaled(ms: number): number;
}

/** A failure of a pool, in the words of its status. */
export type PoolRefusal = Pick<Failure, 'reason' | 'message' | 'since'> & { pool: string };

/** What there is of a Job of this cutover: the Job itself, or pods that it has left. */
export interface JobView {
  /** `namespace/name`, as the journal has it. */
  name: string;
  uid: string;
  /** Running: it, or a pod of it, has not ended. Lost: nothing of it runs any more, and what it has done is not known. */
  state: 'Running' | 'Succeeded' | 'Failed' | 'Lost';
  /** Of a failed one: why, and the last lines of its log. Of a running one: what its pod waits for, if anything. */
  message: string;
  /** Of a running one that has no pod: why Kubernetes cannot make one, in the words of whoever refuses it. */
  refused?: string;
  /** It was deleted before it had ended. */
  interrupted?: true;
  /** What the finalizer generations.dev/job still keeps. */
  kept: { job: boolean; pods: { name: string; uid: string }[] };
  /** The Job is being deleted, and its pods show how it ends: it need not stay for that. */
  followed?: true;
}

/** What an http check was answered; `status` is absent when nothing answered, and `message` says why. */
export interface Answer {
  check: string;
  status?: number;
  message: string;
  /** The preview Service is not pointed at the new generation: nothing was asked. */
  astray?: true;
}

/** Pods of one Follow or Singleton role, deleted ones included until they are known to have ended. */
export interface TaskCensus {
  role: string;
  handover: 'Follow' | 'Singleton';
  /** Of how many tasks. */
  total: number;
  /** Gated: not placed anywhere yet. */
  waiting: number;
  /** Placed, and not yet started. */
  starting: number;
  /** Placed and started, on any generation. */
  running: number;
  /** Long-running ones that wait or start: a Job's pods come and go all the time. */
  arriving: number;
  /** Names of generations on which pods are that have not ended, with how many; long-running ones only: a Job's pod ends where it began. */
  on: Record<string, number>;
  /** Starts per second that the role's pace allows now. */
  startsPerSecond: number;
  /** What is in the way of one of them, if anything: for people. */
  trouble?: string;
  /** One that may still run where it can be neither seen nor ended, and how to be sure of its end: for people. */
  unreachable?: string;
}

/** A move of one target, from one state to another. */
export interface Move {
  target: string;
  from: SwitchState;
  to: SwitchState;
}

/** A change of something other than the cutover itself. Each carries the object as it was read: its version is the precondition. */
export type Effect =
  | { do: 'writeGeneration'; object: ClusterGeneration; status: ClusterGeneration['status']; what: string }
  | { do: 'writePlatform'; object: Platform; status: Platform['status']; what: string }
  | { do: 'tag'; generation: ClusterGeneration; machines: string[]; tags: Record<string, string>; what: string }
  /** All at once; each is compared before and seen after. */
  | { do: 'switch'; moves: Move[]; what: string }
  /** Points the preview Services of targets at a generation, for checks. */
  | { do: 'preview'; targets: string[]; generation: string; what: string }
  /** Creates a Job, if one of this name (`namespace/name`) is not there. `deadline`: declared ms. */
  | { do: 'startJob'; name: string; template: Record<string, unknown>; deadline: number; what: string }
  /** Takes the finalizer off pods of a Job (`namespace/name`), and off the Job itself. */
  | {
      do: 'releaseJob';
      name: string;
      uid: string;
      job: boolean;
      pods: { name: string; uid: string }[];
      what: string;
    }
  /** Adds or removes the finalizer of the cutover itself. */
  | { do: 'finalizer'; wanted: boolean; what: string };

/** What a step wants done next. */
export type Action =
  /** Journal first, then effects, then look again. */
  | { journal?: Partial<Cutover['status']>; effects: Effect[]; message: string }
  /**
   * Nothing to do but to look again: soon, or at a moment (ms since the epoch). `patiently`: it waits for people, a window or a
   * soak, which is not progress that a deployment tool should count.
   */
  | { waitFor: string; until?: number; patiently?: boolean; journal?: Partial<Cutover['status']> }
  /** It cannot go on until somebody does something. */
  | { blocked: Problem }
  /** It has failed: the cutover goes back while it can, and is Blocked where it cannot. */
  | { failed: Problem; journal?: Partial<Cutover['status']> };

/** A step of a cutover: pure, and idempotent whatever crashes around it. */
export interface Step {
  name: NonNullable<Cutover['status']['steps']>[number]['name'];
  /** Why this cutover has nothing to do here; undefined when it has. Decided before the step begins. */
  skip?(input: CutoverInput): string | undefined;
  /** True when what the step is for is there to be seen. */
  done(input: CutoverInput): boolean;
  act(input: CutoverInput): Action;
  /** Takes back what the step has done, wholly or in part; undefined when nothing of it is left. */
  undo(input: CutoverInput): Action | undefined;
}
