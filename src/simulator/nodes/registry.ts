/** What the Kubernetes side needs to know of a machine. */
export type Machine = {
  readonly id: string;
  /** Its private address, which its Node is named after. */
  readonly address: string;
  readonly zone: string;
  readonly region: string;
  readonly type: string;
  readonly vcpus: number;
  readonly memoryMiB: number;
};

/** What Kubernetes should show of a machine: a Node, a Node that has stopped answering, no Node. */
export type NodeState = 'up' | 'down' | 'gone';

/** The machines' side of Kubernetes: kubelet and cloud controller manager in one. */
export type NodeRegistry = {
  /** Asks for a state; comes true later, retried until it does. Never throws. */
  want(machine: Machine, state: NodeState): void;
  /** Stops working. */
  stop(): Promise<void>;
};

/** What a registry tells the ledger. Times are ms since the epoch. */
export type NodeObserver = {
  registered(machine: Machine, nodeName: string, at: number): void;
  removed(machine: Machine, at: number): void;
};

/** The registry of a cloud without Kubernetes. */
export const noNodes: NodeRegistry = { want: () => {}, stop: async () => {} };

/** The name that EC2 gives a machine by default, and that its kubelet takes. */
export function nodeName(address: string, region: string): string {
  const domain = region === 'us-east-1' ? 'ec2.internal' : `${region}.compute.internal`;
  return `ip-${address.replaceAll('.', '-')}.${domain}`;
}
