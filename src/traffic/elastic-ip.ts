import type { TrafficTarget as Spec, SwitchState } from '../api/v1alpha1/index.ts';
import type { Provider } from '../providers/provider.ts';
import { type Destination, ForeignChange, type Member, type Problem, stateText, type TargetKind } from './target.ts';

/**
 * Elastic IPs: address n points at the role's n-th Ready machine by launch order. EC2 has no compare-and-swap: each
 * address is described, compared, associated and described again, so a foreign change is seen on either side.
 */
export function elasticIPTarget(provider: () => Promise<Provider>): TargetKind {
  return {
    async view(spec, destination) {
      const ids = idsOf(spec);
      const now = await stateOf(await provider(), ids);
      const machines = inLaunchOrder(spec, destination);
      const wanted = Object.fromEntries(ids.map((id, n) => [id, machines[n]?.machine ?? '']));
      const problem = unknown(spec, ids, now) ?? tooFew(spec, ids, machines, destination);
      const moved = ids.filter((id) => now[id] === wanted[id]).length;
      return {
        target: spec.name,
        role: spec.role,
        now,
        wanted,
        ...(problem && { problem }),
        serving: moved === ids.length && problem === undefined,
        waitingFor: `${moved} of ${ids.length} addresses point at machines of ${destination.generation}`,
      };
    },

    async point(spec, from, to) {
      const cloud = await provider();
      for (const id of idsOf(spec)) {
        const wanted = to[id] ?? '';
        const before = (await stateOf(cloud, [id]))[id];
        if (before === wanted) continue;
        if (before !== from[id]) throw foreign(spec, id, before, from, to);
        await cloud.associate(id, wanted);
        const after = (await stateOf(cloud, [id]))[id];
        // Still the old machine: the cloud is eventually consistent, the next look will tell.
        if (after !== wanted && after !== before) throw foreign(spec, id, after, from, to);
      }
    },
  };
}

function idsOf(spec: Spec): string[] {
  if (!spec.elasticIPs) throw new TypeError(`traffic target ${spec.name} is not a set of Elastic IPs`);
  return spec.elasticIPs.allocationIDs;
}

/** Machine behind each address; '' when it points nowhere; no entry when there is no such address. */
async function stateOf(provider: Provider, ids: string[]): Promise<SwitchState> {
  const addresses = await provider.addresses(ids);
  return Object.fromEntries(addresses.map(({ allocationID, instanceID }) => [allocationID, instanceID ?? '']));
}

const inLaunchOrder = (spec: Spec, { members }: Destination): Member[] =>
  members
    .filter(({ role, ready }) => role === spec.role && ready)
    .toSorted((a, b) => a.launchTime - b.launchTime || a.machine.localeCompare(b.machine));

function unknown(spec: Spec, ids: readonly string[], now: SwitchState): Problem | undefined {
  const missing = ids.filter((id) => now[id] === undefined);
  if (missing.length === 0) return undefined;
  return {
    reason: 'TargetNotFound',
    message: `traffic target ${spec.name}: the account has no address ${missing.join(', ')}: correct spec.traffic[].elasticIPs`,
  };
}

function tooFew(
  spec: Spec,
  ids: readonly string[],
  machines: readonly Member[],
  { generation }: Destination,
): Problem | undefined {
  if (machines.length >= ids.length) return undefined;
  return {
    reason: 'TooFewMachines',
    message: `traffic target ${spec.name} has ${ids.length} addresses and generation ${generation} only ${machines.length} Ready machines of role ${spec.role}: add machines to that role, or take addresses out of the target`,
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
    `address ${id} of traffic target ${spec.name} points at ${found || 'nothing'}, which is neither where this cutover found it (${stateText({ [id]: from[id] ?? '' })}) nor where it wants it (${stateText({ [id]: to[id] ?? '' })}): somebody else moved it`,
  );
