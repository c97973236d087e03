import { isReady, type Pod, type Workload } from '../../kube/resources.ts';
import { type Problem, stateText } from '../../traffic/target.ts';
import { hindranceOf } from '../pods.ts';

/** Why a Service has fewer ready endpoints than it has to have. Pure: pods and workloads were read because it has. */

export interface Shortage {
  /** `Service edge/www of traffic target www`. */
  what: string;
  namespace: string;
  /** What its pods are labelled. */
  wanted: Record<string, string>;
  ready: number;
  minReady: number;
  /** Pods with these labels. */
  pods: readonly Pod[];
  /** Workloads whose pods have these labels. */
  workloads: readonly Workload[];
  /** Of the role: machines that its pools have, and pods that one takes at most, as far as that is known. */
  room: { machines: number; podLimit: number | undefined };
}

/** Pods that are named one by one. */
const IN_FULL = 3;

export function causeOf(shortage: Shortage): Problem {
  const { what, namespace, wanted, ready, minReady, pods, workloads } = shortage;
  const about = (reason: string, why: string): Problem => ({
    reason,
    message: `${what} has ${ready} ready endpoints, and minReady is ${minReady}: ${why}`,
  });
  const most = mostPods(shortage);
  if (most !== undefined && minReady > most) return about('MinReadyUnattainable', unattainable(shortage, most));
  const left = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  if (workloads.length === 0 && left.length === 0)
    return about(
      'WorkloadGone',
      `no Deployment, StatefulSet, DaemonSet or ReplicaSet in namespace ${namespace} has pods labelled ${stateText(wanted)}: it was deleted, or its labels were changed. Apply it again`,
    );
  const names = workloads.map(nameOf).join(', ');
  if (workloads.length > 0 && workloads.every((workload) => replicasOf(workload) === 0))
    return about(
      'ScaledToZero',
      `${names} is scaled to 0: kubectl -n ${namespace} scale ${commandNameOf(workloads[0])} --replicas=${minReady}, or more`,
    );
  if (left.length < minReady) {
    const replicas = workloads.reduce((sum, workload) => sum + replicasOf(workload), 0);
    if (replicas < minReady)
      return about(
        'TooFewReplicas',
        `${names || 'its pods'} can be ${Math.max(replicas, left.length)} at most: scale it up, or lower minReady`,
      );
    const refusal = workloads
      .flatMap(({ status }) => status?.conditions ?? [])
      .find(({ type, status }) => type === 'ReplicaFailure' && status === 'True');
    return about('PodsMissing', `${names} has ${left.length} pods${refusal?.message ? `: ${refusal.message}` : ''}`);
  }
  const waiting = left.filter((pod) => !isReady(pod));
  if (left.length - waiting.length >= minReady)
    return about(
      'EndpointsNotFollowing',
      `${left.length - waiting.length} pods are Ready, and EndpointSlices do not show them: look at kube-controller-manager`,
    );
  const named = waiting.slice(0, IN_FULL).map((pod) => `${pod.metadata.name} ${hindranceIn(pod)}`);
  const more = waiting.length > IN_FULL ? `; and ${waiting.length - IN_FULL} more` : '';
  return about('PodsNotReady', `${waiting.length} of ${left.length} pods are not Ready: ${named.join('; ')}${more}`);
}

/** What the pools of a role can ever hold; undefined while no Node has said how many pods it takes. */
function mostPods({ room: { machines, podLimit } }: Shortage): number | undefined {
  if (machines === 0) return 0;
  return podLimit === undefined ? undefined : machines * podLimit;
}

const unattainable = ({ room: { machines } }: Shortage, most: number): string =>
  `the ${machines} machines that the pools of its role have can never hold more than ${most} pods. Lower spec.traffic[].minReady, or add machines`;

/** A DaemonSet has no number: as many as there are machines for it. */
const replicasOf = ({ kind, spec }: Workload): number => (kind === 'DaemonSet' ? Infinity : (spec?.replicas ?? 1));

const nameOf = ({ kind, metadata }: Workload): string => `${kind} ${metadata.namespace}/${metadata.name}`;

const commandNameOf = (workload: Workload | undefined): string =>
  workload ? `${workload.kind.toLowerCase()}/${workload.metadata.name}` : '';

/** What a pod that is not Ready waits for, in the words of who says so. */
function hindranceIn(pod: Pod): string {
  const hindrance = hindranceOf(pod);
  if (hindrance) return hindrance;
  const { phase, conditions = [], containerStatuses = [] } = pod.status ?? {};
  for (const { name, state } of containerStatuses)
    if (state?.waiting?.reason)
      return `waits: container ${name}, ${state.waiting.reason}${state.waiting.message ? `: ${state.waiting.message}` : ''}`;
  const unready = conditions.find(({ type, status }) => type === 'Ready' && status !== 'True');
  const said = unready?.message ?? unready?.reason;
  return `is ${phase ?? 'Pending'}${said ? `: ${said}` : ''}`;
}
