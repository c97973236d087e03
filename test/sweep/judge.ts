import type { ClusterGeneration, Cutover, Platform } from '../../src/api/v1alpha1/index.ts';
import type { EndpointSlice, Node, Pod, Service } from '../../src/kube/resources.ts';
import { isReady } from '../../src/kube/resources.ts';
import type { Observed, Plural, Revision } from './observer.ts';

/**
 * Replays revisions, one after the other, and says after each which invariant does not hold: S1, S2 and S3 as far as the API server
 * shows them, and S9. Pure but for what it remembers.
 */
export interface Judge {
  /** What this revision breaks, in words; none when nothing. */
  take(revision: Revision): string[];
  /** A copy of everything that each object ever was in one respect, without repetitions. */
  moves(): Moves;
}

export interface Moves {
  /** Names of the live generation, by platform. */
  live: Record<string, string[]>;
  /** Selectors of a Service, by `namespace/name`. */
  selectors: Record<string, string[]>;
  /** Values of liveTime, by generation. */
  liveTimes: Record<string, string[]>;
  /** Name and UID of the Jobs made for a cutover, by its UID. */
  jobs: Record<string, string[]>;
}

/** What was added. */
export function movesSince(before: Moves, after: Moves): Moves {
  const added = (field: keyof Moves) =>
    Object.fromEntries(
      Object.entries(after[field])
        .map(([key, values]) => [key, values.slice(before[field][key]?.length ?? 0)] as const)
        .filter(([, values]) => values.length > 0),
    );
  return { live: added('live'), selectors: added('selectors'), liveTimes: added('liveTimes'), jobs: added('jobs') };
}

const LABEL = 'generations.dev/';
const NONE = '(none)';

type Kinds = {
  platforms: Platform;
  clustergenerations: ClusterGeneration;
  cutovers: Cutover;
  nodes: Node;
  services: Service;
  pods: Pod & { metadata: { ownerReferences?: { name: string; kind: string }[] } };
  endpointslices: EndpointSlice;
  jobs: Observed;
};

