import { Gauge, type Registry } from 'prom-client';

/** An unfinished cutover, as far as somebody may have to be called for it. */
export interface CutoverSight {
  platform: string;
  cutover: string;
  /** It has moved something, or holds the platform. */
  begun: boolean;
  blocked: boolean;
  /** Traffic targets behind their maintenance responder. */
  held: number;
}

/** Registers the meters of unfinished cutovers. They are read where these stand, each time that somebody asks. */
export function cutoverMetrics(registry: Registry, unfinished: () => CutoverSight[]): void {
  const gauge = (name: string, help: string, value: (sight: CutoverSight) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['platform', 'cutover', 'begun'],
      registers: [registry],
      collect() {
        this.reset();
        for (const sight of unfinished()) {
          const { platform, cutover, begun } = sight;
          this.set({ platform, cutover, begun: String(begun) }, value(sight));
        }
      },
    });
  gauge(
    'generations_cutover_blocked',
    '1 while an unfinished cutover cannot go on, 0 while it can. begun=false: it has moved nothing yet.',
    ({ blocked }) => (blocked ? 1 : 0),
  );
  gauge(
    'generations_cutover_held_targets',
    'Traffic targets that an unfinished cutover holds behind their maintenance responder.',
    ({ held }) => held,
  );
}
