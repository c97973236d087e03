import type { ClusterGeneration, GenerationPool, Platform } from '../../api/v1alpha1/index.ts';
import type { Round } from '../../guard/canary/round.ts';
import type { Machine } from '../../providers/provider.ts';
import type { TargetSight } from '../../traffic/sight.ts';
import type { Transit } from './serving.ts';

/** All that a decision about a platform rests on. */
export interface PlatformInput {
  platform: Platform;
  /** All its generations. */
  generations: ClusterGeneration[];
  /** Pools of the live generation. */
  livePools: GenerationPool[];
  classExists: boolean;
  cloud: CloudView;
  /** Where each traffic target points; looked at only while the live pointer is to be inferred. */
  traffic: Witness[];
  /** Singletons of which no other copy may start, as one may run where nobody answers. */
  waiting: WaitingTask[];
  /** What was seen of each traffic target while a generation is live. */
  targets: TargetSight[];
  /** The cutover that holds the platform. */
  transit?: Transit | undefined;
  /** What the canary has just found; undefined when it was not its time, or nobody answered. */
  round?: Round | undefined;
  now: number;
  /** Turns declared ms into real ms. */
  scaled(ms: number): number;
}

/** A pod that may still run, and the machine of which that is to be known. */
export interface WaitingTask {
  /** `namespace/name` */
  pod: string;
  role: string;
  node: string;
  machine: string;
}

/** Machines with this cluster's tag in the accounts of the platform's classes. */
export interface CloudView {
  machines: Machine[];
  /** Why not all of them could be seen: then `machines` says what there is, and not what there is not. */
  trouble?: { reason: string; message: string } | undefined;
}

/** Which generation a traffic target points at: by its name, or by the UID on the machines behind it; neither: at none. */
export interface Witness {
  target: string;
  name?: string | undefined;
  uid?: string | undefined;
}

/** What people are told, on every object that it is about. */
export interface Announcement {
  about: (Platform | ClusterGeneration)[];
  type: 'Normal' | 'Warning';
  reason: string;
  action: string;
  note: string;
}

/** A change of a generation's status, on the object as it was read: its version is the precondition. */
export interface Effect {
  object: ClusterGeneration;
  status: ClusterGeneration['status'];
  say?: Announcement | undefined;
}
