import type { LedgerView } from '../../src/simulator/control/ledger.ts';
import { machinesOf, mostAlive } from '../scenarios/ledger.ts';
import type { Write } from './proxy.ts';
import { lineOf } from './writes.ts';

/** Judges what was asked for, by the proxy's list, and what came of it at the cloud, by its ledger: S1, S2, S4, S5 and S8. Pure. */

const TAG = 'generations.dev/';

/** Kinds of which a cutover may end an object: pods of the Singleton and Follow roles that it moves. */
const MAY_END = ['pods'];

/** S4, and S2 at the cloud: each destructive call names exactly what it ends, has looked at it, and its generation is retired. */
export function auditDestruction(writes: readonly Write[], ledger: LedgerView): string[] {
  const retired = new Map<string, number>();
  const problems: string[] = [];
  for (const write of writes) {
    const generation = /^clustergenerations\/([^/]+)\/status$/.exec(write.object)?.[1];
    const { status } = (write.body ?? {}) as { status?: { retiredTime?: string } };
    if (generation && status?.retiredTime && write.status === 200 && !retired.has(generation))
      retired.set(generation, write.answered ?? Number.POSITIVE_INFINITY);
    if (!write.destructive) continue;
    const what = `${lineOf(write)} (write ${write.arrived})`;
    problems.push(...(write.at === 'kubernetes' ? unconditional(write, what) : careless(write, what, ledger, retired)));
  }
  return problems;
}

function unconditional(write: Write, what: string): string[] {
  const body = (write.body ?? {}) as {
    preconditions?: { uid?: string; resourceVersion?: string };
    deleteOptions?: { preconditions?: { uid?: string; resourceVersion?: string } };
  };
  const { uid, resourceVersion } = body.preconditions ?? body.deleteOptions?.preconditions ?? {};
  return uid && resourceVersion ? [] : [`S4: ${what} has no preconditions`];
}

function careless(write: Write, what: string, ledger: LedgerView, retired: Map<string, number>): string[] {
  const ids = write.object.split(',').filter((id) => id !== '');
  if (ids.length === 0) return [`S4: ${what} names no machine`];
  return ids.flatMap((id) => {
    const machine = ledger.machines.find((one) => one.id === id);
    const generation = machine?.tags[`${TAG}generation`];
    if (!machine || !generation) return [`S6: ${what}: ${id} is no machine of ours`];
    const since = retired.get(generation);
    const looked = write.looked[id];
    return [
      ...(since === undefined || since > write.arrived
        ? [`S2: ${what}: ${id} is of ${generation}, which is not retired`]
        : []),
      ...(looked === undefined || (since !== undefined && looked < since)
        ? [`S4: ${what}: nobody has looked at ${id} since it may go`]
        : []),
    ];
  });
}

export interface RoundFacts {
  /** Names of the generations. */
  from: string;
  to: string;
  /** Machines by pool, of each of the two. */
  pools: Record<string, number>;
  /** Allocation ids of the site's addresses. */
  addresses: readonly string[];
  /** What the operator asked for from the creation of the Cutover on. */
  writes: readonly Write[];
  /** Since when, ms since the epoch. */
  since: number;
}

/** What one cutover or rollback may do at the cloud: move each address once, to a machine that is there, and end nothing. */
export function auditRound({ from, to, pools, addresses, writes, since }: RoundFacts, ledger: LedgerView): string[] {
  const problems = writes
    .filter(({ destructive, at, object }) => destructive && !(at === 'kubernetes' && MAY_END.includes(kindOf(object))))
    .map((write) => `S5: ${lineOf(write)} during a cutover`);
  for (const generation of [from, to]) {
    const own = machinesOf(ledger, generation);
    for (const [pool, most] of Object.entries(mostAlive(own))) {
      const desired = pools[pool.slice(pool.indexOf('.') + 1)] ?? 0;
      if (most > desired) problems.push(`S8: pool ${pool} had ${most} machines at once, ${desired} are desired`);
    }
    for (const { id, terminated, stopped } of own)
      if (terminated ?? stopped) problems.push(`S2: machine ${id} of ${generation} was ended`);
  }
  for (const { allocationId, history } of ledger.addresses) {
    if (!addresses.includes(allocationId)) continue;
    const moves = history.filter(({ time }) => Date.parse(time) >= since);
    if (moves.length !== 1) problems.push(`moved ${moves.length} times instead of once: address ${allocationId}`);
    for (const { instanceId, time } of moves) problems.push(...landed(ledger, allocationId, instanceId, time, to));
  }
  const asked = writes.filter(({ verb, status }) => verb === 'AssociateAddress' && status === 200).length;
  if (asked !== addresses.length)
    problems.push(`AssociateAddress was carried out ${asked} times for ${addresses.length} addresses`);
  return problems;
}

/** S1 at the cloud: the machine ran and was a Node when the address came to it. */
function landed(ledger: LedgerView, address: string, id: string | null, time: string, to: string): string[] {
  const machine = ledger.machines.find((one) => one.id === id);
  const what = `S1: address ${address} was pointed at ${id}`;
  if (machine?.tags[`${TAG}generation`] !== to) return [`${what}, which is no machine of ${to}`];
  const at = Date.parse(time);
  const there = machine.nodeRegistered !== undefined && Date.parse(machine.nodeRegistered) <= at;
  return there && !machine.terminated && !machine.stopped ? [] : [`${what}, which does not run`];
}

const kindOf = (object: string): string => object.slice(0, object.indexOf('/'));
