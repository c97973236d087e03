import type { Platform } from '../../api/v1alpha1/index.ts';
import type { PodView } from '../pods.ts';
import type { Allowance } from './pace.ts';

/** A role whose pods the operator places. */
export interface PlacedRole {
  name: string;
  handover: 'Follow' | 'Singleton';
  ramp?: Ramp | undefined;
}

export type Ramp = NonNullable<Platform['spec']['roles'][number]['ramp']>;

/** The roles of a platform whose pods the operator places, in their order. */
export const placedRolesOf = ({ spec }: Platform): PlacedRole[] =>
  spec.roles.flatMap(({ name, handover, ramp }) => (handover === 'Beside' ? [] : [{ name, handover, ramp }]));

/** A pod with what Nodes and cloud say of where it is. */
export interface PlacementPod extends PodView {
  /** Where it is, or is going: what its nodeSelector names, or its Node's own generation. */
  generation: string | undefined;
  /** providerID of the Node that it is bound to; undefined when there is no such Node now. */
  nodeMachine: string | undefined;
  /** Bound to a Node that is gone or not Ready: whether it still runs nobody in the cluster knows. */
  lost: boolean;
  /** The cloud says, just now, that its machine is stopped or terminated. */
  off: boolean;
}

/** The machine that a pod is bound to, as people find it at the cloud. */
export const machineOf = ({ machine, nodeMachine }: PlacementPod): string => machine ?? nodeMachine ?? 'its machine';

/** All that a decision about a platform's pods rests on. */
export interface PlacementInput {
  /** undefined: it is gone. */
  platform:
    | {
        name: string;
        uid: string;
        roles: PlacedRole[];
        /** Name of the live generation. */
        live: string | undefined;
        /** While a cutover holds them back: the roles whose running pods are ended. */
        stop: readonly string[] | undefined;
        /** Pods are created without gate and finalizer: break-glass. */
        open: boolean;
        /** Why nothing may be moved. */
        frozen: string | undefined;
      }
    | undefined;
  /** All that carry its name, of whatever role. Those placed a moment ago count as placed. */
  pods: readonly PlacementPod[];
  /** By role. */
  pace: ReadonlyMap<string, Allowance>;
}
