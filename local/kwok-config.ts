import { join } from 'node:path';
import { stringify } from 'yaml';

/** KWOK plays the kubelet of Nodes with this annotation, and lets go of a Node that loses it. */
export const managedNodeAnnotation = { key: 'kwok.x-k8s.io/node', value: 'fake' } as const;

/** On a pod: how long its containers take to end once it is deleted; at once unless told. `2s`, for instance. */
export const stopsAfterAnnotation = 'local.generations.dev/stops-after';

/**
 * KWOK's own settings, and how its kubelets end a pod. Everything it needs is said, as the bare program has no defaults: zero parallelism would do nothing. A lease
 * duration of 0 turns node leases off; the controller manager is told not to miss the heartbeats.
 */
export function kwokConfiguration(): string {
  const settings = {
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
  };
  return [settings, podStop, podDelete].map((document) => stringify(document)).join('---\n');
}

const stage = (name: string, selector: object[], rest: object) => ({
  apiVersion: 'kwok.x-k8s.io/v1alpha1',
  kind: 'Stage',
  metadata: { name },
  spec: { resourceRef: { apiGroup: 'v1', kind: 'Pod' }, selector: { matchExpressions: selector }, ...rest },
});

const over = (operator: 'In' | 'NotIn') => ({ key: '.status.phase', operator, values: ['Succeeded', 'Failed'] });
const deleted = { key: '.metadata.deletionTimestamp', operator: 'Exists' };

/** As a kubelet does, and KWOK's own stage does not: first the containers of a deleted pod end, and that is reported. */
const podStop = stage('pod-stop', [deleted, over('NotIn')], {
  delay: {
    durationMilliseconds: 0,
    durationFrom: { expressionFrom: `.metadata.annotations["${stopsAfterAnnotation}"]` },
  },
  next: {
    statusTemplate: `{{ $now := Now }}
phase: Failed
conditions:
- {type: Ready, status: "False", lastTransitionTime: {{ $now | Quote }}}
- {type: ContainersReady, status: "False", lastTransitionTime: {{ $now | Quote }}}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: false
  started: false
  restartCount: 0
  state:
    terminated: {exitCode: 143, reason: Error, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}
{{ end }}
`,
  },
});

/** Then it asks the API server to let the object go, which waits for finalizers that are left. */
const podDelete = stage('pod-delete', [deleted, over('In')], { next: { delete: true } });

/** The stock stages in use: a node becomes Ready, a pod becomes Running, a Job's pod completes, each at once. */
export function stageFiles(stagesFolder: string): string[] {
  return [
    join('node', 'fast', 'node-initialize.yaml'),
    join('pod', 'fast', 'pod-ready.yaml'),
    join('pod', 'fast', 'pod-complete.yaml'),
  ].map((file) => join(stagesFolder, file));
}
