import { isDeepStrictEqual } from 'node:util';
import { LABEL } from '../../src/api/v1alpha1/index.ts';
import { isReady, type Node } from '../../src/kube/resources.ts';
import { readGeneration, readPools, type Stage } from './stage.ts';

/** A generation and all that belongs to it, as API server and cloud show it at one time. */
export interface Snapshot {
  generation: { name: string; uid: string; deleting: boolean } | undefined;
  pools: { name: string; uid: string; machines: number; deleting: boolean }[];
  nodes: { name: string; uid: string; providerID: string; ready: boolean; open: boolean }[];
  /** At the cloud, those that are not terminated. */
  machines: { id: string; state: string }[];
}

export async function snapshotOf(stage: Stage, name: string): Promise<Snapshot> {
  const labelSelector = encodeURIComponent(`${LABEL.generation}=${name}`);
  const [generation, pools, nodes, state] = await Promise.all([
    readGeneration(stage, name),
    readPools(stage, name),
    stage.read<{ items: Node[] }>(`/api/v1/nodes?labelSelector=${labelSelector}`),
    stage.cloud.state(),
  ]);
  return {
    generation: generation && {
      name,
      uid: generation.metadata.uid,
      deleting: generation.metadata.deletionTimestamp !== undefined,
    },
    pools: pools.map(({ metadata, spec }) => ({
      name: metadata.name,
      uid: metadata.uid,
      machines: spec.machines,
      deleting: metadata.deletionTimestamp !== undefined,
    })),
    nodes: (nodes?.items ?? []).map(({ metadata, spec, ...node }) => ({
      name: metadata.name,
      uid: metadata.uid,
      providerID: spec?.providerID ?? '',
      ready: isReady(node),
      open: spec?.unschedulable !== true && (spec?.taints ?? []).every(({ effect }) => effect !== 'NoExecute'),
    })),
    machines: state.instances
      .filter(({ tags, state: now }) => tags[LABEL.generation] === name && now !== 'terminated')
      .map(({ id, state: now }) => ({ id, state: now })),
  };
}

/** Whether nothing was added, taken away, replaced or changed between two looks. */
export const unchanged = (before: Snapshot, after: Snapshot): boolean =>
  isDeepStrictEqual(inOrder(before), inOrder(after));

const inOrder = ({ generation, pools, nodes, machines }: Snapshot): Snapshot => ({
  generation,
  pools: pools.toSorted((a, b) => a.name.localeCompare(b.name)),
  nodes: nodes.toSorted((a, b) => a.name.localeCompare(b.name)),
  machines: machines.toSorted((a, b) => a.id.localeCompare(b.id)),
});
