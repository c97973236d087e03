import {
  type Allowance,
  type BlastRadius,
  describeRadius,
  drainedBy,
  inMaintenance,
} from '../../domain/blast-radius.ts';
import type { NodeView } from '../nodes.ts';

/**
 * controllers/maintenance opens protected namespaces for the drain of single machines. In go the Nodes that people have
 * annotated with generations.dev/maintenance and what of their generation is out; out come the Nodes whose pods may be
 * evicted, written to each protected namespace as generations.dev/draining, where the policies read it, and events on
 * the Nodes. The webhook looks at the same Nodes, so that one that is listed does not open its neighbours.
 */

export interface MaintenanceInput {
  /** Nodes whose annotation names them. */
  nodes: MaintainedNode[];
  /** Protected namespaces and what their annotation says now; undefined without one. */
  namespaces: { name: string; draining: string | undefined }[];
  /** Nodes whose maintenance has begun as far as this process knows. */
  begun: ReadonlySet<string>;
}

export interface MaintainedNode {
  node: NodeView;
  /** Of its generation when that is protected; undefined for every other Node, which anybody may drain. */
  held?: { generation: string; platform: string; radius: BlastRadius; allowance: Allowance } | undefined;
}

export interface MaintenanceDecision {
  /** Names of the Nodes that may be drained, sorted. */
  draining: string[];
  /** What to write, for namespaces that say otherwise; null removes the annotation. */
  writes: { namespace: string; draining: string | null }[];
  /** Maintenance that begins with this. */
  begins: NodeView[];
  /** Maintenance that has to wait, and why. */
  refusals: { node: NodeView; why: string }[];
}

export function decide(input: MaintenanceInput): MaintenanceDecision {
  const before = new Set([...input.begun, ...input.namespaces.flatMap(({ draining }) => drainedBy(draining))]);
  const granted = new Set<string>();
  const refusals: MaintenanceDecision['refusals'] = [];
  for (const group of groups(input.nodes.filter(({ node }) => inMaintenance(node)))) {
    const waiting = group.filter((one) => one.held && !before.has(one.node.name) && !otherwiseOut(one.node));
    let room = roomIn(group, waiting);
    for (const one of group.toSorted((a, b) => a.node.name.localeCompare(b.node.name))) {
      const { node, held } = one;
      if (!held || !waiting.includes(one) || room > 0) {
        granted.add(node.name);
        if (waiting.includes(one)) room--;
      } else refusals.push({ node, why: refusal(held) });
    }
  }
  const draining = [...granted].toSorted();
  const text = draining.length > 0 ? draining.join(',') : null;
  return {
    draining,
    writes: input.namespaces
      .filter((namespace) => (namespace.draining ?? null) !== text)
      .map(({ name }) => ({ namespace: name, draining: text })),
    begins: input.nodes.map(({ node }) => node).filter(({ name }) => granted.has(name) && !before.has(name)),
    refusals,
  };
}

/** Out for another reason than its annotation: its maintenance takes nothing more away. */
const otherwiseOut = ({ ready }: NodeView): boolean => !ready;

/** How many of those that wait may begin: they count themselves, as everything that is annotated does. */
function roomIn(group: readonly MaintainedNode[], waiting: readonly MaintainedNode[]): number {
  const radius = group[0]?.held?.radius;
  if (!radius) return 0;
  const counted = waiting.filter(({ node }) => radius.counted.has(node.name)).length;
  return radius.limit - (radius.used - counted);
}

const refusal = ({ generation, platform, radius, allowance }: NonNullable<MaintainedNode['held']>): string =>
  `the blast radius of ${generation} is used up. ${describeRadius(radius, allowance)}. It begins by itself when fewer are out; spec.blastRadius of Platform ${platform} says how many may be`;

/** By generation; Nodes that nothing holds are one group. */
function groups(nodes: readonly MaintainedNode[]): MaintainedNode[][] {
  const byGeneration = new Map<string, MaintainedNode[]>();
  for (const one of nodes) {
    const key = one.held?.generation ?? '';
    byGeneration.set(key, [...(byGeneration.get(key) ?? []), one]);
  }
  return [...byGeneration.values()];
}
