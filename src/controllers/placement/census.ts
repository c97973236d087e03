import { LABEL, type Platform } from '../../api/v1alpha1/index.ts';
import { census } from '../../domain/tasks.ts';
import { pods } from '../../kube/resources.ts';
import { BY, type Context } from '../context.ts';
import type { TaskCensus } from '../cutover/input.ts';
import { viewOfPod } from '../pods.ts';
import { located } from './gather.ts';
import { machineOf, type PlacementPod, placedRolesOf } from './input.ts';
import { USUAL_RAMP } from './pace.ts';

/**
 * Counts the pods of a platform's Follow and Singleton roles, from a live list and the watch: a cutover goes on upon it. One for each role, in their
 * order. Pods, but for `total`, which is tasks. Between the end of a pod and its controller's next one a task is not counted at all.
 */
export async function taskCensusOf(context: Context, platform: Platform): Promise<TaskCensus[]> {
  const roles = placedRolesOf(platform);
  if (roles.length === 0) return [];
  const live = platform.status.live?.name;
  const labelSelector = `${LABEL.platform}=${platform.metadata.name}`;
  const { items } = await context.client.list(pods, { labelSelector });
  const listed = new Set(items.map(({ metadata }) => metadata.uid));
  // What the watch has not seen go is there, whatever a list lacks: it is the other kind of question.
  const watched = context.caches.pods
    .byIndex(BY.platform, platform.metadata.name)
    .filter(({ uid }) => !listed.has(uid));
  const all = [...items.map(viewOfPod), ...watched].map((pod) => located(context, pod));
  return roles.map(({ name, handover, ramp = USUAL_RAMP }) => {
    const own = all.filter(({ role }) => role === name);
    const present = own.filter(({ ended }) => !ended);
    const unreachable = present.find(({ lost }) => lost);
    const hindered = present.find(({ hindrance }) => hindrance !== undefined);
    const left = present.find((pod) => pod.kind === 'bare' && isElsewhere(pod, live));
    const { startsPerSecond } = ramp;
    return {
      role: name,
      handover,
      ...census(own),
      startsPerSecond,
      ...(left && { trouble: leftAt(left, live) }),
      ...(hindered && { trouble: `${nameOf(hindered)} ${hindered.hindrance}` }),
      ...(unreachable && { trouble: lostAt(unreachable), unreachable: lostAt(unreachable) }),
    };
  });
}

const nameOf = ({ namespace, name }: PlacementPod): string => `Pod ${namespace}/${name}`;

const lostAt = (pod: PlacementPod): string =>
  `${nameOf(pod)} may still run: its Node ${pod.node} does not answer, and ${machineOf(pod)} is not known to be off. Stop or terminate that machine at the cloud`;

const isElsewhere = ({ generation }: PlacementPod, live: string | undefined): boolean =>
  live !== undefined && generation !== undefined && generation !== live;

/** It is not ended, as it would not come back; a cutover that waits for it has to say whose it is. */
const leftAt = (pod: PlacementPod, live: string | undefined): string =>
  `${nameOf(pod)} is on ${pod.generation}, and no controller would make it again on ${live}: delete it when it may end`;
