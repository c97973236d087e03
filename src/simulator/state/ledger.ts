/** What the ledger says of one call. Times are ISO 8601, real wall-clock time. */
export type Call = {
  /** Counts calls from 1. */
  seq: number;
  time: string;
  /** Name of the caller; `unknown` when its access key is nobody's. */
  caller: string;
  operation: string;
  parameters: CallSummary;
  /** HTTP status; 0 while the answer is not decided, and for ever when the request was left hanging. */
  status: number;
  /** EC2's error code, when it was refused. */
  code?: string;
  message?: string;
  requestId: string;
  /** Which token bucket refused it. */
  throttled?: 'requests' | 'resources';
  /** Names of the faults that acted on it. */
  faults?: string[];
  /** True when the work was done and the answer withheld. */
  responseLost?: boolean;
  /** True when a ClientToken was known and nothing was launched. */
  replayed?: boolean;
  /** Ids of the machines that it launched, stopped, started or terminated. */
  machines?: string[];
};

/** The parameters of a call as the ledger keeps them: user data and credentials left out. */
export type CallSummary = {
  instanceIds?: string[];
  resourceIds?: string[];
  minCount?: number;
  maxCount?: number;
  subnet?: string;
  instanceType?: string;
  clientToken?: string;
  tags?: Record<string, string>;
  filters?: Record<string, string[]>;
  dryRun?: boolean;
  /** Everything else, flat, as it was sent. */
  other?: Record<string, string>;
};

/** One machine's life. */
export type MachineRecord = {
  id: string;
  subnet: string;
  zone: string;
  type: string;
  address: string;
  launchedBy: string;
  clientToken?: string;
  tags: Record<string, string>;
  /** When it was asked for. */
  launched: string;
  /** When it last reached state running. */
  running?: string;
  /** When its Node was created; absent without Kubernetes. */
  nodeRegistered?: string;
  nodeName?: string;
  /** When its Node was deleted. */
  nodeRemoved?: string;
  /** When it last was asked to stop, and by whom. */
  stopped?: string;
  stoppedBy?: string;
  /** When it was asked to terminate, and by whom. */
  terminated?: string;
  terminatedBy?: string;
  /** Set for one that a fault keeps from ever becoming a Node. */
  neverBoots?: true;
};

/** One change of what an address points at; instanceId null means nothing. */
export type AddressChange = { time: string; instanceId: string | null; associationId: string | null; caller: string };

export type Throttles = Record<string, { requests: number; resources: number }>;

/** Everything that happened, for whoever judges. It only grows, so that `since` can follow it. */
export class Ledger {
  readonly calls: Call[] = [];
  readonly machines = new Map<string, MachineRecord>();
  readonly addresses = new Map<string, { publicIp: string; history: AddressChange[] }>();
  readonly throttled: Throttles = {};

  /** Notes a call that has arrived; its outcome is filled in later, on the object returned. */
  open(call: Omit<Call, 'seq' | 'status'>): Call {
    const opened: Call = { seq: this.calls.length + 1, status: 0, ...call };
    this.calls.push(opened);
    return opened;
  }

  countThrottle(operation: string, kind: 'requests' | 'resources'): void {
    this.throttled[operation] ??= { requests: 0, resources: 0 };
    this.throttled[operation][kind]++;
  }

  /** Changes the record of a machine, if there is one. */
  machine(id: string, change: Partial<MachineRecord>): void {
    const record = this.machines.get(id);
    if (record) Object.assign(record, change);
  }
}
