import { Counter, type Registry } from 'prom-client';

/** What the operator does to the world outside: calls to a cloud, acts of destruction, refusals. */
export type OperationMetrics = {
  cloud(call: { operation: string; outcome: string; sent: boolean }): void;
  interlock: { destroyed(what: string, count: number): void; refused(what: string): void };
};

/** Registers the meters of {@link OperationMetrics}. */
export function operationMetrics(registry: Registry): OperationMetrics {
  const registers = [registry];
  const calls = new Counter({
    name: 'cloud_calls_total',
    help: 'Calls to a cloud by operation and outcome; sent=false: held back by our own budget.',
    labelNames: ['operation', 'outcome', 'sent'],
    registers,
  });
  const destroyed = new Counter({
    name: 'destroyed_total',
    help: 'Machines terminated and pools deleted by the interlock.',
    labelNames: ['what'],
    registers,
  });
  const refused = new Counter({
    name: 'destruction_refused_total',
    help: 'Acts of destruction that the interlock refused.',
    labelNames: ['what'],
    registers,
  });
  return {
    cloud: ({ operation, outcome, sent }) => calls.inc({ operation, outcome, sent: String(sent) }),
    interlock: {
      destroyed: (what, count) => destroyed.inc({ what }, count),
      refused: (what) => refused.inc({ what }),
    },
  };
}
