import { createHash } from 'node:crypto';
import { LABEL, PLACEMENT } from '../api/v1alpha1/index.ts';

/**
 * Tasks: what a Follow or Singleton workload runs, whichever pod runs it now. In go pods as the API server shows them, out come which
 * task they are copies of, whether a copy can still be running, and how many there are. Pure.
 */

/** What of a pod these rules look at. */
export interface PodFacts {
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    deletionTimestamp?: string;
    ownerReferences?: { kind: string; name: string; controller?: boolean }[];
    managedFields?: { manager?: string; fieldsV1?: { 'f:status'?: object } }[];
  };
  spec?: { nodeName?: string; schedulingGates?: { name: string }[]; containers: unknown[] };
  status?: {
    phase?: string;
    conditions?: { type: string; reason?: string }[];
    containerStatuses?: ContainerFacts[];
    initContainerStatuses?: ContainerFacts[];
    ephemeralContainerStatuses?: ContainerFacts[];
  };
}

interface ContainerFacts {
  state?: { running?: object; terminated?: object };
}

/** A copy of a task, as far as counting goes. */
export interface TaskPod {
  role: string;
  task: string;
  /** At its gate: not placed anywhere, so not running. */
  gated: boolean;
  /** Where it is, or is going; undefined when that is no generation, or not known. */
  generation: string | undefined;
  /** Its containers have begun. */
  started: boolean;
  /** None of its containers runs any more, or ever will. */
  ended: boolean;
  /** `job`: it ends by itself. `lasting`: it runs until it is ended, and then its controller makes another one. */
  kind: PodKind;
}

export type PodKind = 'job' | 'lasting' | 'bare';

const ownerOf = ({ metadata }: PodFacts) => metadata.ownerReferences?.find(({ controller }) => controller);

export function kindOf(pod: PodFacts): PodKind {
  const owner = ownerOf(pod);
  return owner === undefined ? 'bare' : owner.kind === 'Job' ? 'job' : 'lasting';
}

/** True while the pod waits for the operator to say where it belongs. */
export const isGated = ({ spec }: PodFacts): boolean =>
  (spec?.schedulingGates ?? []).some(({ name }) => name === PLACEMENT);

/**
 * The task that a pod is a copy of, as a label's value: the name of what made it, and a digest of that and its namespace. Two runs of a
 * CronJob, and pods before and after a change of a Deployment's template, are copies of the same. Once placed a pod keeps what it was
 * placed as: taken from its controller, by an edit of its labels, it still runs.
 */
export function taskOf(pod: PodFacts): string {
  const recorded = pod.metadata.labels?.[LABEL.task];
  if (recorded !== undefined && !isGated(pod)) return recorded;
  const { kind, name } = rootOf(pod);
  const digest = createHash('sha256')
    .update(`${pod.metadata.namespace ?? ''}/${kind}/${name}`)
    .digest('hex');
  return `${name.slice(0, READABLE).replace(/[^a-z0-9]+$/i, '')}-${digest.slice(0, DIGITS)}`;
}

/** 63 characters are what a label's value may have. */
const DIGITS = 16;
const READABLE = 63 - 1 - DIGITS;

function rootOf(pod: PodFacts): { kind: string; name: string } {
  const owner = ownerOf(pod);
  const { name, labels = {} } = pod.metadata;
  if (!owner) return { kind: 'Pod', name };
  switch (owner.kind) {
    case 'ReplicaSet': {
      const suffix = `-${labels['pod-template-hash']}`;
      return owner.name.endsWith(suffix)
        ? { kind: 'Deployment', name: owner.name.slice(0, -suffix.length) }
        : { kind: 'ReplicaSet', name: owner.name };
    }
    case 'StatefulSet':
      // Each of its pods is a task of its own: db-0, db-1.
      return { kind: 'StatefulSet', name };
    case 'Job':
      return { kind: 'Job', name: owner.name.replace(/-[0-9]+$/, '') };
    default:
      return owner;
  }
}

/**
 * True when no container of the pod runs or ever will, and that is known: it was never bound to a node and cannot be any more, its kubelet
 * has reported the end, or it is being deleted and its machine is off.
 *
 * Not enough: that the pod's Node is gone, nor phase Failed alone, which the controller manager writes for pods of a Node that is gone
 * or tainted out-of-service; nor containers that have terminated in a pod that goes on, as they are started again. A pod on a machine that is off but may be started
 * has to be on its way out, or it would run again with its machine.
 *
 * @param machineIsOff what the cloud says now of the machine that the pod is bound to
 */
export function hasEnded(pod: PodFacts, machineIsOff: boolean): boolean {
  const { metadata, spec, status } = pod;
  const leaving = metadata.deletionTimestamp !== undefined;
  const over = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  if (!spec?.nodeName) return leaving || over;
  if (machineIsOff && leaving) return true;
  if (!over || status.conditions?.some(({ reason }) => reason === 'DeletionByPodGC')) return false;
  const main = status.containerStatuses ?? [];
  const beside = [...(status.initContainerStatuses ?? []), ...(status.ephemeralContainerStatuses ?? [])];
  const reported = main.length >= spec.containers.length && main.every(({ state }) => state?.terminated !== undefined);
  return (reported || isPhaseOfKubelet(pod)) && [...main, ...beside].every(({ state }) => state?.running === undefined);
}

/**
 * Whether the phase is the kubelet's own word. It calls a pod over when none of its containers runs any more, and has nothing to report of
 * those that never began: it has refused to run the pod, or has ended it while it was being initialized.
 */
const isPhaseOfKubelet = ({ metadata }: PodFacts): boolean =>
  (metadata.managedFields ?? []).some(
    ({ manager, fieldsV1 }) => manager === 'kubelet' && 'f:phase' in (fieldsV1?.['f:status'] ?? {}),
  );

/** How the tasks of one role stand. */
export interface Census {
  /** Tasks of which there is a pod that has not ended. */
  total: number;
  waiting: number;
  starting: number;
  running: number;
  /** Long-running pods that wait or start. */
  arriving: number;
  /** Names of generations with how many long-running pods are on each. */
  on: Record<string, number>;
}

/** Counts the pods of one role. */
export function census(pods: readonly TaskPod[]): Census {
  const present = pods.filter(({ ended }) => !ended);
  const placed = present.filter(({ gated }) => !gated);
  const on: Record<string, number> = {};
  for (const { kind, generation } of placed)
    if (kind !== 'job' && generation !== undefined) on[generation] = (on[generation] ?? 0) + 1;
  return {
    total: new Set(present.map(({ task }) => task)).size,
    waiting: present.length - placed.length,
    starting: placed.filter(({ started }) => !started).length,
    running: placed.filter(({ started }) => started).length,
    arriving: present.filter(({ kind, gated, started }) => kind !== 'job' && (gated || !started)).length,
    on,
  };
}
