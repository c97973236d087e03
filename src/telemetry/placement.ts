import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Pods of Follow and Singleton roles: how long they wait to be placed, and what keeps some from it. */
export type PlacementMetrics = {
  placed(platform: string, role: string, seconds: number): void;
  ended(platform: string, role: string, because: string): void;
  lost(platform: string, count: number): void;
};

/** Registers the meters of {@link PlacementMetrics}. */
export function placementMetrics(registry: Registry): PlacementMetrics {
  const registers = [registry];
  const wait = new Histogram({
    name: 'generations_placement_wait_seconds',
    help: 'From the creation of a pod of a Follow or Singleton role until its gate was lifted. The API server keeps whole seconds.',
    labelNames: ['platform', 'role'],
    buckets: [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600],
    registers,
  });
  const ended = new Counter({
    name: 'generations_placement_ended_total',
    help: 'Pods ended so that they start elsewhere, for a cutover, or because their machine is off.',
    labelNames: ['platform', 'role', 'because'],
    registers,
  });
  const lost = new Gauge({
    name: 'generations_placement_lost_pods',
    help: 'Pods on Nodes that do not answer whose machine is not known to be off: their tasks do not run.',
    labelNames: ['platform'],
    registers,
  });
  return {
    placed: (platform, role, seconds) => wait.observe({ platform, role }, seconds),
    ended: (platform, role, because) => ended.inc({ platform, role, because }),
    lost: (platform, count) => lost.set({ platform }, count),
  };
}
