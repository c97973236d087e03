import { Gauge, type Registry } from 'prom-client';

/** What was last seen of a traffic target. */
export interface TrafficSight {
  platform: string;
  target: string;
  state: string;
  ready: number;
}

/** Registers the meters of traffic targets. They are read where these stand, each time that somebody asks. */
export function trafficMetrics(registry: Registry, targets: () => TrafficSight[]): void {
  const gauge = (name: string, help: string, labelNames: string[], value: (sight: TrafficSight) => number) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        for (const sight of targets()) {
          const labels = { platform: sight.platform, target: sight.target, state: sight.state };
          this.set(
            Object.fromEntries(labelNames.map((label) => [label, labels[label as keyof typeof labels]])),
            value(sight),
          );
        }
      },
    });
  gauge(
    'generations_traffic_serving',
    '1 while a traffic target is seen to be served by the live generation. 0: its state says whether a cutover has it (Held, Moving), it is down (NotServing), or nobody knows (Unknown).',
    ['platform', 'target', 'state'],
    ({ state }) => (state === 'Serving' ? 1 : 0),
  );
  gauge(
    'generations_traffic_ready_endpoints',
    'Ready endpoints of a traffic target, or addresses of it that lead to a Ready machine of the live generation.',
    ['platform', 'target'],
    ({ ready }) => ready,
  );
}
