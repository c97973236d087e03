import { LABEL, type Platform, type TrafficTarget } from '../../api/v1alpha1/index.ts';
import { ApiError } from '../../kube/errors.ts';
import { daemonSets, deployments, pods, replicaSets, statefulSets, type Workload } from '../../kube/resources.ts';
import { type Address, ProviderError } from '../../providers/provider.ts';
import { minReadyOf } from '../../traffic/arrival.ts';
import { stateOf } from '../../traffic/elastic-ip.ts';
import { selectorFor, selectorText } from '../../traffic/service.ts';
import { addressSight, type Live, type MachineSeen, serviceSight, type TargetSight } from '../../traffic/sight.ts';
import type { Context } from '../context.ts';
import { machineIdOf, type NodeView } from '../nodes.ts';
import { providerOfClass, troubleWith } from '../provider.ts';
import { causeOf } from './cause.ts';
import type { PlatformInput } from './input.ts';

/**
 * What is seen of each traffic target of a platform whose generation is live. Services and their endpoints come from watches,
 * addresses from the look at the cloud's machines that is made anyway. Only when something is wrong is anything asked for it:
 * pods and workloads for the cause, and the cloud for the addresses themselves.
 */

/** Oldest answer about addresses that will do while one of them is not where it has to be. Declared ms. */
const MAX_AGE = 5_000;
/** For how long an address has to be missing before it is gone. Declared ms. */
const MISSING = 60_000;

/** What one process remembers between looks. */
export interface TrafficMemory {
  /** Public address by allocation id: that never changes. */
  publicIPs: Map<string, string>;
  /** By platform and target: what was last answered about its addresses, and when, by the monotonic clock. */
  answers: Map<string, { at: number; now: Record<string, string> }>;
  /** Likewise: when its addresses could last be looked at. */
  seen: Map<string, number>;
  /** Likewise: since when the cloud says that there is no such address. */
  missing: Map<string, number>;
}

export const trafficMemory = (): TrafficMemory => ({
  publicIPs: new Map(),
  answers: new Map(),
  seen: new Map(),
  missing: new Map(),
});

type Known = Pick<PlatformInput, 'platform' | 'cloud' | 'livePools'> & { uids: readonly string[] };

/** Nothing while nothing is live: nothing is expected of a target then. */
export async function targetsOf(context: Context, known: Known, memory: TrafficMemory): Promise<TargetSight[]> {
  const { platform } = known;
  if (!platform.status.live) return [];
  const live: Live = { platform: platform.metadata.name, generation: platform.status.live.name };
  return Promise.all(
    platform.spec.traffic.map((spec) =>
      spec.service ? ofService(context, known, spec, live) : ofAddresses(context, known, spec, live, memory),
    ),
  );
}

async function ofService(context: Context, known: Known, spec: TrafficTarget, live: Live): Promise<TargetSight> {
  const { caches } = context;
  const { namespace, name } = spec.service ?? { namespace: '', name: '' };
  const whose = (node: string) => {
    const found = caches.nodes.get(node);
    return found && (isOurs(found, known) ? 'ours' : 'others');
  };
  const sight = serviceSight(spec, caches.traffic.see(`${namespace}/${name}`), live, whose);
  if (sight.problem?.reason !== 'TooFewReadyEndpoints') return sight;
  try {
    return { ...sight, problem: await shortageOf(context, known, spec, live, sight.ready) };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { reason, message } = sight.problem;
    return { ...sight, problem: { reason, message: `${message}; why could not be read: ${error.message}` } };
  }
}

