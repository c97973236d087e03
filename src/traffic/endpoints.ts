import type { Endpoint, EndpointSlice, Pod, Service } from '../kube/resources.ts';
import { isReady } from '../kube/resources.ts';

/** Where a Service's requests arrive, by its EndpointSlices. */

/** Endpoints that requests are sent to, each once: a Service of both address families has every pod twice. */
export function readyEndpoints(slices: readonly EndpointSlice[]): Endpoint[] {
  const ready = slices
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false);
  return [...new Map(ready.map((endpoint) => [endpoint.targetRef?.uid ?? endpoint, endpoint])).values()];
}

/**
 * True for an endpoint that answers what it is sent. With publishNotReadyAddresses a Service sends requests to pods that are
 * not Ready, or being deleted, too.
 */
export const answers = ({ conditions }: Endpoint): boolean =>
  conditions?.serving !== false && conditions?.terminating !== true;

/** What can take requests, and will still be there in a moment. */
export const takesTraffic = (pod: Pod): boolean => pod.metadata.deletionTimestamp === undefined && isReady(pod);

/**
 * True for an endpoint that is one of these pods, by UID: a StatefulSet's pods come back under the same name. One that names
 * no pod, because somebody wrote it by hand, is none.
 */
export const isOneOf = (pods: readonly Pod[]): ((endpoint: Endpoint) => boolean) => {
  const uids = new Set(pods.map(({ metadata }) => metadata.uid));
  return ({ targetRef }) => targetRef?.uid !== undefined && uids.has(targetRef.uid);
};

/** The ports of a Service that lead to a container port by its name: only these can be missing in a pod. */
const namedPorts = ({ spec }: Service) =>
  (spec?.ports ?? []).flatMap(({ name = '', protocol = 'TCP', targetPort }) =>
    typeof targetPort === 'string' ? [{ name, protocol, targetPort }] : [],
  );

/** Names of the container ports that a Service leads to and a pod does not have. It is an endpoint all the same. */
export function portsMissingIn({ spec }: Pod, service: Service): string[] {
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  const ports = [...(spec?.containers ?? []), ...sidecars].flatMap((container) => container.ports ?? []);
  return namedPorts(service)
    .filter(
      (wanted) =>
        !ports.some(({ name, protocol = 'TCP' }) => name === wanted.targetPort && protocol === wanted.protocol),
    )
    .map(({ targetPort }) => targetPort);
}

/** Likewise, those that no endpoint offers: requests to these ports arrive nowhere. */
export function portsNotOffered(service: Service, slices: readonly EndpointSlice[]): string[] {
  const offered = new Set(
    slices
      .filter(({ endpoints }) =>
        endpoints?.some((endpoint) => endpoint.conditions?.ready !== false && answers(endpoint)),
      )
      .flatMap(({ ports }) => (ports ?? []).map(({ name = '' }) => name)),
  );
  return namedPorts(service)
    .filter(({ name }) => !offered.has(name))
    .map(({ targetPort }) => targetPort);
}

/** True when these are all ports that a Service has. */
export const isEveryPort = (missing: readonly string[], { spec }: Service): boolean =>
  missing.length > 0 && missing.length === spec?.ports?.length;
