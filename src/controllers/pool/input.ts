import type { ClusterGeneration, GenerationPool, Platform } from '../../api/v1alpha1/index.ts';
import type { Look } from '../../domain/absence.ts';
import type { Machine, ProviderError } from '../../providers/provider.ts';
import type { NodeView } from '../nodes.ts';

/** All that a decision about a pool rests on. */
export interface PoolInput {
  pool: GenerationPool;
  generation: ClusterGeneration | undefined;
  platform: Platform | undefined;
  /** The account that its class is known to have. */
  account: string | undefined;
  /** What the cloud shows with this pool's tags, let go or not, or why it could not be asked. */
  machines: Machine[] | ProviderError;
  /** Why nothing may be launched, and why nothing may be ended, whatever the pool lacks or has too much of. */
  standstill: { launch?: string | undefined; end?: string | undefined };
  /** Machines that ran again after a stop: ids of those seen without protection, and how many could not be looked at. */
  revived: { bare: string[]; unknown: number };
  /** Of a standby: names of Nodes on which pods of Jobs run that have not ended. */
  working: ReadonlySet<string>;
  /** How far what the cloud does not show can be believed. */
  sight: Sight;
  /** The Node of each machine, by providerID. */
  nodes: ReadonlyMap<string, NodeView>;
  /** Nodes that name one of these machines and are not its Node. */
  twins: readonly NodeView[];
  /** Machines that may be asked for in one request now. */
  affordable: number;
  now: number;
  /** Turns declared ms into real ms. */
  scaled(ms: number): number;
}

/** What is known of machines that the cloud's list by tag lacks. */
export interface Sight {
  /** Counted machines that are shown by their ids, without this pool's tags. */
  strays: Machine[];
  /** Ids of counted machines, old enough to be shown, that neither question shows. */
  denied: string[];
  /** Ids of counted machines that the cloud does not show, and whose Node is Ready: they run. */
  alive: ReadonlySet<string>;
  /** How much of what the pools of the class count the cloud shows. */
  look: Look;
  /** Names of Ready Nodes with this pool's labels whose machines it neither counts nor sees. */
  unseen: string[];
  /** Whether nearly all Nodes that there were are missing at once: then none that is missing tells anything. */
  nodesLack: boolean;
}
