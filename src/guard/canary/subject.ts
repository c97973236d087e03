import {
  ANNOTATION,
  type ClusterGeneration,
  CUTOVER_FINALIZER,
  type Cutover,
  type GenerationClass,
  type GenerationPool,
  LABEL,
  type Platform,
} from '../../api/v1alpha1/index.ts';
import { uidsOf } from '../../domain/identity.ts';
import { clusterGenerations, cutovers, generationClasses, generationPools, platforms } from '../../kinds.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isForbidden } from '../../kube/errors.ts';
import { find } from '../../kube/find.ts';
import type { KubeObject, Resource } from '../../kube/resource.ts';
import {
  isReady,
  type Namespace,
  type Node,
  namespaces,
  nodes,
  type Pod,
  pods,
  type Service,
  services,
  type Workload,
} from '../../kube/resources.ts';
import { waitsForPlacement } from './pods.ts';
import type { Subject } from './probe.ts';
import { crds, GUARDED_CRD } from './probes.ts';
import type { Found } from './workloads.ts';

/** What the caches know of a platform; each of it is read again before a hole is believed. */
export interface Known {
  platform: Platform;
  generationClass: GenerationClass | undefined;
  /** The live generation. */
  live: ClusterGeneration | undefined;
  /** All generations of the platform. */
  generations: ClusterGeneration[];
  /** Pools of the live generation. */
  pools: GenerationPool[];
  /** Names of Nodes of the live generation that are Ready, not cordoned and not in maintenance. */
  nodes: string[];
  /** Cutovers of the platform that have not ended. */
  cutovers: Cutover[];
  /** Pods of the platform that wait at their gate. */
  gated: { namespace: string; name: string }[];
  /** Workloads of the live generation that nobody has unprotected. */
  workloads: KnownWorkload[];
  /** Those that people have labelled, of all platforms. */
  marked: KnownWorkload[];
}

export interface KnownWorkload {
  resource: Resource<Workload>;
  namespace: string;
  name: string;
  /** Its Namespace lists it. */
  listed: boolean;
}

/** Nodes, or pods, looked at until one is found that an act can be tried on. */
const LOOKED_AT = 3;

/**
 * What to try acts on this time. What the caches have is taken from there; the rest is read. `turn` goes up by one each
 * round, so that in time every pool, Node, namespace, Service and pod has its turn. `home`: the operator's namespace. Throws ApiError.
 */
export async function subjectOf(client: KubeClient, home: string, known: Known, turn: number): Promise<Subject> {
  const { platform, generationClass, live } = known;
  const [crd, node, namespace, service, stranger, gated, workload, listed, marked] = await Promise.all([
    readable(() => find<KubeObject>(client, crds, GUARDED_CRD)),
    readable(() => nodeOf(client, live, known.nodes, turn)),
    readable(() => namespaceOf(client, turn)),
    readable(() => serviceOf(client, platform, turn)),
    readable(() => strangerOf(client, home, turn)),
    readable(() => gatedOf(client, platform, known.gated, turn)),
    readable(() => workloadOf(client, live ? known.workloads : [], turn, () => true)),
    readable(() => workloadOf(client, live ? known.workloads.filter((one) => one.listed) : [], turn, hasSize)),
    readable(() => workloadOf(client, known.marked, turn, isMarked)),
  ]);
  return {
    platform,
    overridden: live !== undefined && isOverridden(platform, live),
    generationClass,
    live,
    pool: turned(known.pools, turn)[0],
    cutover: known.cutovers.find(isUnderWay),
    crd,
    node,
    namespace,
    service,
    home,
    stranger,
    gated,
    workload,
    listed,
    marked,
  };
}

/** The same things as they are now: whatever the caches said is read again. Throws ApiError. */
export async function known(client: KubeClient, before: Known, turn: number): Promise<Known> {
  const platform = (await find(client, platforms, before.platform.metadata.name)) ?? before.platform;
  const { live: pointer } = platform.status;
  const pool = turned(before.pools, turn)[0];
  const [live, poolNow, generationClass, ...unfinished] = await Promise.all([
    pointer && find(client, clusterGenerations, pointer.name),
    pool && find(client, generationPools, pool.metadata.name),
    find(client, generationClasses, platform.spec.className),
    ...before.cutovers.map(({ metadata }) => find(client, cutovers, metadata.name)),
  ]);
  return {
    platform,
    generationClass,
    live: live?.metadata.uid === pointer?.uid ? live : undefined,
    generations: before.generations,
    pools: poolNow && poolNow.spec.generation === pointer?.name ? [poolNow] : [],
    nodes: before.nodes,
    gated: before.gated,
    workloads: live?.metadata.uid === before.live?.metadata.uid ? before.workloads : [],
    marked: before.marked,
    cutovers: unfinished.filter(
      (cutover) => cutover !== undefined && cutover.status.outcome === undefined,
    ) as Cutover[],
  };
}

