import type { GenerationClass, GenerationPool, MachineTemplate } from '../../api/v1alpha1/index.ts';
import { conditionOf } from '../../domain/conditions.ts';
import { STANDBY } from '../../domain/standby.ts';
import type { Capacity } from '../../providers/provider.ts';

/**
 * How many addresses of its subnet a machine takes. One is its own; a CNI takes more for pods, on the machine's first
 * interface and on others, minutes after its launch. What is declared counts, or what machines of the class hold if that is more.
 */

/** Addresses that one machine needs, and why. */
export interface Need {
  type: string;
  addresses: number;
  declared: number;
  /** What a machine of the class holds that holds more than any other, and which. */
  observed?: { addresses: number; machine: string };
}

/** What a need rests on: what the class says, what the cloud shows, and which machines are the class's. */
export interface Grounds {
  spec: Pick<GenerationClass['spec'], 'addressesPerMachine' | 'ec2'>;
  capacity: Capacity;
  pools: readonly GenerationPool[];
}

/** Addresses in a prefix that a CNI gives to an interface: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-prefix-eni.html */
const PREFIX = 16;

/**
 * Pods of a machine where addresses are no limit, below and from 30 vCPUs:
 * https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html
 */
const PODS = { small: 110, large: 250, largeFrom: 30 } as const;

/** What a machine of this template needs. */
export function needOf(template: MachineTemplate, grounds: Grounds): Need {
  const type = template.ec2?.instanceType ?? '';
  const said = template.ec2?.addressesPerMachine ?? grounds.spec.addressesPerMachine;
  const declared = said ?? byCni(type, grounds) ?? 1;
  const seen = holdingsOf(grounds);
  const alike = seen.filter((holding) => holding.type === type);
  // A type that the class has not had yet is taken for like the others, unless somebody knows better.
  const [most] = (alike.length > 0 || said !== undefined ? alike : seen).toSorted(
    (a, b) => b.addresses - a.addresses || a.machine.localeCompare(b.machine),
  );
  return {
    type,
    addresses: Math.max(declared, most?.addresses ?? 0),
    declared,
    ...(most && { observed: { addresses: most.addresses, machine: most.machine } }),
  };
}

/** `3 each: declared 1, observed 3 on i-0abc`; nothing of a machine that needs one address, as every machine does. */
export function describeNeed({ addresses, declared, observed }: Need): string | undefined {
  if (addresses === 1) return undefined;
  const seen = observed ? `, observed ${observed.addresses} on ${observed.machine}` : ', none observed yet';
  return `${addresses} each: declared ${declared}${seen}`;
}

/** The most that the CNI of the class gives to a machine of this type; undefined where the class does not say which way it works. */
function byCni(type: string, { spec, capacity }: Grounds): number | undefined {
  const limits = capacity.network[type];
  if (!limits || !spec.ec2?.podAddresses) return undefined;
  const { interfaces, addresses } = limits;
  if (spec.ec2.podAddresses === 'Secondary') return interfaces * addresses;
  const pods = (capacity.types[type] ?? 0) < PODS.largeFrom ? PODS.small : PODS.large;
  // One prefix more is kept warm.
  const wanted = 1 + PREFIX * (Math.ceil(pods / PREFIX) + 1);
  return Math.min(wanted, interfaces * (1 + (addresses - 1) * PREFIX));
}

/** What the class's machines hold. */
function holdingsOf({ capacity, pools }: Grounds): { machine: string; type: string; addresses: number }[] {
  return pools
    .flatMap(({ status }) => status.instances ?? [])
    .flatMap(({ id }) => {
      const held = capacity.held[id];
      return held ? [{ machine: id, ...held }] : [];
    });
}

/** Machines that a pool has been granted in a subnet and that do not exist yet. */
export function promised(pool: GenerationPool): { subnet: string; machines: number }[] {
  if (pool.metadata.deletionTimestamp) return [];
  return pool.spec.placement.map(({ subnet, machines }) => ({
    subnet,
    machines: Math.max(0, machines - launchedIn(pool, subnet)),
  }));
}

export const launchedIn = (pool: GenerationPool, subnet: string): number =>
  (pool.status.instances ?? []).filter((instance) => instance.subnet === subnet).length;

/** Addresses that are still to be taken for a pool: for machines to come, and by those that are there and do not hold all of theirs. */
export function addressesToCome(pool: GenerationPool, grounds: Grounds): { subnet: string; addresses: number }[] {
  const { addresses: each } = needOf(pool.spec.template, grounds);
  const coming = promised(pool).map(({ subnet, machines }) => ({ subnet, addresses: machines * each }));
  const stopped = conditionOf(pool, 'Ready')?.reason === STANDBY.stopped;
  if (pool.metadata.deletionTimestamp || stopped) return coming;
  const lacking = (pool.status.instances ?? []).map(({ id, subnet }) => ({
    subnet,
    addresses: Math.max(0, each - (grounds.capacity.held[id]?.addresses ?? 1)),
  }));
  return [...coming, ...lacking];
}
