import { LABEL, type Platform } from '../../api/v1alpha1/index.ts';
import { freezeOf } from '../../domain/freeze.ts';
import { ProviderError } from '../../providers/provider.ts';
import { BY, type Context } from '../context.ts';
import { machineIdOf } from '../nodes.ts';
import type { PodView } from '../pods.ts';
import { providerOfClass } from '../provider.ts';
import { type PlacementInput, type PlacementPod, placedRolesOf } from './input.ts';
import type { Memory } from './memory.ts';

/** Reads for a decision about a platform's pods: from the caches, and live from the cloud for machines that do not answer. */
export async function gather(context: Context, name: string, memory: Memory): Promise<PlacementInput> {
  const { caches, clock } = context;
  const platform = caches.platforms.get(name);
  const views = caches.pods.byIndex(BY.platform, name).map((pod) => memory.seen(pod));
  const now = clock.monotonic();
  const roles = platform ? placedRolesOf(platform) : [];
  return {
    platform: platform && {
      name,
      uid: platform.metadata.uid,
      roles,
      live: platform.status.live?.name,
      stop: platform.status.quiesced?.stop,
      open: platform.spec.singletonAdmission === 'Open',
      frozen: freezeOf(platform),
    },
    pods: await withMachines(context, platform, views),
    pace: new Map(roles.map((role) => [role.name, memory.pace.allow(role, now)])),
  };
}

/** Where a pod is, as far as the cluster knows. */
export function located({ caches }: Pick<Context, 'caches'>, view: PodView): PlacementPod {
  const node = view.node === undefined ? undefined : caches.nodes.get(view.node);
  return {
    ...view,
    generation: view.selected ?? node?.labels[LABEL.generation],
    nodeMachine: node?.providerID || undefined,
    lost: view.node !== undefined && node?.ready !== true,
    off: false,
  };
}

async function withMachines(
  context: Context,
  platform: Platform | undefined,
  views: readonly PodView[],
): Promise<PlacementPod[]> {
  const pods = views.map((view) => located(context, view));
  const asked = pods.filter(({ lost, ended }) => lost && !ended);
  if (asked.length === 0) return pods;
  const byClass = new Map<string, Set<string>>();
  for (const pod of asked) {
    const className = classOf(context, platform, pod);
    if (className === undefined) continue;
    byClass.set(className, new Set([...(byClass.get(className) ?? []), ...machinesOf(pod)]));
  }
  const off = new Set<string>();
  for (const [className, ids] of byClass) for (const id of await offAt(context, className, [...ids])) off.add(id);
  return pods.map((pod) => {
    const machines = pod.lost ? machinesOf(pod) : [];
    return machines.length > 0 && machines.every((id) => off.has(id)) ? { ...pod, off: true } : pod;
  });
}

/** The machine that it was seen on, and the one that its Node is now, if that is another of the same name. */
export const machinesOf = ({ machine, nodeMachine }: PlacementPod): string[] => [
  ...new Set([machine, nodeMachine].flatMap((providerID) => (providerID ? [machineIdOf(providerID)] : []))),
];

const classOf = ({ caches }: Context, platform: Platform | undefined, { generation }: PlacementPod) =>
  caches.generations.get(generation ?? '')?.spec.className ?? platform?.spec.className;

/**
 * Those of the machines that the cloud itself shows as stopped or terminated. Of what it does not show nothing is known,
 * unless its pool has seen that it ended, or that it is not known any more.
 */
export async function offAt(context: Context, className: string, ids: string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  try {
    const provider = await providerOfClass(context, className);
    const machines = new Map((await provider.find(ids)).map((machine) => [machine.id, machine]));
    const ended = ids.some((id) => !machines.has(id)) ? endedMachines(context) : new Set<string>();
    return ids.filter((id) => {
      const state = machines.get(id)?.state;
      return state === undefined ? ended.has(id) : state === 'stopped' || state === 'terminated';
    });
  } catch (error) {
    // Everything else goes on meanwhile; it is asked again.
    if (!(error instanceof ProviderError)) throw error;
    context.log.warn('Whether machines are off cannot be seen', { class: className, machines: ids, error });
    return [];
  }
}

/** Ids of machines of which their pools have journalled that they are no more. */
export const endedMachines = ({ caches }: Pick<Context, 'caches'>): ReadonlySet<string> =>
  new Set(caches.pools.list().flatMap(({ status }) => (status.ended ?? []).map(({ id }) => id)));
