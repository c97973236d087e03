import type { Cloud } from '../cloud.ts';
import { nodeName } from '../nodes/registry.ts';
import { type Instance, type NetworkInterface, type StateName, stateCodes } from '../state/instance.ts';
import type { Answer } from '../wire/xml.ts';

/** A state as EC2 answers it. */
export function stateView(name: StateName): Answer {
  return { code: stateCodes[name], name };
}

/** A tag set as EC2 answers it. */
export function tagSet(tags: Readonly<Record<string, string>>): Answer[] {
  return Object.entries(tags).map(([key, value]) => ({ key, value }));
}

/** The public address that an instance has at `seen` (ms since the epoch), if any: that of its primary interface. */
export function publicAddress(cloud: Cloud, { interfaces: [primary] }: Instance, seen: number): string | undefined {
  return primary && publicAddressOf(cloud, primary, seen);
}

function publicAddressOf(cloud: Cloud, { id }: NetworkInterface, seen: number): string | undefined {
  for (const { association, publicIp } of cloud.addresses.values()) {
    if (association.seen(seen)?.interfaceId === id) return publicIp;
  }
  return undefined;
}

/** An instance as RunInstances and DescribeInstances answer it, as it was at `seen`. */
export function instanceView(cloud: Cloud, instance: Instance, seen: number): Answer {
  const tags = tagSet(instance.tags.seen(seen));
  const state = instance.state.seen(seen);
  // A terminated instance has let go of its network.
  const gone = state === 'terminated';
  const publicIp = gone ? undefined : publicAddress(cloud, instance, seen);
  const winding = state !== 'pending' && state !== 'running';
  return {
    instanceId: instance.id,
    imageId: instance.image,
    instanceState: stateView(state),
    privateDnsName: gone ? '' : nodeName(instance.address, cloud.scenario.region),
    dnsName: '',
    reason: winding ? instance.reason : '',
    amiLaunchIndex: instance.launchIndex,
    instanceType: instance.type.name,
    // EC2 knows launch times to the second.
    launchTime: new Date(Math.floor(instance.launchedAt / 1000) * 1000),
    placement: { availabilityZone: instance.subnet.zone, groupName: '', tenancy: 'default' },
    monitoring: { state: 'disabled' },
    subnetId: gone ? undefined : instance.subnet.id,
    vpcId: gone ? undefined : cloud.scenario.vpc,
    privateIpAddress: gone ? undefined : instance.address,
    ipAddress: publicIp,
    sourceDestCheck: gone ? undefined : true,
    groupSet: gone ? [] : instance.securityGroups.map((groupId) => ({ groupId, groupName: groupId })),
    stateReason: winding
      ? (instance.stateReason ?? {
          code: 'Client.UserInitiatedShutdown',
          message: 'Client.UserInitiatedShutdown: User initiated shutdown',
        })
      : state === 'pending'
        ? { code: 'pending', message: 'pending' }
        : undefined,
    architecture: 'x86_64',
    rootDeviceType: 'ebs',
    rootDeviceName: '/dev/xvda',
    blockDeviceMapping: [],
    virtualizationType: 'hvm',
    clientToken: instance.clientToken ?? '',
    // An instance without tags has no tag set at all.
    tagSet: tags.length > 0 ? tags : undefined,
    hypervisor: 'xen',
    networkInterfaceSet: gone ? [] : instance.interfaces.map((one) => interfaceView(cloud, instance, one, seen)),
    ebsOptimized: false,
    enaSupport: true,
    cpuOptions: { coreCount: Math.max(1, instance.type.vcpus / 2), threadsPerCore: instance.type.vcpus > 1 ? 2 : 1 },
  };
}

function interfaceView(cloud: Cloud, instance: Instance, one: NetworkInterface, seen: number): Answer {
  const { id, deviceIndex, address, secondary, prefixes } = one;
  const publicIp = publicAddressOf(cloud, one, seen);
  const association = publicIp && { publicIp, publicDnsName: '', ipOwnerId: cloud.scenario.account };
  const privateDnsName = nodeName(address, cloud.scenario.region);
  return {
    networkInterfaceId: id,
    subnetId: instance.subnet.id,
    vpcId: cloud.scenario.vpc,
    description: '',
    ownerId: cloud.scenario.account,
    status: 'in-use',
    macAddress: `02:00:${address
      .split('.')
      .map((octet) => Number(octet).toString(16).padStart(2, '0'))
      .join(':')}`,
    privateIpAddress: address,
    privateDnsName,
    sourceDestCheck: true,
    groupSet: instance.securityGroups.map((groupId) => ({ groupId, groupName: groupId })),
    attachment: {
      attachmentId: id.replace('eni-', 'eni-attach-'),
      deviceIndex,
      networkCardIndex: 0,
      status: 'attached',
      attachTime: new Date(Math.floor(instance.createdAt / 1000) * 1000),
      deleteOnTermination: true,
    },
    association: association || undefined,
    privateIpAddressesSet: [
      { privateIpAddress: address, privateDnsName, primary: true, association: association || undefined },
      ...secondary.map((one) => ({
        privateIpAddress: one,
        privateDnsName: nodeName(one, cloud.scenario.region),
        primary: false,
      })),
    ],
    ipv4PrefixSet: prefixes.length > 0 ? prefixes.map((ipv4Prefix) => ({ ipv4Prefix })) : undefined,
    ipv6AddressesSet: [],
    interfaceType: 'interface',
  };
}

/** Instances as reservations, the groups in which they were launched. */
export function reservationSet(cloud: Cloud, instances: readonly Instance[], seen: number): Answer[] {
  return [...Map.groupBy(instances, (instance) => instance.reservation)].map(([reservationId, group]) => ({
    reservationId,
    ownerId: cloud.scenario.account,
    groupSet: [],
    instancesSet: group.map((instance) => instanceView(cloud, instance, seen)),
  }));
}
