import { join } from 'node:path';
import { stringify } from 'yaml';

/** KWOK plays the kubelet of Nodes with this annotation, and lets go of a Node that loses it. */
export const managedNodeAnnotation = { key: 'kwok.x-k8s.io/node', value: 'fake' } as const;

/**
 * KWOK's own settings. Everything it needs is said, as the bare program has no defaults: zero parallelism would do nothing. A lease
 * duration of 0 turns node leases off; the controller manager is told not to miss the heartbeats.
 */
export function kwokConfiguration(): string {
  return stringify({
    apiVersion: 'config.kwok.x-k8s.io/v1alpha1',
    kind: 'KwokConfiguration',
    options: {
      // Where pods' addresses come from: without them Services have no endpoints.
      cidr: '10.244.0.1/16',
      manageAllNodes: false,
      manageNodesWithAnnotationSelector: `${managedNodeAnnotation.key}=${managedNodeAnnotation.value}`,
      nodeLeaseDurationSeconds: 0,
      nodeLeaseParallelism: 16,
      nodePlayStageParallelism: 16,
      podPlayStageParallelism: 16,
      podsOnNodeSyncParallelism: 16,
    },
  });
}

/** The stock stages in use: a node becomes Ready, a pod becomes Running, a Job's pod completes, a deleted pod goes, each at once. */
export function stageFiles(stagesFolder: string): string[] {
  return [
    join('node', 'fast', 'node-initialize.yaml'),
    join('pod', 'fast', 'pod-ready.yaml'),
    join('pod', 'fast', 'pod-complete.yaml'),
    join('pod', 'fast', 'pod-delete.yaml'),
  ].map((file) => join(stagesFolder, file));
}
