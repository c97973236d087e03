import type { TrafficTarget as Spec, SwitchState } from '../api/v1alpha1/index.ts';
import type { Address, Machine, Provider } from '../providers/provider.ts';
import { addressesServed } from './arrival.ts';
import { type Destination, ForeignChange, type Member, type Problem, stateText, type TargetKind } from './target.ts';

/** Addresses that are moved at the same time: EC2 takes 5 changes a second from an account, and lets save up 50. */
const AT_ONCE = 8;

/**
 * Elastic IPs: each address points at a Ready machine of the role of its own, in launch order; one that points at such a
 * machine already stays there. EC2 has no compare-and-swap: addresses are described, compared, associated and described
 * again, so that a foreign change is seen on either side. One that falls between the first look and the call, milliseconds
 * later, is written over: EC2 tells nobody. Nothing here can take an address from a machine without giving it to another;
 * one from outside, which EC2 would let go for an address of ours, is refused before anything moves.
 *
 * @param shared addresses of all targets of the role, in the order of the Platform: a machine has one address only, so all are
 * given to machines together, whichever of them is looked at. Default: the target's own
 */
export function elasticIPTarget(provider: () => Promise<Provider>, shared?: readonly string[]): TargetKind {
  return {
    async view(spec, destination) {
      const ids = idsOf(spec);
      const all = shared ?? ids;
      const cloud = await provider();
      const found = await cloud.addresses([...all]);
      const machines = inLaunchOrder(spec, destination);
      const wanted = only(ids, wantedOf(all, stateOf(found), machines));
      const addresses = found.filter(({ allocationID }) => ids.includes(allocationID));
      const now = stateOf(addresses);
      const lacking = tooFew(spec, { ids, wanted, machines }, destination);
      const due = ids.filter((id) => wanted[id] && now[id] !== wanted[id]).map((id) => wanted[id] ?? '');
      const taking = due.length > 0 ? await cloud.find(due) : [];
      const problem = unknown(spec, ids, now) ?? inUse(spec, addresses) ?? occupied(spec, taking, found) ?? lacking;
      const ready = new Set(machines.map(({ machine }) => machine));
      const moved = addressesServed(ids, now, ready).length;
      return {
        target: spec.name,
        role: spec.role,
        now,
        wanted,
        parts: true,
        choices: machines.map(({ machine }) => machine),
        ...(problem && { problem }),
        ...(lacking && { nobody: true }),
        serving: moved === ids.length && problem === undefined,
        waitingFor: `${moved} of ${ids.length} addresses point at machines of ${destination.generation}`,
      };
    },

    async point(spec, from, to) {
      const cloud = await provider();
      const ids = idsOf(spec);
      for (let n = 0; n < ids.length; n += AT_ONCE) await move(cloud, spec, ids.slice(n, n + AT_ONCE), from, to);
    },
  };
}

/** Moves some addresses at once. Throws what was in the way of the first of them when all have settled. */
async function move(cloud: Provider, spec: Spec, ids: string[], from: SwitchState, to: SwitchState): Promise<void> {
  const before = stateOf(await cloud.addresses(ids));
  // No address can be pointed at nothing: one that is wanted there stays where it is.
  const due = ids.filter((id) => to[id] && before[id] !== to[id]);
  const strayed = due.find((id) => before[id] !== from[id]);
  if (strayed) throw foreign(spec, strayed, before[strayed], from, to);
  const settled = await Promise.allSettled(due.map((id) => cloud.associate(id, to[id] ?? '')));
  const after = due.length > 0 ? stateOf(await cloud.addresses(due)) : {};
  // Still the old machine: the cloud is eventually consistent, or has refused. The next look will tell.
  const taken = due.find((id) => after[id] !== to[id] && after[id] !== before[id]);
  if (taken) throw foreign(spec, taken, after[taken], from, to);
  const refused = settled.find((result) => result.status === 'rejected');
  if (refused) throw refused.reason;
}

function idsOf(spec: Spec): string[] {
  if (!spec.elasticIPs) throw new TypeError(`traffic target ${spec.name} is not a set of Elastic IPs`);
  return spec.elasticIPs.allocationIDs;
}

