/**
 * providers/ is the contract between the controllers and a cloud, and its implementations. In go plain requests
 * (launch five of these there), out come plain facts (these machines exist) and ProviderErrors that say what kind of
 * trouble it is. A provider decides nothing. What destroys (lift protection, stop, terminate) is not here but in
 * `<name>/destroy.ts`, which only guard/destroy.ts imports; nothing anywhere can release an address.
 */
import type { FailureReason, MachineTemplate } from '../api/v1alpha1/index.ts';

/** Who is asking: `recovery` (the live generation) may use the share of each budget that `planned` work leaves untouched. */
export type Priority = 'planned' | 'recovery';

export type MachineState = 'pending' | 'running' | 'stopping' | 'stopped' | 'shutting-down' | 'terminated';

/** The network interface that a machine keeps for life, whichever others come and go: where its own traffic arrives. */
export interface PrimaryInterface {
  id: string;
  /** Its primary private address. */
  privateIP: string;
  /** The Elastic IP on that address. */
  elasticIP?: string;
}

/** One machine as the cloud shows it. */
export interface Machine {
  id: string;
  state: MachineState;
  type: string;
  subnet: string;
  zone: string;
  /** What a Node of this machine has as spec.providerID. */
  providerID: string;
  /** ms since the epoch */
  launchTime: number;
  /** Absent where the cloud shows none: a machine that is terminated has none. */
  primary?: PrimaryInterface;
  /** Why it is shutting down or terminated, in the cloud's own words; absent where the cloud says nothing. */
  ended?: { code: string; message: string };
  tags: Readonly<Record<string, string>>;
}

/** Addresses of a subnet; `free` as the cloud counts them: stopped machines keep theirs. */
export interface Subnet {
  id: string;
  zone: string;
  cidr: string;
  total: number;
  free: number;
}

/** What limits a launch. */
export interface Capacity {
  subnets: Subnet[];
  /** vCPUs by machine type asked for. */
  types: Record<string, number>;
  /** Network interfaces that a machine of each type can have, and addresses, or prefixes, on each. */
  network: Record<string, { interfaces: number; addresses: number }>;
  /** By machine, pending or running, of the whole account: addresses of its own subnet that it holds; a prefix counts for all of its own. */
  held: Record<string, { type: string; addresses: number }>;
  /** On-Demand vCPUs: the account's quota in the region, and what its pending and running machines use of it. */
  vcpus: { quota: number; used: number };
}

/** A request that may be repeated: the same token never makes a second set of machines. */
export interface LaunchRequest {
  token: string;
  subnet: string;
  /** Fewer may come, at least one; the caller sees how many. */
  machines: number;
  template: MachineTemplate;
  tags: Record<string, string>;
}

export interface Address {
  allocationID: string;
  publicIP: string;
  /** The machine whose primary address it points at; absent when it points nowhere, or at anything else. */
  instanceID?: string;
  /** Absent when it points nowhere. */
  associationID?: string;
}

/** Where the budget of an operation stands. */
export interface BudgetState {
  operation: string;
  requestsPerSecond: number;
  resourcesPerSecond?: number;
  throttledTotal: number;
  /** ms since the epoch */
  lastThrottledTime?: number;
}

/** What keeps a machine from being ended or stopped by anybody, as the cloud has it. */
export interface Protection {
  termination: boolean;
  stop: boolean;
}

/** Every method throws ProviderError and nothing else. Nothing is retried inside and nothing waits for a budget. */
export interface Provider {
  /**
   * All machines that carry the tag `generations.dev/cluster: <cluster>`, terminated ones as long as the cloud shows
   * them. Calls at the same time share one answer; `maxAge` (real ms) allows an answer that old.
   */
  observe(cluster: string, maxAge: number): Promise<Machine[]>;
  /** These machines as the cloud shows them now, never from a cache; one that it does not know is left out. */
  find(ids: string[]): Promise<Machine[]>;
  /** The account that these subnets belong to; undefined when the cloud shows none of them. `maxAge` as above. */
  owner(subnets: string[], maxAge: number): Promise<string | undefined>;
  /** Subnets, types and quota; `maxAge` as above. An unknown subnet or type is an InvalidTemplate error naming it. */
  capacity(query: { subnets: string[]; types: string[] }, maxAge: number): Promise<Capacity>;
  /**
   * Machines that a launch may be about now; 0: none yet. A larger one is Throttled and refused, at no cost to the
   * cloud. Size launches by this: a bucket may never hold a larger one.
   */
  affordable(priority: Priority): number;
  /** Asks for machines, protected against termination and stopping from the first moment. */
  launch(request: LaunchRequest, priority: Priority): Promise<Machine[]>;
  /**
   * Starts stopped machines, as many as the budget affords; then it throws Throttled, and the rest is to be asked for again.
   * Done already, it does no harm. A batch that the cloud has no room for is refused as a whole.
   */
  start(ids: string[], priority: Priority): Promise<void>;
  /** Protects a machine that is found without protection. */
  protect(id: string): Promise<void>;
  /** Whether a machine is protected, as the cloud shows it now. Throws when either half cannot be read: unknown is not false. */
  protection(id: string): Promise<Protection>;
  /** Sets tags on machines; set already, they do no harm. May have reached some of them when it throws. */
  tag(ids: string[], tags: Record<string, string>): Promise<void>;
  /** The addresses with these allocation ids. */
  addresses(allocationIDs: string[]): Promise<Address[]>;
  /** Points an address at a machine, at its primary address. Not atomic at EC2: describe before and after. */
  associate(allocationID: string, instanceID: string): Promise<void>;
  /** Throws InvalidTemplate when the template cannot work: unknown launch template or version, no block for this provider. */
  checkTemplate(template: MachineTemplate): Promise<void>;
  budgets(): BudgetState[];
}

/** What can take a machine's protection and life away. Held by guard/destroy.ts alone. */
export interface Destroyer {
  /** As Provider.find. */
  describe(ids: string[]): Promise<Machine[]>;
  /** Lifts termination and stop protection of one machine. */
  unprotect(id: string): Promise<void>;
  terminate(ids: string[]): Promise<void>;
  /** Lifts the stop protection of one machine; what protects it from termination stays. */
  allowStop(id: string): Promise<void>;
  /** Stops running machines: they keep their addresses and disks. Stopped already, it does no harm. */
  stop(ids: string[]): Promise<void>;
}

/** The trouble with a request, in the words of GenerationPool.status.failures. */
export class ProviderError extends Error {
  readonly reason: FailureReason;
  /** The cloud's own code, for people who search for it. */
  readonly code: string;
  /** True: the request certainly had no effect. False: it may have had one; repeat it with the same token. */
  readonly refused: boolean;
  /** Real ms after which asking again makes sense. */
  readonly retryAfter: number | undefined;

  constructor(
    message: string,
    details: { reason: FailureReason; code: string; refused: boolean; retryAfter?: number; cause?: unknown },
  ) {
    super(message, { cause: details.cause });
    this.name = 'ProviderError';
    this.reason = details.reason;
    this.code = details.code;
    this.refused = details.refused;
    this.retryAfter = details.retryAfter;
  }
}

/** The code of a call that our own budget held back: nothing was asked, so nothing was refused. */
export const HELD_BACK = 'BudgetExhausted';

export const isHeldBack = (error: unknown): boolean => error instanceof ProviderError && error.code === HELD_BACK;

export const isThrottled = (error: unknown): error is ProviderError =>
  error instanceof ProviderError && error.reason === 'Throttled';
