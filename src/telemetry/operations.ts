import { Counter, Gauge, type Registry } from 'prom-client';

/** What the operator does to the world outside: calls to a cloud, acts of destruction, refusals. */
export type OperationMetrics = {
  cloud(call: { operation: string; outcome: string; sent: boolean }): void;
  interlock: {
    destroyed(what: string, count: number): void;
    stopped(count: number): void;
    refused(what: string): void;
  };
  canary: {
    probed(family: string, outcome: string): void;
    /** `lastProbe`: ms since the epoch. undefined: the platform is gone. */
    judged(platform: string, report: { effective: boolean; lastProbe?: number } | undefined): void;
  };
  protectionLifted(platform: string, generation: string): void;
};

/** Registers the meters of {@link OperationMetrics}. */
export function operationMetrics(registry: Registry): OperationMetrics {
  const registers = [registry];
  const calls = new Counter({
    name: 'generations_cloud_calls_total',
    help: 'Calls to a cloud by operation and outcome; sent=false: held back by our own budget.',
    labelNames: ['operation', 'outcome', 'sent'],
    registers,
  });
  const destroyed = new Counter({
    name: 'generations_destroyed_total',
    help: 'Machines terminated and pools deleted by the interlock.',
    labelNames: ['what'],
    registers,
  });
  const stopped = new Counter({
    name: 'generations_stopped_total',
    help: 'Machines of a standby stopped by the interlock.',
    registers,
  });
  const refused = new Counter({
    name: 'generations_destruction_refused_total',
    help: 'Acts of destruction, and stops, that the interlock refused.',
    labelNames: ['what'],
    registers,
  });
  const effective = new Gauge({
    name: 'generations_guard_effective',
    help: '1 while the guard of a platform was seen to refuse what it must; 0 when it has a hole, or nobody knows.',
    labelNames: ['platform'],
    registers,
  });
  const probes = new Counter({
    name: 'generations_guard_probes_total',
    help: 'Forbidden acts tried as dry runs, by family and outcome: Denied, Skipped, Hole.',
    labelNames: ['family', 'outcome'],
    registers,
  });
  const lastProbe = new Gauge({
    name: 'generations_guard_last_probe_timestamp_seconds',
    help: 'When the guard of a platform was last probed.',
    labelNames: ['platform'],
    registers,
  });
  const lifted = new Counter({
    name: 'generations_cloud_protection_lifted_total',
    help: 'Machines of a protected generation that were found without the protection that the cloud gives them.',
    labelNames: ['platform', 'generation'],
    registers,
  });
  return {
    protectionLifted: (platform, generation) => lifted.inc({ platform, generation }),
    canary: {
      probed: (family, outcome) => probes.inc({ family, outcome }),
      judged(platform, report) {
        if (!report) {
          effective.remove({ platform });
          lastProbe.remove({ platform });
          return;
        }
        effective.set({ platform }, report.effective ? 1 : 0);
        if (report.lastProbe !== undefined) lastProbe.set({ platform }, report.lastProbe / 1000);
      },
    },
    cloud: ({ operation, outcome, sent }) => calls.inc({ operation, outcome, sent: String(sent) }),
    interlock: {
      destroyed: (what, count) => destroyed.inc({ what }, count),
      stopped: (count) => stopped.inc(count),
      refused: (what) => refused.inc({ what }),
    },
  };
}