/** Machine behind each address; '' when it points nowhere; no entry when there is no such address. */
export const stateOf = (addresses: readonly Address[]): SwitchState =>
  Object.fromEntries(
    // A network interface that is no machine's, a gateway's for example, is something, though it has no machine's id.
    addresses.map(({ allocationID, instanceID, associationID }) => [allocationID, instanceID ?? associationID ?? '']),
  );

const inLaunchOrder = (spec: Spec, { members }: Destination): Member[] =>
  members
    .filter(({ role, ready }) => role === spec.role && ready)
    .toSorted((a, b) => a.launchTime - b.launchTime || a.machine.localeCompare(b.machine));

const only = (ids: readonly string[], state: SwitchState): SwitchState =>
  Object.fromEntries(ids.map((id) => [id, state[id] ?? '']));

/** An address never goes to a machine that has another one of the set: EC2 would take that one away. */
function wantedOf(ids: readonly string[], now: SwitchState, machines: readonly Member[]): SwitchState {
  const known = new Set(machines.map(({ machine }) => machine));
  const staying = new Set(ids.map((id) => now[id] ?? '').filter((machine) => known.has(machine)));
  const free = machines.map(({ machine }) => machine).filter((machine) => !staying.has(machine));
  return Object.fromEntries(
    ids.map((id) => {
      const present = now[id] ?? '';
      return [id, staying.has(present) ? present : (free.shift() ?? '')];
    }),
  );
}

function unknown(spec: Spec, ids: readonly string[], now: SwitchState): Problem | undefined {
  const missing = ids.filter((id) => now[id] === undefined);
  if (missing.length === 0) return undefined;
  return {
    reason: 'TargetNotFound',
    message: `traffic target ${spec.name}: the account has no address ${missing.join(', ')}: correct spec.traffic[].elasticIPs`,
  };
}

function inUse(spec: Spec, addresses: readonly Address[]): Problem | undefined {
  const others = addresses.filter(({ instanceID, associationID }) => !instanceID && associationID);
  if (others.length === 0) return undefined;
  const ids = others.map(({ allocationID }) => allocationID).join(', ');
  return {
    reason: 'AddressInUse',
    message: `traffic target ${spec.name}: address ${ids} belongs to something that is no machine’s primary address (a gateway, a load balancer or another network interface of a machine, for example), from which it could not be given back: free it, or correct spec.traffic[].elasticIPs`,
  };
}

/** An address of the account that is none of the role's, on a machine that is to get one: EC2 would take it away. */
function occupied(spec: Spec, machines: readonly Machine[], addresses: readonly Address[]): Problem | undefined {
  const ours = new Set(addresses.map(({ publicIP }) => publicIP));
  const others = machines.flatMap(({ id, primary }) =>
    primary?.elasticIP !== undefined && !ours.has(primary.elasticIP) ? [`${id} has ${primary.elasticIP}`] : [],
  );
  if (others.length === 0) return undefined;
  return {
    reason: 'MachineHasAddress',
    message: `traffic target ${spec.name}: ${others.join(', ')}, which it would lose: take that address off this machine, or add it to spec.traffic[].elasticIPs`,
  };
}

function tooFew(
  spec: Spec,
  { ids, wanted, machines }: { ids: readonly string[]; wanted: SwitchState; machines: readonly Member[] },
  { generation }: Destination,
): Problem | undefined {
  if (ids.every((id) => wanted[id])) return undefined;
  return {
    reason: 'TooFewMachines',
    message: `traffic target ${spec.name} has ${ids.length} addresses and generation ${generation} only ${machines.length} Ready machines of role ${spec.role}, for all targets of that role: add machines to that role, or take addresses out of the target`,
  };
}

const foreign = (
  spec: Spec,
  id: string,
  found: string | undefined,
  from: SwitchState,
  to: SwitchState,
): ForeignChange =>
  new ForeignChange(
    `address ${id} of traffic target ${spec.name} points at ${found || 'nothing'}, which is neither where this cutover last saw it (${stateText({ [id]: from[id] ?? '' })}) nor where it wants it (${stateText({ [id]: to[id] ?? '' })}): somebody else moved it`,
  );
