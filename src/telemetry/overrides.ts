import { Gauge, type Registry } from 'prom-client';

/**
 * Registers the meter of overrides in force. It is read where they stand, each time that somebody asks, so that a
 * process that has just started shows them as well.
 */
export function overrideMetrics(registry: Registry, inForce: () => { platform: string; generation: string }[]): void {
  new Gauge({
    name: 'generations_override_in_force',
    help: '1 while two people have lifted the protection of a generation.',
    labelNames: ['platform', 'generation'],
    registers: [registry],
    collect() {
      this.reset();
      for (const labels of inForce()) this.set(labels, 1);
    },
  });
}
