import type { Cloud } from './cloud.ts';
import type { Machine } from './nodes/registry.ts';
import type { FaultSpec } from './scenario/fault.ts';
import type { Spread } from './scenario/schema.ts';
import { type Instance, interfacesOf, type StateName } from './state/instance.ts';

/** Real ms that something takes this time. */
function drawn(cloud: Cloud, { median, spread }: Spread): number {
  return cloud.clock.scaled(Math.max(0, median + spread * (2 * cloud.clock.random() - 1)));
}

/** Boots a pending machine: it runs after the boot time and, if it boots, becomes a Node after the registration time. */
export function boot(cloud: Cloud, instance: Instance, now: number): void {
  const { times } = cloud.scenario;
  const start = ++instance.starts;
  const registration = drawn(cloud, times.registration);
  cloud.agenda.at(now + drawn(cloud, times.boot), (at) => {
    if (instance.starts !== start || instance.state.current !== 'pending') return;
    instance.state.set('running', at);
    cloud.ledger.machine(instance.id, { running: iso(at) });
    if (!instance.boots) return;
    cloud.agenda.at(at + registration, (at) => {
      if (instance.starts !== start || instance.state.current !== 'running') return;
      instance.registered = true;
      cloud.nodes.want(machineOf(cloud, instance), 'up');
      givePodsAddresses(cloud, instance, at);
    });
  });
}

/** Plays the CNI of a new Node, if there is one: it attaches interfaces and takes addresses and prefixes, as far as the subnet has them. */
function givePodsAddresses(cloud: Cloud, instance: Instance, registered: number): void {
  const { cni } = cloud.scenario;
  if (!cni) return;
  const start = instance.starts;
  cloud.agenda.at(registered + drawn(cloud, cni.after), () => {
    if (instance.starts !== start) return;
    const { subnet, interfaces } = instance;
    const taken = <T>(count: number, take: () => T | undefined) =>
      Array.from({ length: Math.max(0, count) }, take).filter((one) => one !== undefined);
    const addresses = (count: number) => taken(count, () => subnet.take());
    const more = interfacesOf(instance.id, addresses(cni.interfaces - interfaces.length), interfaces.length);
    instance.interfaces = [...interfaces, ...more].map((one) => ({
      ...one,
      secondary: [...one.secondary, ...addresses(cni.addresses - 1 - one.secondary.length)],
      prefixes: [...one.prefixes, ...taken(cni.prefixes - one.prefixes.length, () => subnet.takePrefix())],
    }));
  });
}

/** Stops a machine; it keeps its address. */
export function stop(cloud: Cloud, instance: Instance, now: number, caller: string): void {
  cloud.ledger.machine(instance.id, { stopped: iso(now), stoppedBy: caller });
  wind(cloud, instance, now, 'stopping', 'stopped');
}

/** Terminates a machine; its private addresses are free, and any Elastic IP let go, once it is terminated. */
export function terminate(cloud: Cloud, instance: Instance, now: number, caller: string): void {
  cloud.ledger.machine(instance.id, { terminated: iso(now), terminatedBy: caller });
  wind(cloud, instance, now, 'shutting-down', 'terminated');
}

/** The cloud ends a machine that it could not bring up, as EC2 does when its disk's key may not be used: no protection is asked. */
export function endByItself(
  cloud: Cloud,
  instance: Instance,
  launched: number,
  { after, code, message }: NonNullable<FaultSpec['effect']['ends']>,
): void {
  cloud.agenda.at(launched + cloud.clock.scaled(after), (at) => {
    const state = instance.state.current;
    if (state === 'shutting-down' || state === 'terminated') return;
    terminate(cloud, instance, at, 'the cloud');
    instance.reason = code;
    instance.stateReason = { code, message: `${code}: ${message}` };
  });
}

/** Somebody halts a running machine from inside: no protection is asked, only what a shutdown means for it. */
export function halt(cloud: Cloud, instance: Instance, now: number): void {
  if (instance.state.current !== 'running') return;
  const end = instance.shutdownBehavior.current === 'terminate' ? terminate : stop;
  end(cloud, instance, now, 'the machine itself');
}

/** Takes an Elastic IP away from what it points at. */
export function disassociate(cloud: Cloud, allocationId: string, now: number, caller: string): void {
  cloud.addresses.get(allocationId)?.association.set(undefined, now);
  cloud.ledger.addresses
    .get(allocationId)
    ?.history.push({ time: iso(now), instanceId: null, associationId: null, caller });
}

function wind(cloud: Cloud, instance: Instance, now: number, first: StateName, last: 'stopped' | 'terminated'): void {
  const start = ++instance.starts;
  instance.state.set(first, now);
  instance.reason = `User initiated (${iso(now).replace('T', ' ').slice(0, 19)} GMT)`;
  const machine = machineOf(cloud, instance);
  if (instance.registered) cloud.nodes.want(machine, 'down');
  const duration = drawn(cloud, last === 'stopped' ? cloud.scenario.times.stop : cloud.scenario.times.terminate);
  cloud.agenda.at(now + duration, (at) => {
    if (instance.starts !== start) return;
    instance.state.set(last, at);
    if (instance.registered) cloud.nodes.want(machine, 'gone');
    instance.registered = false;
    if (last === 'terminated') bury(cloud, instance, at);
  });
}

function bury(cloud: Cloud, instance: Instance, at: number): void {
  for (const { address, secondary, prefixes } of instance.interfaces) {
    for (const one of [address, ...secondary]) instance.subnet.release(one);
    for (const one of prefixes) instance.subnet.releasePrefix(one);
  }
  for (const { allocationId, association } of cloud.addresses.values()) {
    if (association.current?.instanceId === instance.id) disassociate(cloud, allocationId, at, 'ec2');
  }
  cloud.agenda.at(at + cloud.clock.scaled(cloud.scenario.times.terminatedVisible), () =>
    cloud.instances.remove(instance),
  );
}

function machineOf(cloud: Cloud, instance: Instance): Machine {
  return {
    id: instance.id,
    address: instance.address,
    zone: instance.subnet.zone,
    region: cloud.scenario.region,
    type: instance.type.name,
    vcpus: instance.type.vcpus,
    memoryMiB: instance.type.memoryMiB,
  };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
