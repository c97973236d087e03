import { LABEL, type TrafficTarget as Spec } from '../api/v1alpha1/index.ts';
import type { Endpoint, Pod, Service } from '../kube/resources.ts';
import { takesTraffic } from './endpoints.ts';
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
    message: `spec.selector of Service ${namespace}/${name} is managed by ${owners.join(', ')}: leave spec.selector out there, the operator owns it`,
  };
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

/**
 * Traffic goes only where enough is ready to take it.
 *
 * @param ready pods of the generation that can take traffic, of so many `candidates`
 * @param endpoints that serve now
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
  if (fewer || ready >= endpoints.length) return undefined;
  return {
    reason: 'TooFewReadyEndpoints',
    message: `traffic target ${spec.name} is served by ${endpoints.length} pods now, and of ${candidates} ${where} only ${ready} are Ready on a machine of that generation: wait for them or start more, or write allowSmallerRoles: true in the Cutover`,
  };
}

/** Checks would have nothing to ask. */
export function noPreview({ name, preview }: Spec, found: Service | undefined): Problem | undefined {
  if (!preview || found) return undefined;
  return {
    reason: 'PreviewNotFound',
    message: `preview Service ${preview.namespace}/${preview.name} of traffic target ${name} does not exist: create it, without spec.selector, or take preview out of the target`,
  };
}
