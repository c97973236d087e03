import { endpointSlices, isReady, type Pod, pods, type Service, services } from '../../../src/kube/resources.ts';
import type { Stage } from './stage.ts';

/** Services with their endpoints, and the responder that a Service can be pointed at meanwhile. */

/** Real ms from a Service's selector, or from a pod that ends, to the endpoints. */
const PROPAGATION = 2_000;

export function playEndpoints(stage: Stage): void {
  const { clock, server, say } = stage;
  server.subscribe(({ resource, before, after }) => {
    if (resource.plural === 'pods' && !after && before?.metadata.namespace === 'edge') propagate(stage);
    if (resource.plural === 'pods' && after?.metadata.namespace === 'edge')
      clock.setTimer(PROPAGATION, () => propagate(stage));
    if (resource.plural !== 'services' || !after) return;
    clock.setTimer(PROPAGATION, () => propagate(stage));
    const service = after as Service;
    const pointed = Object.keys(service.spec?.selector ?? {}).length > 0;
    if (pointed && !chosenBy(stage, service).some(isReady)) say(`!! Service ${after.metadata.name} reaches nobody`);
  });
}

/** The pods that a Service selects; none when it has no selector. */
function chosenBy({ server }: Stage, { spec }: Service): Pod[] {
  const selector = Object.entries(spec?.selector ?? {});
  return server
    .all(pods)
    .filter(
      ({ metadata }) => selector.length > 0 && selector.every(([key, value]) => metadata.labels?.[key] === value),
    );
}

/** Endpoints follow selectors and pods. */
function propagate(stage: Stage): void {
  const { server } = stage;
  for (const service of server.all(services)) {
    const name = `${service.metadata.name}-1`;
    server.seed(endpointSlices, {
      metadata: {
        name,
        namespace: 'edge',
        uid: `uid-${name}`,
        creationTimestamp: '',
        labels: { 'kubernetes.io/service-name': service.metadata.name },
      },
      addressType: 'IPv4',
      endpoints: chosenBy(stage, service).map((pod) => ({
        addresses: ['10.0.0.1'],
        nodeName: pod.spec?.nodeName,
        targetRef: { kind: 'Pod', namespace: 'edge', name: pod.metadata.name, uid: pod.metadata.uid },
        conditions: { ready: isReady(pod) },
      })),
    });
  }
}

/** A Service as Git has it: without a selector. */
export const aService = (name = 'www'): Pick<Service, 'metadata' | 'spec'> => ({
  metadata: { name, namespace: 'edge', uid: `uid-${name}`, resourceVersion: '1', creationTimestamp: '' },
  spec: { ports: [{ port: 80 }] },
});

/** What says "back in a few minutes", on a machine of no generation. */
export const aMaintenancePod = () => ({
  metadata: {
    name: 'maintenance',
    namespace: 'edge',
    uid: 'uid-maintenance',
    creationTimestamp: '',
    labels: { app: 'maintenance' },
  },
  spec: { nodeName: 'node-core', containers: [] },
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
});
