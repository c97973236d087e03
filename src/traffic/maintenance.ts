import { LABEL, type TrafficTarget as Spec } from '../api/v1alpha1/index.ts';
import type { Endpoint, Pod, Service } from '../kube/resources.ts';
import { answers, isEveryPort, isOneOf, portsMissingIn, takesTraffic } from './endpoints.ts';
import { type Destination, type HoldView, type Problem, sameState, stateText } from './target.ts';

/**
 * The maintenance responder that a Service can be pointed at while a cutover holds its traffic: pods in the Service's own
 * namespace, chosen by a selector of the Platform.
 */
export function holdView(
  { name: target, role, maintenance }: Spec,
  {
    service,
    responders,
    endpoints,
    closed,
  }: { service: Service; responders: readonly Pod[]; endpoints: readonly Endpoint[]; closed: readonly string[] },
  { platform }: Pick<Destination, 'platform'>,
): HoldView | undefined {
  if (!maintenance) return undefined;
  const wanted = maintenance.selector;
  const { name, namespace } = service.metadata;
  const isResponder = isOneOf(responders);
  const elsewhere = endpoints.filter((endpoint) => !isResponder(endpoint)).length;
  const found = noResponder() ?? overlap();
  // It need not answer on every port: people look at one.
  const mute = isEveryPort(closed, service);
  const answering = endpoints.filter(answers).length;
  const arrives = answering > 0 && !mute;
  return {
    wanted,
    ...(found && { problem: found }),
    serving: sameState(service.spec?.selector ?? {}, wanted) && arrives && elsewhere === 0,
    waitingFor: `EndpointSlices of Service ${namespace}/${name} show ${answering} ready endpoints, ${elsewhere} of them not pods of its maintenance responder${mute ? `, and none with port ${closed.join(', ')}` : ''}`,
  };

  function noResponder(): Problem | undefined {
    const ready = responders.filter(takesTraffic);
    if (ready.some((pod) => !isEveryPort(portsMissingIn(pod, service), service))) return undefined;
    const [port] = ready.flatMap((pod) => portsMissingIn(pod, service));
    if (port)
      return {
        reason: 'NoMaintenancePods',
        message: `Service ${namespace}/${name} of traffic target ${target} leads to the container port named ${port}, which none of the ${ready.length} ready pods of its maintenance responder has: name the port there`,
      };
    return {
      reason: 'NoMaintenancePods',
      message: `the maintenance responder of traffic target ${target} has no ready pod: none of ${responders.length} pods labelled ${stateText(wanted)} in namespace ${namespace} is Ready. Start it, or take maintenance out of the target`,
    };
  }

  /** Whether a selector takes in pods that serve cannot be told from the selector, only from the pods that there are. */
  function overlap(): Problem | undefined {
    const both = responders.find((pod) => takesTraffic(pod) && serves(pod, platform, role));
    if (!both) return undefined;
    return {
      reason: 'MaintenanceOverlaps',
      message: `the maintenance selector ${stateText(wanted)} of traffic target ${target} also matches pod ${namespace}/${both.metadata.name}, which serves role ${role}: behind it nothing would be held. Give the maintenance pods a label that only they have`,
    };
  }
}

/** A pod of some generation of the platform, to which a target of this role points sooner or later. */
function serves({ metadata: { labels = {} } }: Pod, platform: string, role: string): boolean {
  return labels[LABEL.platform] === platform && labels[LABEL.role] === role && labels[LABEL.generation] !== undefined;
}