async function shortageOf(
  { client, caches }: Context,
  known: Known,
  spec: TrafficTarget,
  live: Live,
  ready: number,
): Promise<NonNullable<TargetSight['problem']>> {
  const { namespace, name } = spec.service ?? { namespace: '', name: '' };
  const wanted = selectorFor(spec, live);
  const [chosen, ...lists] = await Promise.all([
    client.list(pods, { namespace, labelSelector: selectorText(wanted) }),
    ...[deployments, statefulSets, daemonSets, replicaSets].map((kind) => client.list(kind, { namespace })),
  ]);
  const machines = machinesOf(known, spec.role);
  const limits = caches.nodes.list().flatMap((node) => (isOurs(node, known, spec.role) ? (node.podLimit ?? []) : []));
  return causeOf({
    what: `Service ${namespace}/${name} of traffic target ${spec.name}`,
    namespace,
    wanted,
    ready,
    minReady: minReadyOf(spec),
    pods: chosen.items,
    workloads: lists.flatMap(({ items }) => items).filter((workload) => isFor(workload, wanted)),
    room: { machines, podLimit: limits.length > 0 ? Math.max(...limits) : undefined },
  });
}

/** True for a workload whose pods have these labels; a ReplicaSet counts when no Deployment stands above it. */
function isFor({ kind, metadata, spec }: Workload, wanted: Record<string, string>): boolean {
  if (kind === 'ReplicaSet' && metadata.ownerReferences?.some(({ controller }) => controller)) return false;
  const labels = spec?.template?.metadata?.labels ?? {};
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}

const isOurs = ({ labels }: NodeView, { uids }: Known, role = labels[LABEL.role]): boolean =>
  uids.includes(labels[LABEL.generationUID] ?? '') && labels[LABEL.role] === role;

/** Machines that the live generation's pools of a role have. */
const machinesOf = ({ livePools }: Known, role: string): number =>
  livePools.filter(({ spec }) => spec.role === role).reduce((sum, { spec }) => sum + spec.machines, 0);

async function ofAddresses(
  context: Context,
  known: Known,
  spec: TrafficTarget,
  live: Live,
  memory: TrafficMemory,
): Promise<TargetSight> {
  const key = `${live.platform}/${spec.name}`;
  const { clock } = context;
  const { nodes, states } = machinesSeen(context, known);
  const machineOf = (id: string) => machineSeen(id, spec.role, known, nodes.get(id), states);
  const look = (now: Record<string, string>) => {
    const taken = new Set(Object.values(now));
    const spare = [...nodes.keys()].filter((id) => !taken.has(id) && machineOf(id)?.ours && machineOf(id)?.ready);
    return overcommitted(known, spec, addressSight(spec, now, machineOf, live, spare.toSorted()));
  };
  try {
    const shown = shownByMachines(known, spec, memory);
    const sight = shown && look(shown);
    // That something is wrong is asked for by another question before it is said.
    const settled =
      sight && !sight.problem ? sight : look(await addressesNow(context, known.platform, spec, key, memory));
    memory.seen.set(key, clock.monotonic());
    memory.missing.delete(key);
    return settled;
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    return notSeen(context, spec, key, memory, error);
  }
}

/** An address that is not there when it is looked for is gone only when it is not there some time later either. */
function notSeen(
  { clock }: Pick<Context, 'clock'>,
  { name, role, elasticIPs }: TrafficTarget,
  key: string,
  memory: TrafficMemory,
  error: ProviderError,
): TargetSight {
  const { reason, message } = troubleWith(error);
  const seen = memory.seen.get(key);
  const base = { target: name, role, generations: [], ready: 0, minReady: elasticIPs?.allocationIDs.length ?? 0 };
  if (error.code === 'InvalidAllocationID.NotFound') {
    const since = memory.missing.get(key) ?? clock.monotonic();
    memory.missing.set(key, since);
    const leadsTo = 'nothing: the account has no such address';
    if (clock.monotonic() - since >= clock.scaled(MISSING))
      return { ...base, place: 'nothing', leadsTo, problem: { reason: 'AddressGone', message } };
  }
  return {
    ...base,
    place: 'unseen',
    leadsTo: 'not seen',
    problem: { reason, message: `addresses of traffic target ${name} cannot be looked at: ${message}` },
    unseenFor: seen === undefined ? Infinity : clock.monotonic() - seen,
  };
}

