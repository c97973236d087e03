import { ANNOTATION, LABEL, PLACEMENT } from '../api/v1alpha1/index.ts';
import { hasEnded, isGated, kindOf, type TaskPod, taskOf } from '../domain/tasks.ts';
import type { Pod } from '../kube/resources.ts';

/** What these controllers keep of a pod that names a platform and a role; everything else is dropped on arrival. */
export interface PodView extends Omit<TaskPod, 'generation'> {
  namespace: string;
  name: string;
  uid: string;
  /** resourceVersion: the precondition of every write. */
  version: string;
  platform: string;
  /** ms since the epoch, to the second: all that the API server keeps. */
  created: number;
  /** generations.dev/start-order: lower ones start first. */
  order: number;
  /** The generation that its nodeSelector names. */
  selected: string | undefined;
  /** Name of the Node that it is bound to. */
  node: string | undefined;
  /** providerID of the machine that it was last seen on. */
  machine: string | undefined;
  /** The label generations.dev/task is there. */
  labelled: boolean;
  /** Names of all finalizers, in their order. */
  finalizers: readonly string[];
  leaving: boolean;
  /** It is being deleted without waiting for a kubelet. */
  graceless: boolean;
  /** What keeps it from starting, for people. */
  hindrance: string | undefined;
}

/** The projection of a pod as it arrives from the API server. `ended` is what it says itself: of machines it knows nothing. */
export function viewOfPod(pod: Pod): PodView {
  const { metadata, spec, status } = pod;
  const { labels = {}, annotations = {} } = metadata;
  const order = Number.parseInt(annotations[ANNOTATION.startOrder] ?? '', 10);
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    uid: metadata.uid,
    version: metadata.resourceVersion,
    platform: labels[LABEL.platform] ?? '',
    role: labels[LABEL.role] ?? '',
    task: taskOf(pod),
    kind: kindOf(pod),
    created: Date.parse(metadata.creationTimestamp),
    order: Number.isNaN(order) ? 0 : order,
    gated: isGated(pod),
    selected: spec?.nodeSelector?.[LABEL.generation],
    node: spec?.nodeName || undefined,
    machine: annotations[ANNOTATION.machine],
    labelled: labels[LABEL.task] !== undefined,
    finalizers: metadata.finalizers ?? [],
    leaving: metadata.deletionTimestamp !== undefined,
    graceless: metadata.deletionTimestamp !== undefined && metadata.deletionGracePeriodSeconds === 0,
    started: status?.phase !== undefined && status.phase !== 'Pending',
    ended: hasEnded(pod, false),
    hindrance: hindranceOf(pod),
  };
}

/** What a container waits for that comes by itself. */
const COMING = ['ContainerCreating', 'PodInitializing'];

/** Of a pod whose containers have not all begun: that the scheduler finds no room for it, or one of them cannot begin. */
export function hindranceOf({ status }: Pod): string | undefined {
  if (status?.phase !== 'Pending') return undefined;
  const scheduled = status.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.reason === 'Unschedulable') return `finds no machine: ${scheduled.message}`;
  for (const { name, state } of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]) {
    const { reason, message } = state?.waiting ?? {};
    if (reason && !COMING.includes(reason))
      return `does not start: container ${name}, ${reason}${message ? `: ${message}` : ''}`;
  }
  return undefined;
}

export const isHeld = ({ finalizers }: PodView): boolean => finalizers.includes(PLACEMENT);
