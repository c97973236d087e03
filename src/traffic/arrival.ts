import type { TrafficTarget as Spec } from '../api/v1alpha1/index.ts';
import type { Endpoint } from '../kube/resources.ts';
import { answers } from './endpoints.ts';

/** The one rule for whether a target serves: a cutover believes a move by it, and a Platform says by it what users reach. */

/** Where requests to a Service arrive. */
export interface Arrival {
  /** Endpoints that answer, wherever they are. */
  answering: number;
  /** Endpoints that are not what the Service has to lead to. */
  elsewhere: readonly Endpoint[];
  /** Container ports that the Service leads to by name and no endpoint offers. */
  closed: readonly string[];
}

/** @param belongs true for an endpoint that is what the Service has to lead to */
export const arrivalOf = (
  endpoints: readonly Endpoint[],
  closed: readonly string[],
  belongs: (endpoint: Endpoint) => boolean,
): Arrival => ({
  answering: endpoints.filter(answers).length,
  elsewhere: endpoints.filter((endpoint) => !belongs(endpoint)),
  closed,
});

/** True when at least so many endpoints answer, on every port, and none is elsewhere. */
export const arrives = ({ answering, elsewhere, closed }: Arrival, atLeast: number): boolean =>
  answering >= atLeast && elsewhere.length === 0 && closed.length === 0;

/** Addresses that lead to one of these machines, each of which is Ready and of the right role. */
export const addressesServed = (
  ids: readonly string[],
  now: Readonly<Record<string, string>>,
  machines: ReadonlySet<string>,
): string[] => ids.filter((id) => machines.has(now[id] ?? ''));

/** Fewest ready endpoints with which a Service serves. */
export const minReadyOf = ({ minReady = 1 }: Spec): number => minReady;
