import type { Cloud } from '../cloud.ts';
import type { StateName } from '../state/instance.ts';

/** The answer of GET /state: the truth now, without any consistency delay. */
export type StateView = {
  now: string;
  timeScale: number;
  region: string;
  instances: {
    id: string;
    state: StateName;
    subnet: string;
    zone: string;
    type: string;
    address: string;
    tags: Readonly<Record<string, string>>;
    terminationProtection: boolean;
    stopProtection: boolean;
    shutdownBehavior: string;
    boots: boolean;
    registered: boolean;
  }[];
  subnets: { id: string; zone: string; cidr: string; total: number; free: number }[];
  addresses: { allocationId: string; publicIp: string; instanceId: string | null }[];
  quotas: { vcpus: number };
};

/** What the cloud consists of now. */
export function stateView(cloud: Cloud): StateView {
  return {
    now: new Date(cloud.clock.now()).toISOString(),
    timeScale: cloud.clock.scale,
    region: cloud.scenario.region,
    instances: cloud.instances.all.map((one) => ({
      id: one.id,
      state: one.state.current,
      subnet: one.subnet.id,
      zone: one.subnet.zone,
      type: one.type.name,
      address: one.address,
      tags: one.tags.current,
      terminationProtection: one.terminationProtection.current,
      stopProtection: one.stopProtection.current,
      shutdownBehavior: one.shutdownBehavior.current,
      boots: one.boots,
      registered: one.registered,
    })),
    subnets: [...cloud.subnets.values()].map(({ id, zone, cidr, total, free }) => ({ id, zone, cidr, total, free })),
    addresses: [...cloud.addresses.values()].map(({ allocationId, publicIp, association }) => ({
      allocationId,
      publicIp,
      instanceId: association.current?.instanceId ?? null,
    })),
    quotas: cloud.scenario.quotas,
  };
}
