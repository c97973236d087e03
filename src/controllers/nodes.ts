import { ANNOTATION, LABEL } from '../api/v1alpha1/index.ts';
import { isReady, type Node } from '../kube/resources.ts';

/** What these controllers keep of a Node; everything else (images, addresses, heartbeats) is dropped on arrival. */
export interface NodeView {
  name: string;
  uid: string;
  /** RFC 3339. */
  created: string;
  providerID: string;
  ready: boolean;
  /** Cordoned. */
  unschedulable: boolean;
  /** Pods that its kubelet takes at most; undefined while it has not said. */
  podLimit: number | undefined;
  /** The annotation generations.dev/maintenance as it stands: it counts when it is the Node's own name. */
  maintenance: string | undefined;
  /** The annotation generations.dev/stale: the Node that its machine has in its place. Written by the operator. */
  stale: string | undefined;
  labels: Readonly<Record<string, string>>;
  taints: readonly { key: string; value?: string | undefined; effect: string }[];
}

/** The projection of a Node as it arrives from the API server. */
export function viewOf(node: Node): NodeView {
  return {
    name: node.metadata.name,
    uid: node.metadata.uid,
    created: node.metadata.creationTimestamp ?? '',
    providerID: node.spec?.providerID ?? '',
    ready: node.metadata.deletionTimestamp === undefined && isReady(node),
    unschedulable: node.spec?.unschedulable ?? false,
    podLimit: Number.parseInt(node.status?.allocatable?.pods ?? '', 10) || undefined,
    maintenance: node.metadata.annotations?.[ANNOTATION.maintenance],
    stale: node.metadata.annotations?.[ANNOTATION.stale],
    labels: node.metadata.labels ?? {},
    taints: (node.spec?.taints ?? []).map(({ key, value, effect }) => ({ key, value, effect })),
  };
}

/**
 * The Node of a machine, among all that have its providerID: a host that was renamed leaves its former Node behind, a second kubelet makes
 * another one. The Ready Node, the newest of several; while none is Ready, the Node that has been the machine's. By the Nodes alone, so
 * that every process and every restart finds the same.
 */
export const nodeOfMachine = (nodes: readonly NodeView[]): NodeView | undefined =>
  nodes.toSorted(
    (a, b) =>
      Number(b.ready) - Number(a.ready) ||
      (a.ready ? 0 : Number(isLabelled(b)) - Number(isLabelled(a))) ||
      b.created.localeCompare(a.created) ||
      a.name.localeCompare(b.name),
  )[0];

const isLabelled = ({ labels, stale }: NodeView): boolean =>
  labels[LABEL.generationUID] !== undefined && stale === undefined;

/** The cloud's machine id in a providerID: `aws:///us-east-1a/i-0abc` is i-0abc. */
export const machineIdOf = (providerID: string): string => providerID.slice(providerID.lastIndexOf('/') + 1);

/** Under which the Nodes of a pool are filed. */
export const memberKey = (generationUID: string, pool: string): string => `${generationUID}/${pool}`;

/** The pool that a Node's labels name, as a key; undefined for a Node of no pool. */
export function poolKeyOf({ labels }: Pick<NodeView, 'labels'>): string | undefined {
  const [uid, pool] = [labels[LABEL.generationUID], labels[LABEL.pool]];
  return uid === undefined || pool === undefined ? undefined : memberKey(uid, pool);
}
