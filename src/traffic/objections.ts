import { LABEL, type TrafficTarget as Spec } from '../api/v1alpha1/index.ts';
import type { Endpoint, Pod, Service } from '../kube/resources.ts';
import { minReadyOf } from './arrival.ts';
import { answers, portsMissingIn, takesTraffic } from './endpoints.ts';
import type { Destination, Problem } from './target.ts';

/** What is in the way of pointing a Service at a generation. */

/** Who owns spec.selector of a traffic Service; Git leaves it out. */
export const MANAGER = 'generations-cutover';

/** A selector that somebody else also writes would be taken back at their next apply. */
export function ownedByAnother(service: Service): Problem | undefined {
  const owners = (service.metadata.managedFields ?? [])
    .filter(({ manager, subresource, fieldsV1 }) => manager !== MANAGER && !subresource && writesSelector(fieldsV1))
    .map(({ manager }) => manager ?? 'unknown');
  if (owners.length === 0) return undefined;
  const { namespace, name } = service.metadata;
  return {
    reason: 'SelectorOwnedByAnother',
    message: `spec.selector of Service ${namespace}/${name} is managed by ${owners.join(', ')}: hand it over to the operator first (docs/cutover.md), then leave it out there, or a Service that carries traffic loses it`,
  };
}

/** What a selector can do nothing about. */
export function notSelecting(service: Service, endpoints: readonly Endpoint[]): Problem | undefined {
  const { namespace, name, deletionTimestamp } = service.metadata;
  const about = (reason: string, message: string): Problem => ({
    reason,
    message: `Service ${namespace}/${name} ${message}`,
  });
  if (deletionTimestamp)
    return about('ServiceDeleted', 'is being deleted: create it anew when it is gone, without spec.selector');
  if (service.spec?.type === 'ExternalName')
    return about(
      'ExternalName',
      'is of type ExternalName, which leads to a DNS name and never to pods: make it a ClusterIP, or take the target out',
    );
  const written = endpoints.find(({ targetRef }) => targetRef === undefined);
  if (!written) return undefined;
  return about(
    'EndpointsByHand',
    `has endpoint ${written.addresses.join(', ')}, which is no pod and which no selector takes away, or brings back: delete the EndpointSlice or Endpoints that somebody has written for it`,
  );
}

function writesSelector(fields: Record<string, unknown> | undefined): boolean {
  const spec = fields?.['f:spec'];
  return typeof spec === 'object' && spec !== null && 'f:selector' in spec;
}

/** Pods of a generation that can take traffic: Ready, on one of its Ready machines (S1). */
export function readyPods(candidates: readonly Pod[], { members }: Destination): Pod[] {
  const machines = new Set(members.filter(({ ready }) => ready).map(({ node }) => node));
  return candidates.filter((pod) => takesTraffic(pod) && machines.has(pod.spec?.nodeName ?? ''));
}

/** A pod without a port that a Service leads to by name is an endpoint of it, and refuses what it is sent there. */
export function portMissing(
  spec: Spec,
  ready: readonly Pod[],
  service: Service,
  { generation }: Destination,
): Problem | undefined {
  const without = ready.map((pod) => portsMissingIn(pod, service)).filter((ports) => ports.length > 0);
  const port = without[0]?.[0];
  if (port === undefined) return undefined;
  const { namespace, name } = service.metadata;
  return {
    reason: 'PortNotFound',
    message: `Service ${namespace}/${name} of traffic target ${spec.name} leads to the container port named ${port}, which ${without.length} of ${ready.length} ready pods of generation ${generation} do not have: name the port there, or write its number as targetPort`,
  };
}

/**
 * Traffic goes only where enough is ready to take it.
 *
 * @param ready pods of the generation that can take traffic, of so many `candidates`
 * @param endpoints that requests are sent to now
 */
export function tooFewReady(
  spec: Spec,
  { ready, candidates, endpoints }: { ready: number; candidates: number; endpoints: readonly Endpoint[] },
  { generation, fewer }: Destination,
): Problem | undefined {
  const where = `pods labelled ${LABEL.role}=${spec.role} and ${LABEL.generation}=${generation} in namespace ${spec.service?.namespace}`;
  if (ready === 0)
    return {
      reason: 'NoReadyEndpoints',
      message: `traffic target ${spec.name} has no ready pod of generation ${generation}: none of ${candidates} ${where} is Ready on a machine of that generation`,
    };
  const serving = endpoints.filter(answers).length;
  const least = minReadyOf(spec);
  if (!fewer && ready < least)
    return {
      reason: 'TooFewReadyEndpoints',
      message: `traffic target ${spec.name} has minReady ${least}, and of ${candidates} ${where} only ${ready} are Ready on a machine of that generation: wait for them or start more, or write allowSmallerRoles: true in the Cutover`,
    };
  if (fewer || ready >= serving) return undefined;
  return {
    reason: 'TooFewReadyEndpoints',
    message: `traffic target ${spec.name} is served by ${serving} pods now, and of ${candidates} ${where} only ${ready} are Ready on a machine of that generation: wait for them or start more, or write allowSmallerRoles: true in the Cutover`,
  };
}

/** Checks would have nothing to ask, or would be users. */
export function noPreview(spec: Spec, found: Service | undefined): Problem | undefined {
  const { name, preview } = spec;
  if (!preview) return undefined;
  if (found) return previewIsLive(spec, found);
  return {
    reason: 'PreviewNotFound',
    message: `preview Service ${preview.namespace}/${preview.name} of traffic target ${name} does not exist: create it, without spec.selector, or take preview out of the target`,
  };
}

/** A preview shows a generation to checks; users must not see what they have not passed yet. */
export function previewIsLive({ name, service, preview }: Spec, found: Service): Problem | undefined {
  const own = preview?.namespace === service?.namespace && preview?.name === service?.name;
  if (!own && found.metadata.labels?.[LABEL.traffic] !== 'true') return undefined;
  return {
    reason: 'PreviewIsLive',
    message: `preview Service ${preview?.namespace}/${preview?.name} of traffic target ${name} carries live traffic itself: give the target a Service of its own for checks`,
  };
}
