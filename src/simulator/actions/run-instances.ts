import { type Cloud, idFor } from '../cloud.ts';
import { invalidParameterValue, noCapacity, quotaExceeded, subnetExhausted, tokenMismatch } from '../errors.ts';
import { boot, endByItself } from '../life.ts';
import { type Instance, interfacesOf, usesQuota } from '../state/instance.ts';
import { Lagged } from '../state/lagged.ts';
import { type Tree, text } from '../wire/parameters.ts';
import type { Answer } from '../wire/xml.ts';
import type { Action, Request } from './action.ts';
import { instanceView } from './instance-view.ts';
import { type Order, orderOf } from './order.ts';

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html */
const LONGEST_TOKEN = 64;

/** Launches machines of one type in one subnet: as many as it can from MinCount to MaxCount, or none. */
export const runInstances: Action = {
  parameters: [
    'MinCount',
    'MaxCount',
    'SubnetId',
    'InstanceType',
    'ImageId',
    'LaunchTemplate',
    'ClientToken',
    'TagSpecification',
    'DisableApiTermination',
    'DisableApiStop',
    'InstanceInitiatedShutdownBehavior',
    'SecurityGroupId',
    'UserData',
  ],
  run(cloud, request) {
    const { parameters, call } = request;
    const token = text(parameters, 'ClientToken');
    if (token !== undefined && token.length > LONGEST_TOKEN) throw invalidParameterValue('clientToken', token);
    const fingerprint = fingerprintOf(parameters);
    const earlier = token === undefined ? undefined : cloud.launches.get(token);
    if (earlier) {
      if (earlier.fingerprint !== fingerprint) throw tokenMismatch();
      call.replayed = true;
      return answer(cloud, earlier.reservation, earlier.instances);
    }
    const order = orderOf(cloud, parameters);
    const count = launchable(cloud, request, order);
    cloud.limits.takeResources('RunInstances', count);
    const instances = launch(cloud, request, order, count);
    const reservation = instances[0]?.reservation ?? '';
    if (token !== undefined) cloud.launches.set(token, { fingerprint, reservation, instances });
    call.machines = instances.map((instance) => instance.id);
    return answer(cloud, reservation, instances);
  },
};

function answer(cloud: Cloud, reservationId: string, instances: readonly Instance[]): Answer {
  // The answer to a launch is the truth, however late Describe calls see it.
  const instancesSet = instances.map((instance) => instanceView(cloud, instance, cloud.clock.now()));
  return { reservationId, ownerId: cloud.scenario.account, groupSet: [], instancesSet };
}

/** Everything that a repeated request must have in common with the first, whatever its order. */
function fingerprintOf(parameters: Tree): string {
  const { Action: _action, Version: _version, ClientToken: _token, ...rest } = parameters;
  return JSON.stringify(rest, (_name, value) => (value && typeof value === 'object' ? inOrder(value) : value));
}

function inOrder(tree: object): object {
  return Object.fromEntries(Object.entries(tree).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * How many machines can be launched: as many as possible up to MaxCount. EC2 documents this for capacity; that it
 * holds for addresses and quota as well is assumed. Throws when that is less than MinCount.
 */
function launchable(cloud: Cloud, { subject, call }: Request, { subnet, type, min, max }: Order): number {
  const quota = cloud.scenario.quotas.vcpus;
  const used = cloud.instances.all.filter(usesQuota).reduce((sum, instance) => sum + instance.type.vcpus, 0);
  const byQuota = Math.floor(Math.max(0, quota - used) / type.vcpus);
  if (byQuota < min) throw quotaExceeded(quota);
  const byAddresses = Math.floor(subnet.free / cloud.scenario.networkInterfaces);
  if (byAddresses < min) throw subnetExhausted(subnet.id);
  const wanted = Math.min(max, byQuota, byAddresses);
  const capacity = cloud.faults.capacity(subject, wanted);
  if (capacity.fault !== undefined) {
    call.faults = [...(call.faults ?? []), capacity.fault];
    cloud.faults.acted(capacity.fault);
  }
  if (capacity.count < min) throw noCapacity(type.name, subnet.zone);
  return capacity.count;
}

function launch(
  cloud: Cloud,
  { parameters, caller, subject, call, now }: Request,
  order: Order,
  count: number,
): Instance[] {
  const clientToken = text(parameters, 'ClientToken');
  const reservation = idFor(cloud, 'r');
  const broken = cloud.faults.launched(subject, count);
  const names = broken.flatMap((fault) => fault?.name ?? []);
  if (names.length > 0) call.faults = [...new Set([...(call.faults ?? []), ...names])];
  return broken.map((fault, launchIndex) => {
    const id = idFor(cloud, 'i');
    const addresses = Array.from({ length: cloud.scenario.networkInterfaces }, () => order.subnet.take() ?? '');
    const instance: Instance = {
      id,
      number: cloud.ledger.machines.size + 1,
      reservation,
      launchIndex,
      clientToken,
      subnet: order.subnet,
      address: addresses[0] ?? '',
      interfaces: interfacesOf(id, addresses),
      type: order.type,
      image: order.image,
      securityGroups: order.securityGroups,
      launchedAt: now,
      createdAt: now,
      state: new Lagged('pending', now),
      tags: new Lagged(order.tags, now),
      terminationProtection: new Lagged(order.terminationProtection, now),
      stopProtection: new Lagged(order.stopProtection, now),
      shutdownBehavior: new Lagged(order.shutdownBehavior, now),
      userData: text(parameters, 'UserData'),
      reason: '',
      stateReason: undefined,
      boots: fault?.effect.neverBoots === undefined,
      registered: false,
      starts: 0,
    };
    cloud.instances.add(instance);
    cloud.ledger.machines.set(instance.id, {
      id: instance.id,
      subnet: order.subnet.id,
      zone: order.subnet.zone,
      type: order.type.name,
      address: instance.address,
      launchedBy: caller,
      ...(clientToken === undefined ? {} : { clientToken }),
      tags: order.tags,
      launched: new Date(now).toISOString(),
      ...(fault?.effect.neverBoots === undefined ? {} : { neverBoots: true as const }),
    });
    boot(cloud, instance, now);
    if (fault?.effect.ends) endByItself(cloud, instance, now, fault.effect.ends);
    return instance;
  });
}
