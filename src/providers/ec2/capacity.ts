import type { _InstanceType } from '@aws-sdk/client-ec2';
import ipaddr from 'ipaddr.js';
import type { Clock } from '../../runtime/clock.ts';
import type { Capacity, Provider, Subnet } from '../provider.ts';
import { share, shareEach } from '../share.ts';
import type { Client } from './client.ts';
import { incomplete, invalidTemplate } from './errors.ts';
import { addressesHeld, describeInstances } from './observe.ts';

/** What limits a launch: addresses of subnets, vCPUs of types, the account's quota and what is used of it. */

/** Addresses of each subnet that are AWS's own: https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html */
const RESERVED_ADDRESSES = 5;

/** "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", in vCPUs. */
const QUOTA_CODE = 'L-1216C47A';

/** The families that this quota is about; im and is are of the I family. Others (GPUs, X, U, ...) have quotas of their own. */
const STANDARD = /^(a|c|d|h|i|im|is|m|r|t|z)[0-9]/;

/** EC2's most in one DescribeInstanceTypes. */
const TYPES_AT_ONCE = 100;

/** Sets of types under way at once, at most. */
const TYPE_SETS = 64;

/** Sets of subnets whose answers are kept: one for each class of the account, and some to spare. */
const SUBNET_SETS = 64;

/** Ms for which a quota is believed: it changes by a request to support. In declared time. */
const QUOTA_AGE = 5 * 60_000;

const planned = 'planned' as const;

/** Answers `capacity` for one account, sharing what several pools ask at the same time. */
export function capacityOf(client: Client, clock: Clock, typesOf: TypeCatalogue): Provider['capacity'] {
  const subnets = shareEach(clock, SUBNET_SETS, (key) => describeSubnets(client, key.split(',')));
  const quota = share(clock, () => readQuota(client));
  const used = share(clock, async () => {
    const running = await describeInstances(
      client,
      [{ Name: 'instance-state-name', Values: ['pending', 'running'] }],
      'pending and running machines of the account',
      planned,
    );
    const counted = running.filter(
      ({ InstanceType, InstanceLifecycle }) => STANDARD.test(InstanceType ?? '') && InstanceLifecycle !== 'spot',
    );
    const types = counted.map(({ InstanceType }) => InstanceType ?? '');
    const known = await typesOf(types);
    const held = running.map((one) => [
      one.InstanceId ?? '',
      { type: one.InstanceType ?? '', addresses: addressesHeld(one) },
    ]);
    return {
      vcpus: types.reduce((sum, type) => sum + (known.get(type)?.vcpus ?? 0), 0),
      held: Object.fromEntries(held) as Capacity['held'],
    };
  });
  return async ({ subnets: ids, types }, maxAge): Promise<Capacity> => {
    const foreign = types.find((type) => !STANDARD.test(type));
    if (foreign !== undefined) {
      throw invalidTemplate(
        'UnsupportedQuota',
        `Machine type ${foreign} counts against another quota than the one that can be proved (${QUOTA_CODE}: ` +
          'On-Demand vCPUs of the families A, C, D, H, I, M, R, T and Z). Use a type of these families.',
      );
    }
    // One after the other: the first of them that fails is the one to report.
    const known = await typesOf(types);
    const found = ids.length > 0 ? await subnets([...new Set(ids)].sort().join(','), maxAge) : [];
    return {
      subnets: found,
      types: Object.fromEntries(types.map((type) => [type, known.get(type)?.vcpus ?? 0])),
      network: Object.fromEntries(types.flatMap((type) => networkOf(type, known))),
      vcpus: { quota: await quota(Math.max(maxAge, clock.scaled(QUOTA_AGE))), used: (await used(maxAge)).vcpus },
      held: (await used(maxAge)).held,
    };
  };
}

/** What a type has. */
interface TypeFacts {
  vcpus: number;
  network?: Capacity['network'][string];
}

export type TypeCatalogue = (types: readonly string[]) => Promise<ReadonlyMap<string, TypeFacts>>;

function networkOf(type: string, known: ReadonlyMap<string, TypeFacts>): [string, Capacity['network'][string]][] {
  const network = known.get(type)?.network;
  return network ? [[type, network]] : [];
}

