import { type GenerationPool, type GenerationPoolStatus, LABEL } from '../../api/v1alpha1/index.ts';
import { labelsOfMember, uidsOf } from '../../domain/identity.ts';
import type { Machine } from '../../providers/provider.ts';
import type { NodeView } from '../nodes.ts';
import type { PoolInput } from './input.ts';

/** The pool's machines as Kubernetes sees them: which have registered, which are ready, which Nodes lack their labels. */

/** A machine registers a Node within minutes of its launch, or it never will. Declared ms. */
export const REGISTRATION_TIMEOUT = 10 * 60_000;
/** What a Node is to be given. */
export interface LabelNode {
  name: string;
  labels: Record<string, string>;
  taints: NonNullable<GenerationPool['spec']['template']['taints']>;
}

export interface Members {
  registered: string[];
  ready: number;
  /** Running, and launched or started longer ago than any machine takes to register. */
  late: string[];
  unlabelled: LabelNode[];
}

/**
 * The pool's machines as Kubernetes sees them. Only what the cloud shows with the pool's tags is matched to a Node. One
 * that is off is neither late nor Ready, whatever its Node still says.
 */
export function census(
  input: PoolInput,
  machines: readonly Machine[],
  instances: NonNullable<GenerationPoolStatus['instances']>,
): Members {
  const { nodes, now, scaled } = input;
  const counted = new Map(instances.map((instance) => [instance.id, instance]));
  const members: Members = { registered: [], ready: 0, late: [], unlabelled: [] };
  for (const machine of machines) {
    const instance = counted.get(machine.id);
    if (!instance) continue;
    const node = nodes.get(machine.providerID);
    const off = machine.state === 'stopping' || machine.state === 'stopped';
    if (!node) {
      // A start counts as a launch: from then on it has its time again.
      const since = Math.max(Date.parse(instance.time), machine.launchTime);
      if (!off && now - since > scaled(REGISTRATION_TIMEOUT)) members.late.push(machine.id);
      continue;
    }
    members.registered.push(machine.id);
    const label = labelling(input, node);
    if (label) members.unlabelled.push(label);
    else if (node.ready && !off) members.ready++;
  }
  return members;
}

/**
 * What a Node lacks of its pool's labels and taints. A Node that claims another generation is left alone (S6); one that
 * has the UID from before a restore keeps it: such a label never changes.
 */
function labelling({ pool, generation }: PoolInput, node: NodeView): LabelNode | undefined {
  const claimed = node.labels[LABEL.generationUID];
  const uids = [pool.spec.generationUID, ...(generation ? uidsOf(generation) : [])];
  if (claimed !== undefined && !uids.includes(claimed)) return undefined;
  const uid = { [LABEL.generationUID]: claimed ?? pool.spec.generationUID };
  const wanted = { ...pool.spec.template.labels, ...labelsOfMember(pool), ...uid };
  const labels = Object.fromEntries(Object.entries(wanted).filter(([key, value]) => node.labels[key] !== value));
  const firstTime = claimed === undefined;
  const taints = firstTime
    ? (pool.spec.template.taints ?? []).filter(
        ({ key, effect }) => !node.taints.some((taint) => taint.key === key && taint.effect === effect),
      )
    : [];
  if (Object.keys(labels).length === 0 && taints.length === 0) return undefined;
  return { name: node.name, labels, taints };
}
