import { uniqueName } from '../../../local/testing.ts';
import { eventually, expectStatus, type GuardedCluster, type KubeObject, pathOf } from './cluster.ts';

/** Builders: workloads of a generation, and what the operator writes about them. */

export const WORKLOADS = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'] as const;
export type WorkloadKind = (typeof WORKLOADS)[number];

export interface Made {
  namespace: string;
  /** Whose pods its template makes: by nodeSelector and by label, unless `by` says one of them. */
  generation?: string;
  by?: 'nodeSelector' | 'label';
  platform?: string;
  role?: string;
  name?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  replicas?: number;
}

export function aWorkload(
  kind: WorkloadKind,
  { namespace, generation, by, platform, role, labels, annotations, replicas = 2, name = uniqueName('web') }: Made,
) {
  const of = generation === undefined ? {} : { 'generations.dev/generation': generation };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace, labels: { site: name, ...labels }, annotations },
    spec: {
      ...(kind !== 'DaemonSet' && { replicas }),
      ...(kind === 'StatefulSet' && { serviceName: name }),
      selector: { matchLabels: { app: name } },
      template: {
        metadata: {
          labels: {
            app: name,
            ...(by === 'nodeSelector' ? {} : of),
            ...(platform && { 'generations.dev/platform': platform }),
            ...(role && { 'generations.dev/role': role }),
          },
        },
        spec: {
          ...(by === 'label' ? {} : { nodeSelector: of }),
          containers: [{ name: 'main', image: 'example.com/web:1' }],
        },
      },
    },
  };
}

/** A namespace in which controllers can make pods. */
export async function aNamespace(cluster: GuardedCluster): Promise<string> {
  const name = uniqueName('edge');
  const namespace = await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const account = `${pathOf(namespace)}/serviceaccounts/default`;
  await eventually('its service account', async () => (await cluster.call('admin', 'GET', account)).status === 200);
  return name;
}

export const namespaceCalled = (name: string) => ({ kind: 'Namespace', metadata: { name } });

export interface Listed {
  object: KubeObject;
  /** Empty for what people have labelled. */
  generation?: string;
  platform?: string;
  live?: boolean;
}

/** Lists workloads on their namespace as the operator does, and waits until the policies have seen it. */
export async function list(cluster: GuardedCluster, namespace: string, listed: readonly Listed[]): Promise<void> {
  const { call } = cluster;
  const items = listed.map(({ object, generation = '', platform = '', live = true }) => {
    const state = generation === '' ? '' : live ? 'live' : 'protected';
    return `${object.kind.toLowerCase()}s/${object.metadata.name}:${generation}:${platform}:${state}`;
  });
  const annotations = { 'generations.dev/workloads': items.length === 0 ? null : items.join(' ') };
  const path = pathOf(namespaceCalled(namespace));
  await expectStatus(200, call('operator', 'PATCH', path, { metadata: { annotations } }));
  const scaling = (object: KubeObject) =>
    call('admin', 'PATCH', `${pathOf(object)}/scale?dryRun=All`, { spec: { replicas: 0 } });
  for (const { object } of listed)
    if (object.kind !== 'DaemonSet')
      await eventually('the policies to see the list', async () => (await scaling(object)).status === 403);
}