/** Which machine has which address, by the machines themselves; undefined unless each was found. */
function shownByMachines(
  { cloud }: Known,
  { elasticIPs }: TrafficTarget,
  { publicIPs }: TrafficMemory,
): Record<string, string> | undefined {
  const holders = new Map(
    cloud.machines.flatMap(({ id, primary }) => (primary?.elasticIP ? [[primary.elasticIP, id]] : [])),
  );
  const entries = (elasticIPs?.allocationIDs ?? []).map((id) => [id, holders.get(publicIPs.get(id) ?? '')]);
  return entries.every(([, machine]) => machine !== undefined) ? Object.fromEntries(entries) : undefined;
}

/** The same by the addresses. Throws ProviderError. */
async function addressesNow(
  context: Context,
  platform: Platform,
  { elasticIPs }: TrafficTarget,
  key: string,
  memory: TrafficMemory,
): Promise<Record<string, string>> {
  const { clock } = context;
  const last = memory.answers.get(key);
  if (last && clock.monotonic() - last.at <= clock.scaled(MAX_AGE)) return last.now;
  const provider = await providerOfClass(context, platform.spec.className);
  const at = clock.monotonic();
  const found: Address[] = await provider.addresses(elasticIPs?.allocationIDs ?? []);
  for (const { allocationID, publicIP } of found) memory.publicIPs.set(allocationID, publicIP);
  const now = stateOf(found);
  memory.answers.set(key, { at, now });
  return now;
}

/** Nodes of the live generation by their machines, and what the cloud says of each machine. */
function machinesSeen({ caches }: Context, known: Known) {
  const ours = caches.nodes.list().filter((node) => isOurs(node, known));
  return {
    nodes: new Map(ours.map((node) => [machineIdOf(node.providerID), node])),
    states: new Map(known.cloud.machines.map((machine) => [machine.id, machine])),
  };
}

function machineSeen(
  id: string,
  role: string,
  { platform, uids }: Known,
  node: NodeView | undefined,
  states: ReadonlyMap<string, PlatformInput['cloud']['machines'][number]>,
): MachineSeen | undefined {
  const machine = states.get(id);
  const tags = machine?.tags ?? {};
  const generation = node?.labels[LABEL.generation] ?? tags[LABEL.generation];
  const mine = node !== undefined || uids.includes(tags[LABEL.generationUID] ?? '');
  if (!mine)
    return generation !== undefined && tags[LABEL.platform] === platform.metadata.name
      ? { ours: false, ready: false, generation, says: `is a machine of ${generation}` }
      : undefined;
  const has = node?.labels[LABEL.role] ?? tags[LABEL.role];
  if (has !== role) return { ours: false, ready: false, generation, says: `is a machine of role ${has}` };
  const ours = { ours: true, generation };
  // What the cloud does not show may be a look that was late or short; that it is off counts only when it says so.
  if (machine && machine.state !== 'running')
    return { ...ours, ready: false, says: `is ${machine.state} at the cloud` };
  if (!node) return { ...ours, ready: false, says: 'has no Node' };
  return node.ready
    ? { ...ours, ready: true, says: 'is Ready' }
    : { ...ours, ready: false, says: `has a Node that is not Ready (${node.name})` };
}

/** More addresses than the role has machines can never all be served, wherever they point. */
function overcommitted(known: Known, spec: TrafficTarget, sight: TargetSight): TargetSight {
  const addresses = known.platform.spec.traffic.flatMap((target) =>
    target.role === spec.role ? (target.elasticIPs?.allocationIDs ?? []) : [],
  );
  const machines = machinesOf(known, spec.role);
  if (!sight.problem || addresses.length <= machines) return sight;
  return {
    ...sight,
    problem: {
      reason: 'TooFewMachines',
      message: `role ${spec.role} has ${addresses.length} addresses in spec.traffic, and its pools have ${machines} machines, each of which can have one: add machines, or take addresses out. ${sight.problem.message}`,
    },
  };
}
