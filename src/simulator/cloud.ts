/**
 * simulator/ is a cloud in one process: it answers EC2's query protocol from memory, lets machines boot and die, and
 * plays their kubelets. In go a scenario (scenario/), requests (server.ts) and time; out come answers (wire/), Nodes
 * (nodes/) and a ledger of all that happened (control/). It shares no code with the operator beyond the Kubernetes
 * client and the engine room, so that it cannot share its mistakes.
 */
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { Faults } from './faults/engine.ts';
import { type NodeObserver, type NodeRegistry, noNodes } from './nodes/registry.ts';
import type { InstanceType, LaunchTemplate, Scenario } from './scenario/schema.ts';
import type { Address } from './state/address.ts';
import { Agenda } from './state/agenda.ts';
import { newId } from './state/id.ts';
import type { Instance } from './state/instance.ts';
import { Instances } from './state/instances.ts';
import { Lagged } from './state/lagged.ts';
import { Ledger } from './state/ledger.ts';
import { Limits } from './state/limits.ts';
import { Subnet } from './state/subnet.ts';

/** A launch that succeeded, kept by its ClientToken. */
export type Launch = { fingerprint: string; reservation: string; instances: Instance[] };

/** Everything that the simulated cloud consists of. Actions read and change it; nothing else does. */
export type Cloud = {
  readonly scenario: Scenario;
  readonly clock: Clock;
  readonly log: Logger;
  readonly startedAt: number;
  readonly agenda: Agenda;
  readonly instances: Instances;
  readonly subnets: ReadonlyMap<string, Subnet>;
  readonly types: ReadonlyMap<string, InstanceType>;
  readonly templates: ReadonlyMap<string, LaunchTemplate>;
  readonly addresses: Map<string, Address>;
  readonly launches: Map<string, Launch>;
  readonly limits: Limits;
  readonly faults: Faults;
  readonly ledger: Ledger;
  nodes: NodeRegistry;
  /** How much older than usual the answer is that is being made, by a fault. Real ms. */
  behind: number;
};

/** A cloud as the scenario describes it, with no machines in it. Its random numbers are the clock's. */
export function createCloud(scenario: Scenario, clock: Clock, log: Logger): Cloud {
  const now = clock.now();
  const ledger = new Ledger();
  for (const { allocationId, publicIp } of scenario.addresses) {
    ledger.addresses.set(allocationId, { publicIp, history: [] });
  }
  return {
    scenario,
    clock,
    log,
    startedAt: now,
    agenda: new Agenda(clock),
    instances: new Instances(),
    subnets: new Map(scenario.subnets.map((spec) => [spec.id, new Subnet(spec)])),
    types: new Map(scenario.instanceTypes.map((type) => [type.name, type])),
    templates: new Map(scenario.launchTemplates.map((template) => [template.id, template])),
    addresses: new Map(
      scenario.addresses.map((spec) => [
        spec.allocationId,
        {
          ...spec,
          association: new Lagged<Address['association']['current']>(undefined, now),
          tags: new Lagged({}, now),
        },
      ]),
    ),
    launches: new Map(),
    limits: new Limits(scenario.buckets, clock, scenario.account),
    faults: new Faults(scenario.faults, clock),
    ledger,
    nodes: noNodes,
    behind: 0,
  };
}

/** The time of which Describe calls see the state, ms since the epoch. */
export function seenAt(cloud: Cloud): number {
  return cloud.clock.now() - cloud.clock.scaled(cloud.scenario.times.consistency) - cloud.behind;
}

/** A new id such as `i-0f3a...`: the prefix and 17 hexadecimal digits. */
export function idFor(cloud: Cloud, prefix: string): string {
  return newId(cloud.clock, prefix);
}

/** Writes into the ledger what becomes of Nodes. */
export function nodeObserver(cloud: Cloud): NodeObserver {
  const iso = (at: number) => new Date(at).toISOString();
  return {
    registered: ({ id }, nodeName, at) => cloud.ledger.machine(id, { nodeRegistered: iso(at), nodeName }),
    removed: ({ id }, at) => cloud.ledger.machine(id, { nodeRemoved: iso(at) }),
  };
}
