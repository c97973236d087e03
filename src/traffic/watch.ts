import type { KubeClient } from '../kube/client.ts';
import { type Reflector, type ReflectorObserver, reflector } from '../kube/reflector.ts';
import { splitKey } from '../kube/resource.ts';
import { type Endpoint, type EndpointSlice, endpointSlices, type Service, services } from '../kube/resources.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Cache } from '../runtime/manager.ts';

/**
 * Follows the Services that are traffic targets, and their EndpointSlices, all the time. Two watches for each, which the API
 * server narrows to that one Service: what the rest of a cluster does costs nothing. In go the keys of the Services, out
 * comes what was last seen of each.
 */
export interface TrafficWatch extends Cache {
  /** From now on these, `namespace/name`, and no others. */
  follow(keys: readonly string[]): void;
  /** Undefined until both, the Service and its endpoints, have been read as a whole, and while a watch is broken for long; else an absence is one. */
  see(key: string): ServiceSeen | undefined;
  /** Listens to changes of what is followed, and to what has become visible. */
  subscribe(listener: (key: string) => void): void;
}

export interface ServiceSeen {
  /** Absent: there is none. */
  service?: Service | undefined;
  slices: readonly EndpointSlice[];
}

/** A watch that is broken for so long shows nothing any more. Real ms. */
const BLIND = 45_000;

interface Sight {
  service: Reflector<Service>;
  slices: Reflector<EndpointSlice>;
  whole: boolean;
  /** Since when one of the two is found broken, by the monotonic clock. */
  brokenSince: number | undefined;
  /** Settles when it is whole, or not followed any more. */
  settled: Promise<void>;
  end: AbortController;
}

/** @param targetsKnown resolves when `follow` has been told of all that there are */
export function trafficWatch(options: {
  client: Pick<KubeClient, 'transport'>;
  clock: Clock;
  log: Logger;
  observer?: ReflectorObserver;
  targetsKnown: Promise<void>;
}): TrafficWatch {
  const { clock } = options;
  const sights = new Map<string, Sight>();
  const listeners = new Set<(key: string) => void>();
  const running = new Set<Promise<void>>();
  let started: AbortSignal | undefined;

  const tell = (key: string) => {
    if (sights.get(key)?.whole) for (const listener of listeners) listener(key);
  };

  const open = (key: string): Sight => {
    const { namespace, name } = splitKey(key);
    const service = reflector({
      ...options,
      resource: services,
      namespace,
      fieldSelector: `metadata.name=${name}`,
      project: serviceView,
    });
    const slices = reflector({
      ...options,
      resource: endpointSlices,
      namespace,
      labelSelector: `kubernetes.io/service-name=${name}`,
      project: sliceView,
    });
    const end = new AbortController();
    const ended = new Promise<void>((resolve) => end.signal.addEventListener('abort', () => resolve(), { once: true }));
    const synced = Promise.all([service.synced, slices.synced]).then(() => {
      sight.whole = true;
      tell(key);
    });
    const sight: Sight = {
      service,
      slices,
      whole: false,
      brokenSince: undefined,
      end,
      settled: Promise.race([synced, ended]),
    };
    for (const { store } of [service, slices]) store.subscribe(() => tell(key));
    return sight;
  };

  /** What is broken for a moment is made up for when it is whole again; after that nobody knows what it would say. */
  const isBlind = (sight: Sight): boolean => {
    const broken = sight.service.lastError !== undefined || sight.slices.lastError !== undefined;
    sight.brokenSince = broken ? (sight.brokenSince ?? clock.monotonic()) : undefined;
    return sight.brokenSince !== undefined && clock.monotonic() - sight.brokenSince > BLIND;
  };

  const run = ({ service, slices, end }: Sight, signal: AbortSignal) => {
    const both = AbortSignal.any([signal, end.signal]);
    for (const one of [service, slices]) {
      const work = one.start(both).finally(() => running.delete(work));
      running.add(work);
    }
  };

  return {
    name: 'cache of traffic targets',
    synced: options.targetsKnown.then(async () => {
      await Promise.all([...sights.values()].map(({ settled }) => settled));
    }),
    get lastError() {
      return [...sights.values()].map(({ service, slices }) => service.lastError ?? slices.lastError).find(Boolean);
    },
    follow(keys) {
      for (const [key, { end }] of sights)
        if (!keys.includes(key)) {
          sights.delete(key);
          end.abort(new Error('not a traffic target any more'));
        }
      for (const key of keys) {
        if (sights.has(key)) continue;
        const sight = open(key);
        sights.set(key, sight);
        if (started) run(sight, started);
      }
    },
    see(key) {
      const sight = sights.get(key);
      if (!sight?.whole || isBlind(sight)) return undefined;
      return { service: sight.service.store.get(key), slices: sight.slices.store.list() };
    },
    subscribe: (listener) => void listeners.add(listener),
    async start(signal) {
      started = signal;
      for (const sight of sights.values()) run(sight, signal);
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener('abort', () => resolve(), { once: true });
      });
      await Promise.all(running);
    },
  };
}

/** What is kept of a Service: what it selects, and on which ports. */
function serviceView({ apiVersion, kind, metadata, spec = {} }: Service): Service {
  const { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp } = metadata;
  return {
    apiVersion,
    kind,
    metadata: {
      ...{ name, uid, resourceVersion, creationTimestamp },
      ...(namespace && { namespace }),
      ...(deletionTimestamp && { deletionTimestamp }),
    },
    spec: {
      ...(spec.type && { type: spec.type }),
      ...(spec.selector && { selector: spec.selector }),
      ...(spec.ports && { ports: spec.ports }),
    },
  };
}

/** What is kept of an EndpointSlice: who is behind it, and whether that answers. */
function sliceView({ apiVersion, kind, metadata, addressType, endpoints, ports }: EndpointSlice): EndpointSlice {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  return {
    apiVersion,
    kind,
    metadata: { name, uid, resourceVersion, creationTimestamp, ...(namespace && { namespace }) },
    addressType,
    endpoints: (endpoints ?? []).map(endpointView),
    ports: (ports ?? []).map((port) => (port.name === undefined ? {} : { name: port.name })),
  };
}

function endpointView({ addresses, conditions, nodeName, targetRef }: Endpoint): Endpoint {
  return {
    // Of those that are pods the UID says which; of those that somebody has written the address is all there is.
    addresses: targetRef ? [] : addresses,
    ...(conditions && { conditions }),
    ...(nodeName && { nodeName }),
    ...(targetRef?.uid && { targetRef: { uid: targetRef.uid } }),
  };
}