export function judge(): Judge {
  const state = new Map<Plural, Map<string, Observed>>();
  const all = <K extends Plural>(plural: K) => [...(state.get(plural)?.values() ?? [])] as unknown as Kinds[K][];
  const one = <K extends Plural>(plural: K, key: string) =>
    state.get(plural)?.get(key) as unknown as Kinds[K] | undefined;
  const history: Moves = { live: {}, selectors: {}, liveTimes: {}, jobs: {} };
  /** Targets that have served: from then on they always do. */
  const served = new Set<string>();

  const remember = (of: Record<string, string[]>, key: string, value: string) => {
    of[key] ??= [];
    if (of[key].at(-1) !== value) of[key].push(value);
  };

  /** S1: what a Service of a platform that has gone live leads to is there, Ready and stays. */
  const traffic = (platform: Platform): string[] =>
    platform.spec.traffic.flatMap((target) => {
      if (!target.service || !platform.status?.live) return [];
      const key = `${target.service.namespace}/${target.service.name}`;
      const endpoints = all('endpointslices')
        .filter(
          ({ metadata }) =>
            metadata.namespace === target.service?.namespace &&
            metadata.labels?.['kubernetes.io/service-name'] === target.service?.name,
        )
        .flatMap((slice) => slice.endpoints ?? [])
        .filter(({ conditions }) => conditions?.ready !== false);
      if (endpoints.length > 0) served.add(key);
      else if (served.has(key)) return [`S1: Service ${key} has no ready endpoint`];
      return endpoints.flatMap(({ nodeName = NONE }) => {
        const node = one('nodes', nodeName);
        if (node && isReady(node) && !node.metadata.deletionTimestamp) return [];
        return [
          `S1: Service ${key} leads to ${nodeName}, which ${node ? 'is not Ready or is being deleted' : 'is not there'}`,
        ];
      });
    });

  /** S1 at the moment of a switch: somebody Ready is behind the new selector already, of a generation that stays. */
  const switched = (service: Service): string[] => {
    const { name, namespace } = service.metadata;
    const selector = service.spec?.selector ?? {};
    const isTraffic = all('platforms').some(({ spec }) =>
      spec.traffic.some((target) => target.service?.name === name && target.service.namespace === namespace),
    );
    if (!isTraffic || Object.keys(selector).length === 0) return [];
    const generation = selector[`${LABEL}generation`];
    const found = generation === undefined ? undefined : one('clustergenerations', generation);
    const behind = all('pods').filter(
      (pod) =>
        pod.metadata.namespace === namespace &&
        Object.entries(selector).every(([label, value]) => pod.metadata.labels?.[label] === value) &&
        isReady(pod) &&
        !pod.metadata.deletionTimestamp,
    );
    return [
      ...(behind.length === 0 ? [`S1: Service ${namespace}/${name} was pointed at nothing that is Ready`] : []),
      ...(generation !== undefined && !found
        ? [`S1: Service ${namespace}/${name} was pointed at ${generation}, which is not there`]
        : []),
      ...(found?.metadata.deletionTimestamp || found?.status.retiredTime
        ? [`S1: Service ${namespace}/${name} was pointed at ${generation}, which is being removed`]
        : []),
    ];
  };

  const held = ({ status }: ClusterGeneration): boolean =>
    status?.retiredTime === undefined && (status?.reservedBy !== undefined || Boolean(status?.liveTime));

  /** S2 as far as Kubernetes shows it. */
  const machine = (name: string, before: Node | undefined, after: Node | undefined): string[] => {
    const node = after ?? before;
    const generation = node?.metadata.labels?.[`${LABEL}generation`];
    const owner = generation === undefined ? undefined : one('clustergenerations', generation);
    if (!owner || !held(owner)) return [];
    const what = `Node ${name} of ${generation}, reserved or live and not retired,`;
    if (!after || after.metadata.deletionTimestamp) return [`S2: ${what} was deleted`];
    if (after.spec?.unschedulable) return [`S2: ${what} was cordoned`];
    if (after.spec?.taints?.some(({ effect }) => effect === 'NoExecute')) return [`S2: ${what} was tainted NoExecute`];
    return [];
  };

  /** S3, and what the policies rest on. */
  const pointer = (platform: Platform): string[] => {
    const { name } = platform.metadata;
    const { live, protected: names = [] } = platform.status ?? {};
    if (!live)
      return (history.live[name]?.length ?? 0) > 0 ? [`S3: Platform ${name} has no live generation any more`] : [];
    const generation = one('clustergenerations', live.name);
    const problems = [
      ...(generation?.metadata.uid === live.uid
        ? []
        : [`S3: ${name} points at ${live.name} by UID ${live.uid}, which is not there`]),
      ...(generation?.metadata.deletionTimestamp ? [`S3: the live generation ${live.name} is being deleted`] : []),
      ...(generation?.status.retiredTime ? [`S3: the live generation ${live.name} is retired`] : []),
      ...(generation && !generation.status.liveTime ? [`S3: the live generation ${live.name} has no liveTime`] : []),
      ...(names.includes(live.name) ? [] : [`S3: the live generation ${live.name} is not protected`]),
    ];
    const open = all('clustergenerations').filter(
      ({ metadata, spec, status }) =>
        spec.platform === name && status?.liveTime && !status.retiredTime && !names.includes(metadata.name),
    );
    return [
      ...problems,
      ...open.map(({ metadata }) => `S2: ${metadata.name} was live, is not retired and not protected`),
    ];
  };

  /** S9: of a task that may run once, one pod at most has been let go and has not ended. */
  const singletons = (pod: Kinds['pods']): string[] => {
    const platform = one('platforms', pod.metadata.labels?.[`${LABEL}platform`] ?? '');
    const role = pod.metadata.labels?.[`${LABEL}role`];
    if (platform?.spec.roles.find(({ name }) => name === role)?.handover !== 'Singleton') return [];
    const task = pod.metadata.labels?.app;
    const running = all('pods').filter(
      (other) =>
        other.metadata.namespace === pod.metadata.namespace &&
        other.metadata.labels?.app === task &&
        (other.spec?.schedulingGates ?? []).length === 0 &&
        !hasEnded(other),
    );
    if (running.length <= 1) return [];
    return [
      `S9: ${running.length} pods of task ${task} at once: ${running.map(({ metadata }) => metadata.name).join(', ')}`,
    ];
  };

  return {
    moves: () => structuredClone(history),
    take({ plural, key, object, number }) {
      const of = state.get(plural) ?? new Map<string, Observed>();
      state.set(plural, of);
      const before = of.get(key);
      if (object) of.set(key, object);
      else of.delete(key);
      const problems: string[] = [];
      switch (plural) {
        case 'platforms': {
          const platform = object as unknown as Platform | undefined;
          if (!platform) break;
          problems.push(...pointer(platform));
          if (platform.status?.live) remember(history.live, key, platform.status.live.name);
          break;
        }
        case 'clustergenerations': {
          const { status, spec } = (object ?? { status: {} }) as unknown as ClusterGeneration;
          if (status?.liveTime || history.liveTimes[key]) remember(history.liveTimes, key, status?.liveTime ?? NONE);
          const platform = one('platforms', spec?.platform ?? '');
          if (platform) problems.push(...pointer(platform));
          break;
        }
        case 'services': {
          const service = object as unknown as Service | undefined;
          if (!service?.spec?.selector) break;
          const text = selectorText(service.spec.selector);
          if (text !== selectorText((before as unknown as Service | undefined)?.spec?.selector ?? {})) {
            remember(history.selectors, key, text);
            problems.push(...switched(service));
          }
          break;
        }
        case 'nodes':
          problems.push(...machine(key, before as unknown as Node | undefined, object as unknown as Node | undefined));
          break;
        case 'pods':
          if (object) problems.push(...singletons(object as unknown as Kinds['pods']));
          break;
        case 'jobs': {
          const uid = object?.metadata.labels?.[`${LABEL}cutover-uid`];
          if (object && uid !== undefined) {
            const job = `${object.metadata.name} ${object.metadata.uid}`;
            history.jobs[uid] ??= [];
            if (!history.jobs[uid].includes(job)) history.jobs[uid].push(job);
          }
          break;
        }
        default:
      }
      if (['platforms', 'services', 'endpointslices', 'nodes'].includes(plural))
        problems.push(...all('platforms').flatMap(traffic));
      return problems.map((problem) => `${problem} (revision ${number}, ${plural} ${key})`);
    },
  };
}

const hasEnded = ({ status }: Pod): boolean => {
  const containers = status?.containerStatuses ?? [];
  const over = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  return over && containers.every(({ state }) => state?.terminated !== undefined || state?.running === undefined);
};

/** `generation` of a selector that has one, else the whole: what is compared over rounds. */
function selectorText(selector: Record<string, string>): string {
  const generation = selector[`${LABEL}generation`];
  if (generation !== undefined) return generation;
  return Object.entries(selector)
    .map(([label, value]) => `${label}=${value}`)
    .join(',');
}
