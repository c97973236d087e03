import type { KubeClient } from '../../../src/kube/client.ts';
import { nodes } from '../../../src/kube/resources.ts';
import { aKubeletsNode } from './nodes.ts';

/** Requests under way at once. */
const PARALLEL = 32;

/** Creates `count` Nodes; returns their mean size as the API server returns them, bytes of JSON. */
export async function fill(client: KubeClient, count: number): Promise<number> {
  let next = 0;
  let bytes = 0;
  const worker = async () => {
    while (next < count) {
      const created = await client.create(nodes, aKubeletsNode(next++));
      bytes += Buffer.byteLength(JSON.stringify(created));
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return bytes / count;
}
