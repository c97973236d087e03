import {
  type ClusterGeneration,
  type Failure,
  type GenerationPool,
  type GenerationPoolStatus,
  LABEL,
  type Launch,
  type Platform,
} from '../../api/v1alpha1/index.ts';
import { kstatus, timestamp, type Verdict, withConditions } from '../../domain/conditions.ts';
import { labelsOfMember } from '../../domain/identity.ts';
import { holdOf } from '../../domain/protection.ts';
import type { Machine, ProviderError } from '../../providers/provider.ts';
import type { NodeView } from '../nodes.ts';
import { instancesAfter, machinesLeft } from './accounting.ts';
import { launchesFor, waitFor } from './launching.ts';

/**
 * controllers/pool keeps the machines of one GenerationPool at the cloud equal to its spec: launches what is missing,
 * labels their Nodes, and hands to the interlock what is too much. In goes the pool, what the cloud and the Node
 * cache show; out comes a decision: the status to journal first, then the effects.
 */

/** A machine registers a Node within minutes of its launch, or it never will. Declared ms. */
export const REGISTRATION_TIMEOUT = 10 * 60_000;
/** How often to look at the cloud while something is under way, and when nothing is. Declared ms. */
const BUSY = 10_000;
const QUIET = 60_000;
/** The same while the account's API budget is what is waited for. */
const HELD = 2_000;

export interface PoolInput {
  pool: GenerationPool;
  generation: ClusterGeneration | undefined;
  platform: Platform | undefined;
  /** What the cloud shows with this pool's tags, or why it could not be asked. */
  machines: Machine[] | ProviderError;
  /** Ids of the pool that the cloud denies twice. */
  vanished: string[];
  nodes: ReadonlyMap<string, NodeView>;
  /** Machines that may be asked for in one request now. */
  affordable: number;
  now: number;
  /** Turns declared ms into real ms. */
  scaled(ms: number): number;
}

export interface LabelNode {
  name: string;
  labels: Record<string, string>;
  taints: NonNullable<GenerationPool['spec']['template']['taints']>;
}

export interface PoolDecision {
  /** Written before any effect: it is the journal of the launches. */
  status: GenerationPoolStatus;
  launch: Launch[];
  label: LabelNode[];
  /** Machines that are too many, broken before they ever served, or of a pool that goes. The interlock decides again. */
  terminate: { ids: string[]; because: string } | undefined;
  /** True when the cloud shows that no machine is left of a pool that is being deleted. */
  release: boolean;
  /** real ms */
  requeueAfter: number;
}

/** What to do about a pool. Pure. */
export function decide(input: PoolInput): PoolDecision {
  const { pool, machines, now, scaled } = input;
  if (!Array.isArray(machines)) return blind(input, machines);

  const instances = instancesAfter(pool, machines, input.vanished);
  const leaving = pool.metadata.deletionTimestamp !== undefined;
  const retired = input.generation?.status.retiredTime !== undefined;
  const present = failuresOf(input);
  const waiting = waitFor(present, now);
  const launch = leaving || retired || waiting > 0 ? [] : launchesFor(pool, instances, input.affordable, now);
  const members = census(input, machines, instances);
  const terminate = (leaving || retired) && waiting > 0 ? undefined : surplus(input, instances, members);
  const failures = leaving || retired ? present : failuresNow(pool, members, launch.length, now);

  const started = launch.filter(({ token }) => !pool.status.launches?.some((entry) => entry.token === token));
  const wanted = leaving || retired ? 0 : pool.spec.machines;
  const status: GenerationPoolStatus = {
    ...pool.status,
    observedGeneration: pool.metadata.generation,
    machines: { launched: instances.length, registered: members.registered.length, ready: members.ready },
    instances,
    launches: [...(pool.status.launches ?? []), ...started],
    launchCount: (pool.status.launchCount ?? 0) + started.length,
    failures,
    conditions: withConditions(pool.status.conditions, verdicts(input, wanted, instances.length, members, failures), {
      generation: pool.metadata.generation,
      now,
    }),
  };
  const held = input.affordable < 1 && instances.length < wanted;
  const settled = launch.length === 0 && !terminate && instances.length === wanted && members.ready === wanted;
  return {
    status,
    launch,
    label: members.unlabelled,
    terminate,
    release: leaving && instances.length === 0 && machinesLeft(machines).length === 0 && journalIsOver(input),
    requeueAfter: settled && !leaving ? scaled(QUIET) : Math.min(scaled(BUSY), waiting || scaled(held ? HELD : BUSY)),
  };
}

/** Without a look at the cloud nothing is done, and nothing claimed but that. */
function blind({ pool, now, scaled }: PoolInput, error: ProviderError): PoolDecision {
  const verdict: Verdict = { type: 'Ready', status: 'Unknown', reason: error.reason, message: error.message };
  const conditions = withConditions(
    pool.status.conditions,
    [verdict, ...kstatus('Reconciling', error.reason, error.message)],
    { generation: pool.metadata.generation, now },
  );
  return {
    status: { ...pool.status, conditions },
    launch: [],
    label: [],
    terminate: undefined,
    release: false,
    requeueAfter: Math.max(error.retryAfter ?? 0, scaled(BUSY)),
  };
}

interface Members {
  registered: string[];
  ready: number;
  /** Launched longer ago than any machine takes to register. */
  late: string[];
  unlabelled: LabelNode[];
}