/** vCPUs and network by type. What a type has never changes, so each is asked for once. Throws InvalidTemplate for an unknown one. */
export function typeCatalogue(client: Client, clock: Clock): TypeCatalogue {
  const known = new Map<string, TypeFacts>();
  const ask = shareEach(clock, TYPE_SETS, async (key) => {
    const types = key.split(',');
    const answer = await client.send(
      'DescribeInstanceTypes',
      { InstanceTypes: types as _InstanceType[] },
      { priority: planned, what: `machine type ${types.join(', ')}` },
    );
    for (const { InstanceType, VCpuInfo, NetworkInfo } of answer.InstanceTypes ?? []) {
      if (!InstanceType || !VCpuInfo?.DefaultVCpus) continue;
      const { MaximumNetworkInterfaces: interfaces, Ipv4AddressesPerInterface: addresses } = NetworkInfo ?? {};
      const network = interfaces && addresses ? { interfaces, addresses } : undefined;
      known.set(InstanceType, { vcpus: VCpuInfo.DefaultVCpus, ...(network && { network }) });
    }
    const missing = types.find((type) => !known.has(type));
    if (missing !== undefined) throw incomplete('DescribeInstanceTypes', `the vCPUs of ${missing}`);
  });
  return async (types) => {
    const unknown = [...new Set(types)].filter((type) => !known.has(type)).sort();
    for (let from = 0; from < unknown.length; from += TYPES_AT_ONCE) {
      await ask(unknown.slice(from, from + TYPES_AT_ONCE).join(','), Number.POSITIVE_INFINITY);
    }
    return known;
  };
}

async function describeSubnets(client: Client, ids: string[]): Promise<Subnet[]> {
  const answer = await client.send(
    'DescribeSubnets',
    { SubnetIds: ids },
    { priority: planned, what: `subnet ${ids.join(', ')}` },
  );
  const byId = new Map((answer.Subnets ?? []).map((subnet) => [subnet.SubnetId, subnet]));
  return ids.map((id) => {
    const subnet = byId.get(id);
    if (!subnet?.CidrBlock || !ipaddr.IPv4.isValidCIDR(subnet.CidrBlock)) {
      throw incomplete('DescribeSubnets', `an IPv4 block of ${id}`);
    }
    if (subnet.AvailableIpAddressCount === undefined || !subnet.AvailabilityZone) {
      throw incomplete('DescribeSubnets', `free addresses and zone of ${id}`);
    }
    return {
      id,
      zone: subnet.AvailabilityZone,
      cidr: subnet.CidrBlock,
      total: usableAddresses(subnet.CidrBlock),
      free: subnet.AvailableIpAddressCount,
    };
  });
}

/** Whose subnets these are. By filter: one that was deleted since says nothing of the others. */
export async function ownerOf(client: Client, ids: string[]): Promise<string | undefined> {
  const answer = await client.send(
    'DescribeSubnets',
    { Filters: [{ Name: 'subnet-id', Values: ids }] },
    { priority: 'recovery', what: `owner of subnet ${ids.join(', ')}` },
  );
  if (!answer.Subnets) throw incomplete('DescribeSubnets', 'a list of subnets');
  const owners = new Set(answer.Subnets.map(({ OwnerId }) => OwnerId ?? ''));
  if (owners.has('')) throw incomplete('DescribeSubnets', 'the owner of a subnet');
  // Shared by several accounts, they are as much a mark of this one as those of one.
  return owners.size === 0 ? undefined : [...owners].toSorted().join(' ');
}

/** Addresses of an IPv4 block that machines can have. */
export function usableAddresses(cidr: string): number {
  const [, prefix] = ipaddr.IPv4.parseCIDR(cidr);
  return Math.max(0, 2 ** (32 - prefix) - RESERVED_ADDRESSES);
}

async function readQuota(client: Client): Promise<number> {
  const answer = await client.send(
    'GetServiceQuota',
    { ServiceCode: 'ec2', QuotaCode: QUOTA_CODE },
    { priority: planned, what: `quota ${QUOTA_CODE}, On-Demand vCPUs` },
  );
  const value = answer.Quota?.Value;
  if (value === undefined) throw incomplete('GetServiceQuota', `a value of ${QUOTA_CODE}`);
  return Math.floor(value);
}
