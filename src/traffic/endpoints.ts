import type { Endpoint, EndpointSlice, Pod } from '../kube/resources.ts';
import { isReady } from '../kube/resources.ts';

/** Where a Service's requests arrive, by its EndpointSlices. */

/** Endpoints that take requests, each once: a Service of both address families has every pod twice. */
export function readyEndpoints(slices: readonly EndpointSlice[]): Endpoint[] {
  const ready = slices
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false);
  return [...new Map(ready.map((endpoint) => [endpoint.targetRef?.uid ?? endpoint, endpoint])).values()];
}

/** What can take requests, and will still be there in a moment. */
export const takesTraffic = (pod: Pod): boolean => pod.metadata.deletionTimestamp === undefined && isReady(pod);

/** True for an endpoint that is one of these pods. One that names no pod, because somebody wrote it by hand, is none. */
export const isOneOf = (pods: readonly Pod[]): ((endpoint: Endpoint) => boolean) => {
  const names = new Set(pods.map(({ metadata }) => metadata.name));
  return ({ targetRef }) => targetRef?.name !== undefined && names.has(targetRef.name);
};
