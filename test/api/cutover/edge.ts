import { type TestControlPlane, uniqueName } from '../../../local/testing.ts';
import { LABEL, type Platform } from '../../../src/api/v1alpha1/index.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import type { KubeObject, New, Resource } from '../../../src/kube/resource.ts';
import {
  endpointSlices,
  isReady,
  namespaces,
  nodes,
  pods,
  type Service,
  services,
} from '../../../src/kube/resources.ts';
import { readyEndpoints } from '../../../src/traffic/endpoints.ts';
import type { Destination } from '../../../src/traffic/target.ts';
import { adminClient, until } from '../kit/kit.ts';

/**
 * A namespace with a traffic Service, on a real API server: pods of generations on Nodes of their own, pods of a maintenance
 * responder, and the EndpointSlices that the controller manager makes of it. KWOK plays the kubelets.
 */
export interface Edge {
  client: KubeClient;
  spec: Platform['spec']['traffic'][number];
  namespace: string;
  /** A generation as a destination, with the Nodes that its pods are on. */
  to(generation: string): Destination;
  /** Ready pods of the role `web` of a generation, each on a Node of its own. */
  run(generation: string, count: number): Promise<void>;
  /** Ready pods with these labels, each on a Node that is no generation's; their names, sorted. */
  runOther(labels: Record<string, string>, count: number): Promise<string[]>;
  /** Names of the pods that `run` has made, sorted. */
  podsOf(generation: string): string[];
  service(): Promise<Service>;
  /** A person changes the selector, with a client that knows nothing of server-side apply. */
  edit(selector: Record<string, string>): Promise<void>;
  /** A GitOps tool applies fields of the Service. */
  applyAs(manager: string, fields: object): Promise<void>;
  /** Names of the pods that requests arrive at, by the EndpointSlices, sorted. */
  arriving(): Promise<string[]>;
}

/** Ready pods come within a second or two; this is for a machine that does everything at once. Real ms. */
const LIMIT = 30_000;

type Placed = { pod: string; node: string };

export async function anEdge(
  controlPlane: TestControlPlane,
  { maintenance, selector }: { maintenance?: Record<string, string>; selector?: Record<string, string> } = {},
): Promise<Edge> {
  const client = adminClient(controlPlane);
  const platform = uniqueName('us');
  const namespace = uniqueName('edge');
  const running = new Map<string, Placed[]>();
  const make = (resource: Resource<KubeObject>, object: object) => client.create(resource, object as New<KubeObject>);

  await make(namespaces, { metadata: { name: namespace } });
  const account = `/api/v1/namespaces/${namespace}/serviceaccounts/default`;
  await until(
    'a service account, without which there are no pods',
    async () => (await controlPlane.call('admin', 'GET', account)).status === 200,
    LIMIT,
  );
  await make(services, {
    metadata: { name: 'www', namespace },
    spec: { ...(selector && { selector }), ports: [{ port: 80 }] },
  });

  const place = async (labels: Record<string, string>): Promise<Placed> => {
    const node = uniqueName('node');
    const pod = uniqueName('pod');
    await make(nodes, { metadata: { name: node, annotations: { 'kwok.x-k8s.io/node': 'fake' } } });
    await make(pods, {
      metadata: { name: pod, namespace, labels },
      spec: { nodeName: node, containers: [{ name: 'main', image: 'unused' }] },
    });
    return { pod, node };
  };
  const start = async (labels: Record<string, string>, count: number): Promise<Placed[]> => {
    const placed = await Promise.all(Array.from({ length: count }, () => place(labels)));
    const up = async () => {
      const { items } = await client.list(pods, { namespace });
      return placed.every(({ pod }) => items.some((item) => item.metadata.name === pod && isReady(item)));
    };
    await until(`${placed.map(({ pod }) => pod).join(', ')} to be Ready`, up, LIMIT);
    return placed;
  };
  const namesOf = (placed: Placed[]): string[] => placed.map(({ pod }) => pod).toSorted();

  const edge: Edge = {
    client,
    namespace,
    spec: {
      name: 'www',
      role: 'web',
      service: { namespace, name: 'www' },
      ...(maintenance && { maintenance: { selector: maintenance } }),
    },
    to: (generation) => ({
      platform,
      generation,
      members: (running.get(generation) ?? []).map(({ node }) => ({
        machine: `i-${node}`,
        launchTime: 0,
        role: 'web',
        node,
        ready: true,
      })),
    }),
    async run(generation, count) {
      const labels = { [LABEL.platform]: platform, [LABEL.role]: 'web', [LABEL.generation]: generation };
      running.set(generation, await start(labels, count));
    },
    runOther: async (labels, count) => namesOf(await start(labels, count)),
    podsOf: (generation) => namesOf(running.get(generation) ?? []),
    service: () => client.get(services, 'www', { namespace }),
    async edit(wanted) {
      const service = await edge.service();
      await client.update(
        services,
        { ...service, spec: { ...service.spec, selector: wanted } },
        { fieldManager: 'kubectl-edit' },
      );
    },
    async applyAs(fieldManager, fields) {
      const body = { metadata: { name: 'www', namespace }, ...fields };
      await client.patch(services, 'www', body, { type: 'apply', namespace, fieldManager, force: true });
    },
    async arriving() {
      const labelSelector = 'kubernetes.io/service-name=www';
      const { items } = await client.list(endpointSlices, { namespace, labelSelector });
      return readyEndpoints(items)
        .map(({ targetRef }) => targetRef?.name ?? '')
        .toSorted();
    },
  };
  return edge;
}
