import { LABEL, type TrafficTarget as Spec, type SwitchState } from '../api/v1alpha1/index.ts';
import type { KubeClient } from '../kube/client.ts';
import { isConflict } from '../kube/errors.ts';
import { find } from '../kube/find.ts';
import {
  type EndpointSlice,
  endpointSlices,
  isReady,
  type Pod,
  pods,
  type Service,
  services,
} from '../kube/resources.ts';
import {
  type Destination,
  ForeignChange,
  type Problem,
  sameState,
  stateText,
  type TargetKind,
  type TargetView,
} from './target.ts';

/** Who owns spec.selector of a traffic Service; Git leaves it out. */
const MANAGER = 'generations-cutover';

/** A Service whose selector picks the pods of one generation. Switched by server-side apply, verified on its EndpointSlices. */
export function serviceTarget(client: KubeClient): TargetKind {
  return {
    async view(spec, destination) {
      const { namespace, name } = nameOf(spec);
      const wanted = selectorFor(spec, destination);
      const base = { target: spec.name, role: spec.role, wanted };
      const service = await find(client, services, name, { namespace });
      if (!service) {
        const message = `Service ${namespace}/${name} of traffic target ${spec.name} does not exist: create it, without spec.selector`;
        return {
          ...base,
          now: {},
          unseen: true,
          serving: false,
          waitingFor: message,
          problem: { reason: 'TargetNotFound', message },
        };
      }
      const labelSelector = Object.entries(wanted)
        .map(([key, value]) => `${key}=${value}`)
        .join(',');
      const [candidates, slices] = await Promise.all([
        client.list(pods, { namespace, labelSelector }),
        client.list(endpointSlices, { namespace, labelSelector: `kubernetes.io/service-name=${name}` }),
      ]);
      const problem = ownedByAnother(service) ?? notReady(spec, candidates.items, destination);
      const now = service.spec?.selector ?? {};
      return { ...base, now, ...(problem && { problem }), ...arrival(spec, now, wanted, slices.items, destination) };
    },

    async point(spec, from, to) {
      const { namespace, name } = nameOf(spec);
      const service = await client.get(services, name, { namespace });
      const now = service.spec?.selector ?? {};
      if (sameState(now, to)) return;
      if (!sameState(now, from))
        throw new ForeignChange(
          `Service ${namespace}/${name} selects ${stateText(now)}, which is neither what this cutover found (${stateText(from)}) nor what it wants (${stateText(to)}): somebody else changed it`,
        );
      const body = {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: {
          name,
          namespace,
          // The state that was compared above: a change since then is a conflict.
          resourceVersion: service.metadata.resourceVersion,
          labels: { [LABEL.traffic]: 'true' },
        },
        spec: { selector: to },
      };
      try {
        await client.patch(services, name, body, { type: 'apply', namespace, fieldManager: MANAGER });
      } catch (error) {
        if (!isConflict(error)) throw error;
        throw new ForeignChange(`Service ${namespace}/${name} was changed by somebody else at the same moment`);
      }
    },
  };
}

function nameOf(spec: Spec): { namespace: string; name: string } {
  if (!spec.service) throw new TypeError(`traffic target ${spec.name} is not a Service`);
  return spec.service;
}

/** The pods of the target's role in one generation: by the labels that they carry themselves. */
const selectorFor = (spec: Spec, { platform, generation }: Destination): SwitchState => ({
  [LABEL.platform]: platform,
  [LABEL.role]: spec.role,
  [LABEL.generation]: generation,
});

/** A selector that somebody else also writes would be taken back at their next apply. */
function ownedByAnother(service: Service): Problem | undefined {
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

/** Traffic goes only where something is ready to take it (S1). */
function notReady(spec: Spec, candidates: readonly Pod[], { generation, members }: Destination): Problem | undefined {
  const machines = new Set(members.filter(({ ready }) => ready).map(({ node }) => node));
  const ready = candidates.filter((pod) => takesTraffic(pod) && machines.has(pod.spec?.nodeName ?? ''));
  if (ready.length > 0) return undefined;
  return {
    reason: 'NoReadyEndpoints',
    message: `traffic target ${spec.name} has no ready pod of generation ${generation}: none of ${candidates.length} pods labelled ${LABEL.role}=${spec.role} and ${LABEL.generation}=${generation} in namespace ${nameOf(spec).namespace} is Ready on a machine of that generation`,
  };
}

const takesTraffic = (pod: Pod): boolean => pod.metadata.deletionTimestamp === undefined && isReady(pod);

/** Whether the Service's own endpoints are all on the generation's machines. */
function arrival(
  spec: Spec,
  now: SwitchState,
  wanted: SwitchState,
  slices: readonly EndpointSlice[],
  { generation, members }: Destination,
): Pick<TargetView, 'serving' | 'waitingFor'> {
  const { namespace, name } = nameOf(spec);
  const nodes = new Set(members.map(({ node }) => node));
  const ready = slices
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false);
  const elsewhere = ready.filter(({ nodeName }) => !nodes.has(nodeName ?? ''));
  const serving = sameState(now, wanted) && ready.length > 0 && elsewhere.length === 0;
  const waitingFor = `EndpointSlices of Service ${namespace}/${name} show ${ready.length} ready endpoints, ${elsewhere.length} of them not on machines of ${generation}`;
  return { serving, waitingFor };
}
