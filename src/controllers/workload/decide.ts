import type { ClusterGeneration, Platform } from '../../api/v1alpha1/index.ts';
import type { Moment } from '../../domain/moment.ts';
import { holdOf } from '../../domain/protection.ts';
import { isPlaced, itemText, labelFor, type WorkloadItem } from '../../domain/workloads.ts';
import type { NamespaceView, WorkloadView } from '../workloads.ts';

/**
 * controllers/workload says on each Namespace which workloads in it are guarded, and on each workload of which generation its pods are, so
 * that the policies find them. In go the workloads of one Namespace; out come its list and the labels that are missing. An item stays until its
 * generation is not protected any more, or people have said otherwise on the workload.
 */

export interface WorkloadInput {
  namespace: NamespaceView | undefined;
  workloads: readonly WorkloadView[];
  generations: (name: string) => ClusterGeneration | undefined;
  platforms: readonly Platform[];
  moment: Moment;
}

export interface WorkloadDecision {
  /** What the Namespace has to say instead of what it says; null: nothing. Undefined: it says it. */
  list: string | null | undefined;
  /** Those whose own label does not say whose they are. */
  labels: { workload: WorkloadView; generation: string }[];
  /** How many found no room on the list. */
  left: number;
}

/** Characters of the list: all annotations of an object together may have 262144 (validation of ObjectMeta). */
const LONGEST = 200_000;

export function decide(input: WorkloadInput): WorkloadDecision {
  const { namespace, workloads } = input;
  const items = workloads
    .flatMap((workload) => itemOf(input, workload) ?? [])
    .toSorted((a, b) => rank(a) - rank(b))
    .map(itemText);
  const kept: string[] = [];
  let length = 0;
  for (const item of items) {
    length += item.length + 1;
    if (length <= LONGEST) kept.push(item);
  }
  const text = kept.length > 0 ? kept.toSorted().join(' ') : undefined;
  return {
    list: !namespace || namespace.workloads === text ? undefined : (text ?? null),
    labels: workloads.flatMap((workload) => {
      const generation = labelFor(workload);
      const lacks =
        generation !== undefined && workload.labelled !== generation && !workload.owned && !workload.leaving;
      return lacks ? [{ workload, generation }] : [];
    }),
    left: items.length - kept.length,
  };
}

/** What is live comes first, where there is not room for all. */
const rank = ({ of }: WorkloadItem): number => (of?.live ? 0 : 1);

/** How a workload is listed; undefined: it is not guarded. */
function itemOf(
  input: Omit<WorkloadInput, 'namespace' | 'workloads'>,
  workload: WorkloadView,
): WorkloadItem | undefined {
  if (workload.owned || workload.released) return undefined;
  const item = { resource: workload.resource.plural, name: workload.name };
  for (const name of workload.generations) {
    const of = protectorOf(input, workload, name);
    if (of) return { ...item, of };
  }
  return workload.marked ? { ...item, of: undefined } : undefined;
}

/** What protects a workload as one of this generation: the generation itself, or a Platform that names it. */
function protectorOf(
  { generations, platforms, moment }: Omit<WorkloadInput, 'namespace' | 'workloads'>,
  workload: WorkloadView,
  name: string,
): WorkloadItem['of'] {
  const generation = generations(name);
  const platform = platforms.find(({ metadata, status }) =>
    generation ? metadata.name === generation.spec.platform : status.protected?.includes(name),
  );
  if (platform && isPlaced(workload, platform)) return undefined;
  if (generation ? holdOf(generation, platform, moment) === undefined : !platform) return undefined;
  return {
    generation: name,
    platform: platform?.metadata.name ?? generation?.spec.platform ?? '',
    live: platform?.status.live?.name === name,
  };
}
