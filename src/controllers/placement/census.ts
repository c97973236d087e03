import { LABEL, type Platform } from '../../api/v1alpha1/index.ts';
import { census } from '../../domain/tasks.ts';
import { pods } from '../../kube/resources.ts';
import type { Context } from '../context.ts';
import type { TaskCensus } from '../cutover/input.ts';
import { viewOfPod } from '../pods.ts';
import { located } from './gather.ts';
import { type PlacementPod, placedRolesOf } from './input.ts';
import { USUAL_RAMP } from './pace.ts';

/**
 * Counts the pods of a platform's Follow and Singleton roles, from a live list: a cutover goes on upon it. One for each role, in their
 * order. Pods, but for `total`, which is tasks. Between the end of a pod and its controller's next one a task is not counted at all.
 */
export async function taskCensusOf(context: Context, platform: Platform): Promise<TaskCensus[]> {
  const roles = placedRolesOf(platform);
  if (roles.length === 0) return [];
  const labelSelector = `${LABEL.platform}=${platform.metadata.name}`;
  const { items } = await context.client.list(pods, { labelSelector });
  const all = items.map((pod) => located(context, viewOfPod(pod)));
  return roles.map(({ name, handover, ramp = USUAL_RAMP }) => {
    const own = all.filter(({ role }) => role === name);
    const trouble = own.flatMap((pod) => troubleOf(pod) ?? [])[0];
    const { startsPerSecond } = ramp;
    return { role: name, handover, ...census(own), startsPerSecond, ...(trouble !== undefined && { trouble }) };
  });
}

/** What keeps a pod from ending or from starting, for people. */
function troubleOf(pod: PlacementPod): string | undefined {
  const name = `Pod ${pod.namespace}/${pod.name}`;
  if (pod.ended) return undefined;
  if (pod.lost)
    return `${name} may still run: its Node ${pod.node} does not answer, and ${pod.machine ?? pod.nodeMachine ?? 'its machine'} is not known to be off. Stop or terminate that machine at the cloud`;
  if (pod.unschedulable !== undefined) return `${name} finds no machine: ${pod.unschedulable}`;
  return undefined;
}
