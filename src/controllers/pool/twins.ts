import { LABEL } from '../../api/v1alpha1/index.ts';
import { uidsOf } from '../../domain/identity.ts';
import type { NodeView } from '../nodes.ts';
import type { PoolInput } from './input.ts';

/**
 * Nodes that name a machine which has another Node. They get no labels. One that has them, from when it was the machine's Node, is
 * guarded with its generation: it is called stale, so that people may delete it, for as long as the machine's own Node is Ready.
 */

export interface Mark {
  node: string;
  /** The Node of its machine; null: it is not stale, or not any more. */
  stale: string | null;
}

/** Annotations that are not as they should be. */
export function marksFor({ pool, generation, nodes, twins }: PoolInput): Mark[] {
  const uids = [pool.spec.generationUID, ...(generation ? uidsOf(generation) : [])];
  const own = (node: NodeView) => uids.includes(node.labels[LABEL.generationUID] ?? '');
  const wanted = ({ providerID }: NodeView): string | undefined => {
    const node = nodes.get(providerID);
    return node?.ready ? node.name : undefined;
  };
  const mark = (node: NodeView, stale: string | undefined): Mark[] =>
    node.stale === stale || !own(node) ? [] : [{ node: node.name, stale: stale ?? null }];
  return [
    ...[...nodes.values()].flatMap((node) => mark(node, undefined)),
    ...twins.flatMap((twin) => mark(twin, wanted(twin))),
  ];
}

/** Names of the Nodes that name a machine which has another one, in order. */
export const twinNames = ({ twins }: PoolInput): string[] => twins.map(({ name }) => name).toSorted();

/** For people: which Node names a machine that has another one, and what can be done. */
export function describeTwin(name: string, { twins, nodes }: PoolInput): string {
  const providerID = twins.find((twin) => twin.name === name)?.providerID ?? '';
  const node = nodes.get(providerID)?.name;
  return (
    `Node ${name} names machine ${providerID}, whose Node is ${node}: a host that was renamed, or a second kubelet. It counts for nothing and ` +
    `gets no labels. Once it is not Ready it can be deleted: kubectl delete node ${name}`
  );
}