/** As the policies have it: on the platform, by UID, or on the generation itself. */
const isOverridden = ({ status }: Platform, live: ClusterGeneration): boolean =>
  status.override?.uid === live.metadata.uid || live.status.override !== undefined;

/** As the policies have it. */
const isUnderWay = ({ metadata, status }: Cutover): boolean =>
  status.outcome === undefined &&
  (status.generations !== undefined || (metadata.finalizers ?? []).includes(CUTOVER_FINALIZER));

/** The same list, beginning with another one each turn. */
function turned<T>(list: readonly T[], turn: number): T[] {
  const first = list.length === 0 ? 0 : turn % list.length;
  return [...list.slice(first), ...list.slice(0, first)];
}

/** What the operator may not read cannot be tried on; everything else that goes wrong is thrown. */
async function readable<T>(read: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

async function nodeOf(
  client: KubeClient,
  live: ClusterGeneration | undefined,
  names: readonly string[],
  turn: number,
): Promise<Node | undefined> {
  for (const name of turned(names, turn).slice(0, LOOKED_AT)) {
    const node = await find(client, nodes, name);
    if (node && live && isAtWork(node, live)) return node;
  }
  return undefined;
}

const isAtWork = (node: Node, live: ClusterGeneration): boolean =>
  isStaying(node) &&
  uidsOf(live).includes(node.metadata.labels?.[LABEL.generationUID] ?? '') &&
  node.metadata.annotations?.[ANNOTATION.maintenance] === undefined &&
  !node.spec?.unschedulable &&
  isReady(node);

async function namespaceOf(client: KubeClient, turn: number): Promise<Namespace | undefined> {
  const { items } = await client.list(namespaces, { labelSelector: `${LABEL.protected}=true` });
  const settled = items.filter(({ metadata }) => metadata.annotations?.[ANNOTATION.unprotect] === undefined);
  return turned(settled, turn)[0] ?? items[0];
}

async function serviceOf(client: KubeClient, { spec }: Platform, turn: number): Promise<Service | undefined> {
  const references = spec.traffic.flatMap(({ service }) => service ?? []);
  for (const { namespace, name } of turned(references, turn)) {
    const service = await find(client, services, name, { namespace });
    if (service?.metadata.labels?.[LABEL.traffic] === 'true') return service;
  }
  return undefined;
}

async function strangerOf(client: KubeClient, home: string, turn: number): Promise<Pod | undefined> {
  const { items } = await client.list(pods, { namespace: home, labelSelector: `!${LABEL.platform}` });
  return turned(items.filter(isStaying), turn)[0];
}

async function gatedOf(
  client: KubeClient,
  platform: Platform,
  known: Known['gated'],
  turn: number,
): Promise<Pod | undefined> {
  for (const { namespace, name } of turned(known, turn).slice(0, LOOKED_AT)) {
    const pod = await find(client, pods, name, { namespace });
    if (pod && isStaying(pod) && waitsForPlacement(platform, pod)) return pod;
  }
  return undefined;
}

/** One that is there, not unprotected, and as wanted. */
async function workloadOf(
  client: KubeClient,
  known: readonly KnownWorkload[],
  turn: number,
  isWanted: (object: Workload) => boolean,
): Promise<Found | undefined> {
  for (const { resource, namespace, name } of turned(known, turn).slice(0, LOOKED_AT)) {
    const object = await find(client, resource, name, { namespace });
    const isGuarded = object && isStaying(object) && object.metadata.annotations?.[ANNOTATION.unprotect] !== name;
    if (isGuarded && isWanted(object)) return { resource, object };
  }
  return undefined;
}

const hasSize = ({ spec }: Workload): boolean => (spec?.replicas ?? 0) > 0;
const isMarked = ({ metadata }: Workload): boolean => metadata.labels?.[LABEL.protected] === 'true';

const isStaying = ({ metadata }: KubeObject): boolean => metadata.deletionTimestamp === undefined;
