/**
 * nodes/ plays kubelet and cloud controller manager in the cluster: a machine that has booted becomes a Node, which
 * KWOK then keeps Ready; one that stops answering is taken from KWOK and set NotReady; one that is gone is deleted.
 * In go the states that life.ts wants, out come writes to the API server, 16 at a time, retried until they succeed.
 */
import { connect, type KubeClient } from '../../kube/client.ts';
import { deleteObject } from '../../kube/delete.ts';
import { isNotFound } from '../../kube/errors.ts';
import { type Node, nodes } from '../../kube/resources.ts';
import type { Clock } from '../../runtime/clock.ts';
import { controller } from '../../runtime/controller.ts';
import type { Logger } from '../../runtime/logger.ts';
import { instanceIdOf, KWOK_ANNOTATION, nodeOf, providerID } from './node.ts';
import { type Machine, type NodeObserver, type NodeRegistry, type NodeState, nodeName } from './registry.ts';

/** Writes to the API server at once; it is the limit long before we are. */
const CONCURRENCY = 16;

export type KubernetesNodes = {
  kubeconfig: string;
  clock: Clock;
  log: Logger;
  observer: NodeObserver;
  /** Whether an address is one that this cloud gives out; Nodes with others are somebody else's. */
  owns(address: string): boolean;
};

/**
 * A registry that writes to the cluster of a kubeconfig. Nodes that an earlier simulator left behind are removed: those
 * with an address of this cloud and no machine in it. Rejects with ConfigError when the kubeconfig cannot be used.
 */
export async function kubernetesNodes(options: KubernetesNodes): Promise<NodeRegistry> {
  const client = await connect({ kubeconfig: options.kubeconfig, name: 'cloud-simulator' });
  return registryOver(client, options);
}

/** The same over a given client. */
export function registryOver(
  client: KubeClient,
  { clock, log, observer, owns }: Omit<KubernetesNodes, 'kubeconfig'>,
): NodeRegistry {
  const wanted = new Map<string, { machine: Machine; state: NodeState }>();
  const known = new Set<string>();
  // Told once each, also when the answer to the write that did it was lost.
  const report: NodeObserver = {
    registered(machine, name, at) {
      if (!known.has(machine.id)) observer.registered(machine, name, at);
      known.add(machine.id);
    },
    removed(machine, at) {
      if (known.delete(machine.id)) observer.removed(machine, at);
    },
  };
  const abort = new AbortController();
  const loop = controller({
    name: 'nodes',
    clock,
    log,
    concurrency: CONCURRENCY,
    maxBackoff: 10_000,
    deadline: 30_000,
    drain: 0,
    async reconcile(key, signal) {
      if (key === ADOPT) {
        for (const id of await removeStrangers(client, (id, address) => owns(address) && !wanted.has(id), signal))
          log.info('removed a Node left behind', { id });
        return undefined;
      }
      const entry = wanted.get(key);
      if (!entry) return undefined;
      await bring(client, entry.machine, entry.state, report, clock, signal);
      if (entry.state === 'gone' && wanted.get(key) === entry) wanted.delete(key);
      return undefined;
    },
  });
  loop.enqueue(ADOPT);
  const running = loop.start(abort.signal).catch((error: unknown) => {
    log.error('Nodes are no longer written', { error: String(error) });
  });
  return {
    want(machine, state) {
      wanted.set(machine.id, { machine, state });
      loop.enqueue(machine.id);
    },
    async stop() {
      abort.abort(new Error('the simulator stops'));
      await running;
    },
  };
}

/** The key under which Nodes of machines that are not there are looked for; no instance id looks like it. */
const ADOPT = 'left-behind';

/** Brings the Node of one machine to a state. Throws to be tried again. */
async function bring(
  client: KubeClient,
  machine: Machine,
  state: NodeState,
  observer: NodeObserver,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const name = nodeName(machine.address, machine.region);
  const node = await find(client, name, signal);
  const own = node?.spec?.providerID === providerID(machine);
  if (state === 'up') {
    // An address is given out again; the Node of its last machine has to go first.
    if (node && !own) throw new Error(`Node ${name} still belongs to ${node.spec?.providerID ?? 'nobody'}`);
    if (!node) await client.create(nodes, nodeOf(machine), { signal });
    observer.registered(machine, name, clock.now());
    return;
  }
  if (node && own) {
    const released = await silence(client, node, clock, signal);
    if (state === 'down') return;
    await ignoring(isNotFound, deleteObject(client, nodes, target(released), { signal }));
  }
  if (state === 'gone') observer.removed(machine, clock.now());
}

/** Takes a Node from KWOK, then sets it NotReady: in this order, or KWOK would set it Ready again. */
async function silence(client: KubeClient, node: Node, clock: Clock, signal: AbortSignal): Promise<Node> {
  const { name, uid } = node.metadata;
  let current = node;
  if (node.metadata.annotations?.[KWOK_ANNOTATION] !== undefined) {
    const body = { metadata: { uid, annotations: { [KWOK_ANNOTATION]: null } } };
    current = await client.patch(nodes, name, body, { type: 'merge', signal });
  }
  const conditions = current.status?.conditions ?? [];
  if (conditions.find(({ type }) => type === 'Ready')?.status === 'False') return current;
  const time = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  const ready = {
    type: 'Ready',
    status: 'False',
    reason: 'KubeletNotReady',
    message: 'the machine has shut down',
    lastHeartbeatTime: time,
    lastTransitionTime: time,
  };
  const changed = [...conditions.filter(({ type }) => type !== 'Ready'), ready];
  const body = { metadata: { uid }, status: { conditions: changed } };
  return client.patch(nodes, name, body, { type: 'merge', subresource: 'status', signal });
}

async function removeStrangers(
  client: KubeClient,
  isStranger: (id: string, address: string) => boolean,
  signal: AbortSignal,
): Promise<string[]> {
  const removed = [];
  for (const node of (await client.list(nodes, { signal })).items) {
    const id = instanceIdOf(node.spec?.providerID);
    const address = node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
    if (id === undefined || address === undefined || !isStranger(id, address)) continue;
    await ignoring(isNotFound, deleteObject(client, nodes, target(node), { signal }));
    removed.push(id);
  }
  return removed;
}

async function find(client: KubeClient, name: string, signal: AbortSignal): Promise<Node | undefined> {
  try {
    return await client.get(nodes, name, { signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function target({ metadata: { name, uid, resourceVersion } }: Node) {
  return { name, uid, resourceVersion };
}

async function ignoring(expected: (error: unknown) => boolean, work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!expected(error)) throw error;
  }
}
