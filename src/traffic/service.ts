import { LABEL, type TrafficTarget as Spec, type SwitchState } from '../api/v1alpha1/index.ts';
import type { KubeClient } from '../kube/client.ts';
import { isConflict } from '../kube/errors.ts';
import { find } from '../kube/find.ts';
import { type Endpoint, endpointSlices, type Pod, pods, type Service, services } from '../kube/resources.ts';
import { arrivalOf, arrives } from './arrival.ts';
import { isOneOf, portsMissingIn, portsNotOffered, readyEndpoints } from './endpoints.ts';
import { holdView } from './maintenance.ts';
import { MANAGER, noPreview, notSelecting, ownedByAnother, portMissing, readyPods, tooFewReady } from './objections.ts';
import { type Destination, ForeignChange, sameState, stateText, type TargetKind, type TargetView } from './target.ts';

/**
 * A Service whose selector picks the pods of one generation, or of its maintenance responder. Switched by server-side apply,
 * verified on its EndpointSlices.
 */
export function serviceTarget(client: KubeClient): TargetKind {
  return {
    async view(spec, destination) {
      const { namespace, name } = nameOf(spec);
      const wanted = selectorFor(spec, destination);
      const service = await find(client, services, name, { namespace });
      if (!service) return missing(spec, wanted);
      const matching = async (selector: SwitchState) =>
        (await client.list(pods, { namespace, labelSelector: selectorText(selector) })).items;
      const { preview, maintenance } = spec;
      const [candidates, responders, slices, shown] = await Promise.all([
        matching(wanted),
        maintenance ? matching(maintenance.selector) : [],
        client.list(endpointSlices, { namespace, labelSelector: `kubernetes.io/service-name=${name}` }),
        preview && find(client, services, preview.name, { namespace: preview.namespace }),
      ]);
      const now = service.spec?.selector ?? {};
      const endpoints = readyEndpoints(slices.items);
      const closed = portsNotOffered(service, slices.items);
      const hold = holdView(spec, { service, responders, endpoints, closed }, destination);
      const ready = readyPods(candidates, destination);
      const able = ready.filter((pod) => portsMissingIn(pod, service).length === 0).length;
      // However many responders there are: they say nothing of how many pods it takes to serve.
      const serving = hold && sameState(now, hold.wanted) ? [] : endpoints;
      const few = tooFewReady(spec, { ready: able, candidates: candidates.length, endpoints: serving }, destination);
      const problem =
        notSelecting(service, endpoints) ??
        ownedByAnother(service) ??
        (few && portMissing(spec, ready, service, destination)) ??
        few ??
        noPreview(spec, shown);
      return {
        target: spec.name,
        role: spec.role,
        now,
        wanted,
        // A selector that is taken away leaves the endpoints that it had chosen; one that nothing matches does not.
        nowhere: { ...wanted, [LABEL.generation]: '' },
        ...(problem && { problem }),
        ...(able === 0 && { nobody: true }),
        ...arrivalView(spec, { now, wanted, candidates, endpoints, closed }, destination),
        ...(hold && { hold }),
      };
    },

    point: (spec, from, to) => apply(client, spec, from, to),

    async attempt(spec, states) {
      const { namespace, name } = nameOf(spec);
      const service = await find(client, services, name, { namespace });
      if (!service) return;
      for (const state of states) {
        try {
          await write(client, service, state, { dryRun: true });
        } catch (error) {
          // Changed meanwhile: the next look tries again.
          if (!isConflict(error)) throw error;
        }
      }
    },
  };
}

/** Times that a Service which something else of it was changed is looked at again: a load balancer's status, a label. */
const LOOKS = 3;

