import { type GenerationPool, LABEL } from '../../api/v1alpha1/index.ts';
import { labelsOfMember, uidsOf } from '../../domain/identity.ts';
import { realLimit } from '../../domain/moment.ts';
import type { Machine } from '../../providers/provider.ts';
import type { NodeView } from '../nodes.ts';
import type { Instance } from './accounting.ts';
import type { PoolInput } from './input.ts';

/** The pool's machines as Kubernetes sees them: which have registered, which are ready, which Nodes lack their labels. */

/** A machine registers a Node within minutes of its launch, or it never will. Declared ms. */
export const REGISTRATION_TIMEOUT = 10 * 60_000;
/** The API server takes in new Nodes in real time, however fast a drill runs: 180 in 40 s on a busy machine. Real ms. */
const LEAST_TIMEOUT = 90_000;

/** What a Node is to be given. */
export interface LabelNode {
  name: string;
  labels: Record<string, string>;
  taints: NonNullable<GenerationPool['spec']['template']['taints']>;
}

export interface Members {
  registered: string[];
  ready: number;
  /** Running, never registered, and launched or started longer ago than any machine takes to. */
  late: string[];
  /** Running, and registered once: their Nodes are gone. */
  lost: string[];
  unlabelled: LabelNode[];
}

/**
 * The pool's machines as Kubernetes sees them. What the cloud shows with the pool's tags is matched to a Node; what it
 * does not show counts while its kubelet reports. One that is off is neither late nor Ready, whatever its Node still says.
 */
export function census(input: PoolInput, machines: readonly Machine[], instances: readonly Instance[]): Members {
  const { nodes, sight, now } = input;
  const counted = new Map(instances.map((instance) => [instance.id, instance]));
  const unshown = [...sight.alive].filter((id) => counted.has(id));
  const members: Members = { registered: unshown, ready: unshown.length, late: [], lost: [], unlabelled: [] };
  for (const machine of machines) {
    const instance = counted.get(machine.id);
    if (!instance) continue;
    const node = nodes.get(machine.providerID);
    const off = machine.state === 'stopping' || machine.state === 'stopped';
    if (!node) {
      if (off) continue;
      // A start counts as a launch: from then on it has its time again.
      const since = Math.max(Date.parse(instance.time), machine.launchTime);
      const registered = Date.parse(instance.registeredTime ?? '') >= machine.launchTime;
      if (registered) members.lost.push(machine.id);
      else if (now - since > realLimit(input, REGISTRATION_TIMEOUT, LEAST_TIMEOUT)) members.late.push(machine.id);
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
