import type { Cloud } from '../cloud.ts';
import { instanceTypesNotFound, subnetNotFound } from '../errors.ts';
import type { InstanceType, LaunchTemplate } from '../scenario/schema.ts';
import type { Subnet } from '../state/subnet.ts';
import { integer, list } from '../wire/parameters.ts';
import type { Answer } from '../wire/xml.ts';
import type { Action } from './action.ts';
import { filtering } from './filters.ts';
import { defaultVersion, type LaunchTemplateVersion, templateOf, versionOf } from './launch-template.ts';
import { pageOf, sliced } from './paging.ts';

/** Subnets and how many addresses of each are free. */
export const describeSubnets: Action = {
  parameters: ['SubnetId', 'Filter', 'MaxResults', 'NextToken'],
  run(cloud, { parameters }) {
    const page = pageOf(parameters);
    const ids = list(parameters, 'SubnetId');
    const missing = ids.find((id) => !cloud.subnets.has(id));
    if (missing !== undefined) throw subnetNotFound(missing);
    const matches = filtering<Subnet>(
      parameters,
      {
        'subnet-id': ({ id }) => [id],
        'vpc-id': () => [cloud.scenario.vpc],
        'availability-zone': ({ zone }) => [zone],
        availabilityZone: ({ zone }) => [zone],
        'cidr-block': ({ cidr }) => [cidr],
        cidr: ({ cidr }) => [cidr],
        'available-ip-address-count': ({ free }) => [String(free)],
        'owner-id': () => [cloud.scenario.account],
        state: () => ['available'],
      },
      () => ({}),
    );
    const all = [...cloud.subnets.values()].filter(({ id }) => ids.length === 0 || ids.includes(id));
    const { items, nextToken } = sliced(all.filter(matches), page);
    return { subnetSet: items.map((subnet) => subnetView(cloud, subnet)), nextToken };
  },
};

function subnetView({ scenario }: Cloud, subnet: Subnet): Answer {
  return {
    subnetId: subnet.id,
    subnetArn: `arn:aws:ec2:${scenario.region}:${scenario.account}:subnet/${subnet.id}`,
    state: 'available',
    ownerId: scenario.account,
    vpcId: scenario.vpc,
    cidrBlock: subnet.cidr,
    ipv6CidrBlockAssociationSet: [],
    assignIpv6AddressOnCreation: false,
    availableIpAddressCount: subnet.free,
    availabilityZone: subnet.zone,
    defaultForAz: false,
    mapPublicIpOnLaunch: false,
    tagSet: [],
  };
}

/** The machine types that the scenario has. */
export const describeInstanceTypes: Action = {
  parameters: ['InstanceType', 'Filter', 'MaxResults', 'NextToken'],
  run(cloud, { parameters }) {
    const page = pageOf(parameters, 'InstanceType', 5, 100);
    const names = list(parameters, 'InstanceType');
    const missing = names.filter((name) => !cloud.types.has(name));
    if (missing.length > 0) throw instanceTypesNotFound(missing);
    const matches = filtering<InstanceType>(parameters, {
      'instance-type': ({ name }) => [name],
      'vcpu-info.default-vcpus': ({ vcpus }) => [String(vcpus)],
      'memory-info.size-in-mib': ({ memoryMiB }) => [String(memoryMiB)],
      'current-generation': () => ['true'],
      'processor-info.supported-architecture': () => ['x86_64'],
    });
    const all = [...cloud.types.values()].filter(({ name }) => names.length === 0 || names.includes(name));
    const { items, nextToken } = sliced(all.filter(matches), page);
    return { instanceTypeSet: items.map(typeView), nextToken };
  },
};

function typeView({ name, vcpus, memoryMiB, networkInterfaces, addressesPerInterface }: InstanceType): Answer {
  const threads = vcpus > 1 ? 2 : 1;
  return {
    instanceType: name,
    currentGeneration: true,
    freeTierEligible: false,
    supportedUsageClasses: ['on-demand'],
    supportedRootDeviceTypes: ['ebs'],
    supportedVirtualizationTypes: ['hvm'],
    bareMetal: false,
    hypervisor: 'nitro',
    processorInfo: { supportedArchitectures: ['x86_64'] },
    vCpuInfo: { defaultVCpus: vcpus, defaultCores: Math.max(1, vcpus / threads), defaultThreadsPerCore: threads },
    memoryInfo: { sizeInMiB: memoryMiB },
    networkInfo: {
      maximumNetworkInterfaces: networkInterfaces,
      ipv4AddressesPerInterface: addressesPerInterface,
    },
    instanceStorageSupported: false,
    hibernationSupported: false,
    burstablePerformanceSupported: false,
    dedicatedHostsSupported: false,
    autoRecoverySupported: true,
  };
}

/** Versions of one launch template: those named, or all, newest first. */
export const describeLaunchTemplateVersions: Action = {
  parameters: [
    'LaunchTemplateId',
    'LaunchTemplateName',
    'LaunchTemplateVersion',
    'MinVersion',
    'MaxVersion',
    'MaxResults',
    'NextToken',
  ],
  run(cloud, { parameters }) {
    const page = pageOf(parameters, undefined, 1, 200);
    const template = templateOf(cloud, parameters);
    const named = list(parameters, 'LaunchTemplateVersion').map((version) => versionOf(template, version));
    const lowest = integer(parameters, 'MinVersion') ?? 1;
    const highest = integer(parameters, 'MaxVersion') ?? Number.POSITIVE_INFINITY;
    const chosen = (named.length > 0 ? named : template.versions)
      .filter(({ version }) => version >= lowest && version <= highest)
      .toSorted((a, b) => b.version - a.version);
    const { items, nextToken } = sliced(chosen, page);
    return { launchTemplateVersionSet: items.map((one) => versionView(cloud, template, one)), nextToken };
  },
};

function versionView({ startedAt, scenario }: Cloud, template: LaunchTemplate, one: LaunchTemplateVersion): Answer {
  return {
    launchTemplateId: template.id,
    launchTemplateName: template.name,
    versionNumber: one.version,
    createTime: new Date(startedAt),
    createdBy: `arn:aws:iam::${scenario.account}:root`,
    defaultVersion: one.version === defaultVersion(template),
    launchTemplateData: {
      imageId: one.image,
      instanceType: one.instanceType,
      securityGroupIdSet: one.securityGroups,
    },
  };
}
