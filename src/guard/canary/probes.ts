import {
  ANNOTATION,
  type ClusterGeneration,
  FINALIZER,
  type GenerationPool,
  LABEL,
  type Platform,
} from '../../api/v1alpha1/index.ts';
import { clusterGenerations, cutovers, generationClasses, generationPools, platforms } from '../../kinds.ts';
import { type KubeObject, type Resource, resource } from '../../kube/resource.ts';
import { type Node, namespaces, nodes, services } from '../../kube/resources.ts';
import { podProbesOf } from './pods.ts';
import { type Act, ASTRAY, deletion, exactly, type Family, NO_NAME, type Probe, probe, type Subject } from './probe.ts';
import { workloadProbesOf } from './workloads.ts';

/** The acts that are tried, one of each family. Pure: from the live objects come acts as data, or why there is nothing to try one on. */

export const crds = resource<KubeObject>(
  'apiextensions.k8s.io/v1',
  'CustomResourceDefinition',
  'customresourcedefinitions',
  false,
);

/** The CRD whose deletion is tried: all its objects would go without any other rule being asked. */
export const GUARDED_CRD = 'clustergenerations.generations.dev';

/** One probe of each family, in the order of FAMILIES. */
export function probesOf(subject: Subject): Probe[] {
  const { platform, overridden, generationClass, cutover, crd, namespace, service } = subject;
  const nothing = overridden ? 'an override by two people is in force' : 'no live generation is there';
  const [live, pool, node] = overridden ? [] : [subject.live, subject.pool, subject.node];
  const generation = (family: Family, verb: string, act: (live: ClusterGeneration) => Act | string) =>
    probe({ family, verb, kind: 'ClusterGeneration', object: live, missing: nothing, act });
  const noNode = live ? 'the live generation has no Ready Node that is not cordoned' : nothing;
  const ofNode = (family: Family, verb: string, act: (node: Node) => Act | string) =>
    probe({ family, verb, kind: 'Node', object: node, missing: noNode, act });
  const ofPool = (family: Family, verb: string, act: (pool: GenerationPool) => Act | string) =>
    probe({
      family,
      verb,
      kind: 'GenerationPool',
      object: pool,
      missing: live ? 'the live generation has no pool' : nothing,
      act,
    });
  return [
    generation('delete-generation', 'delete', (it) => deletion(clusterGenerations, it)),
    ofPool('delete-pool', 'delete', (it) => deletion(generationPools, it)),
    probe({
      family: 'delete-platform',
      verb: 'delete',
      kind: 'Platform',
      object: platform,
      missing: '',
      act: (it) => (it.status.protected?.length === 0 ? 'it protects nothing' : deletion(platforms, it)),
    }),
    probe({
      family: 'delete-class',
      verb: 'delete',
      kind: 'GenerationClass',
      object: generationClass,
      missing: 'it does not exist',
      act: (it) => deletion(generationClasses, it),
    }),
    probe({
      family: 'delete-cutover',
      verb: 'delete',
      kind: 'Cutover',
      object: cutover,
      missing: 'none is under way',
      act: (it) => deletion(cutovers, it),
    }),
    ofNode('delete-node', 'delete', (it) => deletion(nodes, it)),
    probe({
      family: 'delete-crd',
      verb: 'delete',
      kind: `CustomResourceDefinition ${GUARDED_CRD}`,
      object: crd,
      missing: 'it cannot be read',
      act: (it) => deletion(crds, it),
    }),
    generation('strip-finalizer', 'strip the finalizer of', withoutFinalizer),
    generation('retire-generation', 'retire', retired),
    probe({
      family: 'take-down-platform',
      verb: 'take the live generation from',
      kind: 'Platform',
      object: platform,
      missing: '',
      act: (it) => (overridden ? nothing : takenDown(it)),
    }),
    probe({
      family: 'forge-approval',
      verb: 'forge an approval of',
      kind: 'Cutover',
      object: cutover,
      missing: 'none is under way',
      act: (it) => ({
        do: 'update',
        resource: cutovers,
        object: { ...it, spec: { ...it.spec, approvals: [{ user: ASTRAY, planHash: ASTRAY }] } },
      }),
    }),
    ofPool('relabel-pool', 'relabel', (it) => ({
      do: 'update',
      resource: generationPools,
      object: { ...it, metadata: { ...it.metadata, labels: { ...it.metadata.labels, [LABEL.role]: NO_NAME } } },
    })),
    ofNode('relabel-node', 'relabel', (it) => ({
      do: 'patch',
      resource: nodes,
      object: exactly(it),
      body: { metadata: { labels: { [LABEL.role]: NO_NAME } } },
    })),
    ofNode('cordon-node', 'cordon', (it) => ({
      do: 'patch',
      resource: nodes,
      object: exactly(it),
      body: { spec: { unschedulable: true } },
    })),
    probe({
      family: 'unlabel-namespace',
      verb: 'unlabel',
      kind: 'Namespace',
      object: namespace,
      missing: `none is labelled ${LABEL.protected}`,
      act: (it) => unlabelled(namespaces, it, LABEL.protected),
    }),
    probe({
      family: 'unlabel-service',
      verb: 'unlabel',
      kind: 'Service',
      object: service,
      missing: `no traffic target has a Service labelled ${LABEL.traffic}`,
      act: (it) => unlabelled(services, it, LABEL.traffic),
    }),
    ...workloadProbesOf(subject),
    ...podProbesOf(subject),
  ];
}

function withoutFinalizer(live: ClusterGeneration): Act | string {
  const finalizers = live.metadata.finalizers ?? [];
  if (!finalizers.includes(FINALIZER)) return 'it has none';
  const metadata = { ...live.metadata, finalizers: finalizers.filter((name) => name !== FINALIZER) };
  return { do: 'update', resource: clusterGenerations, object: { ...live, metadata } };
}

/** What ends a generation for good, and only a Cutover to another one may write. */
function retired(live: ClusterGeneration): Act | string {
  const { reservedBy: _, ...status } = live.status;
  if (status.retiredTime) return 'it is retired';
  if (!status.liveTime) return 'it is not marked as live yet';
  const forged = {
    ...status,
    retiredTime: status.liveTime,
    retiredBy: { name: ASTRAY, uid: live.metadata.uid },
  };
  return { do: 'update', resource: clusterGenerations, object: { ...live, status: forged }, subresource: 'status' };
}

/** What only a Cutover of mode Decommission may write. */
function takenDown(platform: Platform): Act | string {
  const { live, ...status } = platform.status;
  if (!live) return 'it points at no live generation';
  return { do: 'update', resource: platforms, object: { ...platform, status }, subresource: 'status' };
}

function unlabelled(resource: Resource, object: KubeObject, label: string): Act | string {
  if (object.metadata.annotations?.[ANNOTATION.unprotect] !== undefined)
    return `it carries the annotation ${ANNOTATION.unprotect}`;
  return { do: 'patch', resource, object: exactly(object), body: { metadata: { labels: { [label]: null } } } };
}