/** The pool's machines as Kubernetes sees them. Only what the cloud shows with the pool's tags is matched to a Node. */
function census(
  { pool, nodes, now, scaled }: PoolInput,
  machines: readonly Machine[],
  instances: NonNullable<GenerationPoolStatus['instances']>,
): Members {
  const counted = new Map(instances.map((instance) => [instance.id, instance]));
  const members: Members = { registered: [], ready: 0, late: [], unlabelled: [] };
  for (const machine of machines) {
    const instance = counted.get(machine.id);
    if (!instance) continue;
    const node = nodes.get(machine.providerID);
    if (!node) {
      if (now - Date.parse(instance.time) > scaled(REGISTRATION_TIMEOUT)) members.late.push(machine.id);
      continue;
    }
    members.registered.push(machine.id);
    const label = labelling(pool, node);
    if (label) members.unlabelled.push(label);
    else if (node.ready) members.ready++;
  }
  return members;
}

/** What a Node lacks of its pool's labels and taints. A Node that claims another generation is left alone (S6). */
function labelling(pool: GenerationPool, node: NodeView): LabelNode | undefined {
  const claimed = node.labels[LABEL.generationUID];
  if (claimed !== undefined && claimed !== pool.spec.generationUID) return undefined;
  const wanted = { ...pool.spec.template.labels, ...labelsOfMember(pool) };
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

/** Machines that should go. Of a generation that is held none is proposed: the interlock would refuse. */
function surplus(
  { pool, generation, platform }: PoolInput,
  instances: NonNullable<GenerationPoolStatus['instances']>,
  members: Members,
): PoolDecision['terminate'] {
  const ids = instances.map(({ id }) => id);
  if (ids.length === 0) return undefined;
  if (pool.metadata.deletionTimestamp) return { ids, because: 'its pool is being deleted' };
  if (!generation || holdOf(generation, platform)) return undefined;
  if (generation.status.retiredTime) return { ids, because: 'its generation is retired' };
  if (members.late.length > 0) return { ids: members.late, because: 'it never registered as a Node' };
  // A launch without an answer may be among the instances already: wait for it before anything counts as too many.
  const tooMany = (pool.status.launches ?? []).length > 0 ? 0 : ids.length - pool.spec.machines;
  if (tooMany <= 0) return undefined;
  const useful = new Set(members.registered);
  const expendable = instances.toSorted(
    (a, b) => Number(useful.has(a.id)) - Number(useful.has(b.id)) || b.time.localeCompare(a.time),
  );
  return { ids: expendable.slice(0, tooMany).map(({ id }) => id), because: 'its pool was made smaller' };
}

/** The failures that still matter: of a pool that goes, those of its going. */
function failuresOf({ pool, generation }: PoolInput): Failure[] {
  const leavingSince = pool.metadata.deletionTimestamp ?? generation?.status.retiredTime;
  const failures = pool.status.failures ?? [];
  return leavingSince ? failures.filter(({ since }) => Date.parse(since) >= Date.parse(leavingSince)) : failures;
}

function failuresNow(pool: GenerationPool, members: Members, launching: number, now: number): Failure[] {
  const others = (pool.status.failures ?? []).filter(({ reason }) => reason !== 'RegistrationTimeout');
  const complete = launching === 0 && members.ready >= pool.spec.machines;
  if (members.late.length === 0) return complete ? [] : others;
  const before = pool.status.failures?.find(({ reason }) => reason === 'RegistrationTimeout');
  return [
    ...others,
    {
      reason: 'RegistrationTimeout',
      message: `${members.late.length} machines run at the cloud and have not registered a Node: ${members.late.slice(0, 10).join(', ')}. Look at their console output, user data and security groups`,
      count: members.late.length,
      since: before?.since ?? timestamp(now),
    },
  ];
}

/** A launch whose answer was lost shows in the cloud's list within this time. Declared ms. */
const CONSISTENCY_WINDOW = 60_000;

/** True when no launch without an answer can still bring a machine: the last was sent before the deletion, if it waited long. */
const journalIsOver = ({ pool, now, scaled }: PoolInput): boolean =>
  (pool.status.launches ?? []).every(({ time }) => {
    const sent = Math.max(Date.parse(time), Date.parse(pool.metadata.deletionTimestamp ?? time));
    return now - sent > scaled(CONSISTENCY_WINDOW);
  });

function verdicts(
  { pool }: PoolInput,
  wanted: number,
  launched: number,
  members: Members,
  failures: readonly Failure[],
): Verdict[] {
  const failure = failures[0];
  if (pool.metadata.deletionTimestamp) {
    const left = `${launched} machines are still to be removed`;
    const [reason, message] = failure ? [failure.reason, `${left}: ${failure.message}`] : ['Deleting', left];
    return [{ type: 'Ready', status: false, reason, message }, ...kstatus('Reconciling', reason, message)];
  }
  const reason = failure?.reason ?? (launched < wanted ? 'Launching' : 'WaitingForNodes');
  const message = failure?.message ?? `${launched} of ${wanted} machines launched, ${members.ready} ready`;
  const ready = members.ready >= wanted;
  return [
    launched >= wanted
      ? { type: 'Launched', status: true, reason: 'AllLaunched', message: `${launched} machines exist` }
      : { type: 'Launched', status: false, reason, message },
    ready
      ? { type: 'Ready', status: true, reason: 'AllReady', message: `${members.ready} machines are ready` }
      : { type: 'Ready', status: false, reason, message },
    ...kstatus(ready ? 'Current' : 'Reconciling', reason, message),
  ];
}