/** Test and replace: what was compared is the version that is written over. Throws ForeignChange and ApiError. */
async function apply(client: KubeClient, spec: Spec, from: SwitchState, to: SwitchState, looks = LOOKS): Promise<void> {
  const { namespace, name } = nameOf(spec);
  const service = await find(client, services, name, { namespace });
  if (!service) throw new ForeignChange(`Service ${namespace}/${name} of traffic target ${spec.name} was deleted`);
  const now = service.spec?.selector ?? {};
  if (sameState(now, to)) return;
  if (!sameState(now, from))
    throw new ForeignChange(
      `Service ${namespace}/${name} selects ${stateText(now)}, which is neither what this cutover last saw there (${stateText(from)}) nor what it wants (${stateText(to)}): somebody else changed it`,
    );
  try {
    await write(client, service, to);
  } catch (error) {
    if (!isConflict(error) || looks <= 1) throw error;
    await apply(client, spec, from, to, looks - 1);
  }
}

/** Writes the selector of a Service in the state in which it was read, or only has the API server say what it would say to that. */
async function write(
  client: KubeClient,
  { metadata }: Service,
  selector: SwitchState,
  { dryRun }: { dryRun?: boolean } = {},
): Promise<void> {
  const { name, namespace, resourceVersion } = metadata;
  const body = {
    apiVersion: 'v1',
    kind: 'Service',
    // The state that was compared: a change since then is a conflict.
    metadata: { name, namespace, resourceVersion, labels: { [LABEL.traffic]: 'true' } },
    spec: { selector },
  };
  // By force: who has set a selector back by hand owns it since, and the value and the version say that nothing is lost.
  await client.patch(services, name, body, { type: 'apply', namespace, fieldManager: MANAGER, force: true, dryRun });
}

function nameOf(spec: Spec): { namespace: string; name: string } {
  if (!spec.service) throw new TypeError(`traffic target ${spec.name} is not a Service`);
  return spec.service;
}

/** The pods of the target's role in one generation: by the labels that they carry themselves. */
export const selectorFor = (
  spec: Spec,
  { platform, generation }: Pick<Destination, 'platform' | 'generation'>,
): SwitchState => ({
  [LABEL.platform]: platform,
  [LABEL.role]: spec.role,
  [LABEL.generation]: generation,
});

export const selectorText = (selector: SwitchState): string =>
  Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');

function missing(spec: Spec, wanted: SwitchState): TargetView {
  const { namespace, name } = nameOf(spec);
  const message = `Service ${namespace}/${name} of traffic target ${spec.name} does not exist: create it, without spec.selector`;
  return {
    target: spec.name,
    role: spec.role,
    now: {},
    wanted,
    unseen: true,
    gone: true,
    serving: false,
    waitingFor: message,
    problem: { reason: 'TargetNotFound', message },
  };
}

/** Whether the Service's own endpoints are all pods of the generation, on its machines, and answer on every port. */
function arrivalView(
  spec: Spec,
  {
    now,
    wanted,
    candidates,
    endpoints,
    closed,
  }: {
    now: SwitchState;
    wanted: SwitchState;
    candidates: readonly Pod[];
    endpoints: readonly Endpoint[];
    closed: readonly string[];
  },
  { generation, members }: Destination,
): Pick<TargetView, 'serving' | 'waitingFor'> {
  const { namespace, name } = nameOf(spec);
  const nodes = new Set(members.map(({ node }) => node));
  const isCandidate = isOneOf(candidates);
  const belongs = (endpoint: Endpoint) => nodes.has(endpoint.nodeName ?? '') && isCandidate(endpoint);
  const arrival = arrivalOf(endpoints, closed, belongs);
  // One is enough for a move to be believed: how many there have to be before it is asked beforehand.
  const serving = sameState(now, wanted) && arrives(arrival, 1);
  const without = closed.length > 0 ? `, and none with port ${closed.join(', ')}` : '';
  const waitingFor = `EndpointSlices of Service ${namespace}/${name} show ${arrival.answering} ready endpoints, ${arrival.elsewhere.length} of them not on machines of ${generation}${without}`;
  return { serving, waitingFor };
}
