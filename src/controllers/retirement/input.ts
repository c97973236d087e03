import type { ClusterGeneration, Cutover, Platform } from '../../api/v1alpha1/index.ts';

/** All that a decision about what is left of a cutover on a generation rests on: every object read live. */
export interface RetirementInput {
  /** The generation's name: one that is gone may still be listed somewhere. */
  name: string;
  generation: ClusterGeneration | undefined;
  /** Its platform; of one that is gone, the one that lists it. */
  platform: Platform | undefined;
  /**
   * By UID: those of the Cutovers named by the two that exist, read after them. A namesake has another UID; one that is
   * not here is gone.
   */
  cutovers: ReadonlyMap<string, Cutover>;
  /** The unfinished Cutovers of the platform, read last; empty unless one that is named has ended or is gone. */
  unfinished: readonly Cutover[];
  /** Of a generation that is gone: whether the cloud was seen to have no machine of it. */
  noMachines: boolean;
  now: number;
  /** Turns declared ms into real ms. */
  scaled(ms: number): number;
}

/** A change of a status. It carries the object as it was read: its version is the precondition. */
export type Effect = { /** For the event, in UpperCamelCase. */ reason: string /** For people. */; what: string } & (
  | { do: 'writeGeneration'; object: ClusterGeneration; status: ClusterGeneration['status'] }
  | { do: 'writePlatform'; object: Platform; status: Platform['status'] }
);

export interface RetirementDecision {
  /** In this order; none after one that fails. */
  effects: Effect[];
  /** real ms; undefined: when something changes */
  requeueAfter: number | undefined;
}
