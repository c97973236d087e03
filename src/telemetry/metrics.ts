import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ControllerObserver } from '../runtime/controller.ts';

export type Metrics = {
  registry: Registry;
  /** For `controller`. */
  controller: Required<ControllerObserver>;
  /** For the client's transport. */
  api: { answered(verb: string, code: string, seconds: number): void };
  /** For `reflector`. */
  watch: {
    listed(resource: string, way: 'streamed' | 'paged'): void;
    watchOver(resource: string, why: 'ended' | 'expired' | 'failed'): void;
  };
  /** For `leaderElection`. */
  lease: { leading(lease: string, leads: boolean): void };
};

/** Seconds; a reconcile that only reads its caches takes about a millisecond, one that waits for a cloud seconds. */
const BUCKETS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60];

/** A registry with the process's own metrics and those of the operator kit, and observers that fill them. */
export function metrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const reconciles = new Counter({
    name: 'generations_reconcile_total',
    help: 'Reconciles by controller and outcome: success, error, timeout.',
    labelNames: ['controller', 'outcome'],
    registers,
  });
  const durations = new Histogram({
    name: 'generations_reconcile_duration_seconds',
    help: 'How long reconciles took.',
    labelNames: ['controller'],
    buckets: BUCKETS,
    registers,
  });
  const depth = new Gauge({
    name: 'generations_workqueue_depth',
    help: 'Keys that wait for a worker.',
    labelNames: ['controller'],
    registers,
  });
  const requests = new Counter({
    name: 'generations_kube_api_requests_total',
    help: 'Requests to the API server by verb and HTTP status; code "error" got no answer.',
    labelNames: ['verb', 'code'],
    registers,
  });
  const latency = new Histogram({
    name: 'generations_kube_api_request_duration_seconds',
    help: "Time until the API server's answer began.",
    labelNames: ['verb'],
    buckets: BUCKETS,
    registers,
  });
  const lists = new Counter({
    name: 'generations_kube_lists_total',
    help: 'Collections read as a whole, by the way: streamed or paged.',
    labelNames: ['resource', 'way'],
    registers,
  });
  const watches = new Counter({
    name: 'generations_kube_watch_restarts_total',
    help: 'Watches that were over: ended by the server, expired (listed again), failed.',
    labelNames: ['resource', 'why'],
    registers,
  });
  const leader = new Gauge({
    name: 'generations_leader',
    help: '1 while this process holds the lease.',
    labelNames: ['lease'],
    registers,
  });
  return {
    registry,
    controller: {
      reconciled(controller, outcome, seconds) {
        reconciles.inc({ controller, outcome });
        durations.observe({ controller }, seconds);
      },
      depth: (controller, waiting) => depth.set({ controller }, waiting),
    },
    api: {
      answered(verb, code, seconds) {
        requests.inc({ verb, code });
        latency.observe({ verb }, seconds);
      },
    },
    watch: {
      listed: (resource, way) => lists.inc({ resource, way }),
      watchOver: (resource, why) => watches.inc({ resource, why }),
    },
    lease: { leading: (lease, leads) => leader.set({ lease }, leads ? 1 : 0) },
  };
}
