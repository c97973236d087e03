import type { InstanceType } from '../scenario/schema.ts';
import type { Lagged } from './lagged.ts';
import type { Subnet } from './subnet.ts';

export type StateName = 'pending' | 'running' | 'shutting-down' | 'terminated' | 'stopping' | 'stopped';

/** The numbers of the states: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceState.html */
export const stateCodes: Record<StateName, number> = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
};

/** One of a machine's network interfaces; the machine has it until it is terminated. */
export type NetworkInterface = {
  readonly id: string;
  readonly deviceIndex: number;
  /** Its primary private address. */
  readonly address: string;
  /** Further ones, which a CNI gives to pods. */
  readonly secondary: readonly string[];
  /** Blocks of 16 addresses, likewise: `10.0.0.32/28`. */
  readonly prefixes: readonly string[];
};

/** One machine. What others see late is Lagged. Times are ms since the epoch. */
export type Instance = {
  readonly id: string;
  /** Grows with every launch; what pages are cut by. */
  readonly number: number;
  readonly reservation: string;
  /** Its place in its launch. */
  readonly launchIndex: number;
  readonly clientToken: string | undefined;
  readonly subnet: Subnet;
  /** The private address of its primary network interface. */
  readonly address: string;
  /** In the order of their device index, from 0; the first is the primary one. */
  interfaces: readonly NetworkInterface[];
  type: InstanceType;
  readonly image: string;
  readonly securityGroups: readonly string[];
  launchedAt: number;
  readonly createdAt: number;
  readonly state: Lagged<StateName>;
  readonly tags: Lagged<Readonly<Record<string, string>>>;
  readonly terminationProtection: Lagged<boolean>;
  readonly stopProtection: Lagged<boolean>;
  readonly shutdownBehavior: Lagged<'stop' | 'terminate'>;
  readonly userData: string | undefined;
  /** Why it is in its state, as EC2 words it; '' for none. */
  reason: string;
  /** Why the cloud has ended it; undefined while it has not, and when a caller has. */
  stateReason: { code: string; message: string } | undefined;
  /** False for one that runs and never becomes a Node. */
  readonly boots: boolean;
  /** Set while it is a Node, or would be. */
  registered: boolean;
  /** Counts starts, so that what an earlier start had planned does not happen to a later one. */
  starts: number;
};

/**
 * Whether it counts against the vCPU quota, which is of running instances. That pending ones count and those that are
 * stopping or shutting down do not is assumed.
 */
export function usesQuota(instance: Instance): boolean {
  const state = instance.state.current;
  return state === 'pending' || state === 'running';
}

/**
 * Network interfaces for these private addresses, 15 at most. Their ids follow from the machine's, to cost no random number,
 * and never contain it.
 *
 * @param from device index of the first
 */
export function interfacesOf(instanceId: string, addresses: readonly string[], from = 0): NetworkInterface[] {
  const digits = instanceId.slice(-16);
  return addresses.map((address, index) => ({
    id: `eni-${(from + index + 1).toString(16)}${digits}`,
    deviceIndex: from + index,
    address,
    secondary: [],
    prefixes: [],
  }));
}

export const hasInterface = ({ interfaces }: Instance, id: string): boolean => interfaces.some((one) => one.id === id);
