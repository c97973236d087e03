import type { Node } from '../kube/resources.ts';

/** What these controllers keep of a Node; everything else (images, addresses, heartbeats) is dropped on arrival. */
export interface NodeView {
  name: string;
  providerID: string;
  ready: boolean;
  labels: Readonly<Record<string, string>>;
  taints: readonly { key: string; value?: string | undefined; effect: string }[];
}

/** The projection of a Node as it arrives from the API server. */
export function viewOf(node: Node): NodeView {
  return {
    name: node.metadata.name,
    providerID: node.spec?.providerID ?? '',
    ready:
      node.metadata.deletionTimestamp === undefined &&
      (node.status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True'),
    labels: node.metadata.labels ?? {},
    taints: (node.spec?.taints ?? []).map(({ key, value, effect }) => ({ key, value, effect })),
  };
}

/** The cloud's machine id in a providerID: `aws:///us-east-1a/i-0abc` is i-0abc. */
export const machineIdOf = (providerID: string): string => providerID.slice(providerID.lastIndexOf('/') + 1);
