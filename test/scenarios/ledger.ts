import type { ClusterGeneration, GenerationPool } from '../../src/api/v1alpha1/index.ts';
import type { LedgerView } from '../../src/simulator/control/ledger.ts';
import type { MachineRecord } from '../../src/simulator/state/ledger.ts';

/** Judging by the cloud's ledger: who had which machines, when, and whether what a status says can be true. */

const TAG = 'generations.dev/';

export const machinesOf = (ledger: LedgerView, generation: string): MachineRecord[] =>
  ledger.machines.filter(({ tags }) => tags[`${TAG}generation`] === generation);

export const isAlive = (machine: MachineRecord): boolean => machine.terminated === undefined;

export const aliveOf = (ledger: LedgerView, generation: string): MachineRecord[] =>
  machinesOf(ledger, generation).filter(isAlive);

/** `generation.pool` of a machine, by its tags. */
export const poolOf = ({ tags }: MachineRecord): string => `${tags[`${TAG}generation`]}.${tags[`${TAG}pool`]}`;

/** The most machines that each pool has had at the same time: from being asked for to being asked to go. */
export function mostAlive(machines: readonly MachineRecord[]): Record<string, number> {
  const most: Record<string, number> = {};
  for (const pool of new Set(machines.map(poolOf))) {
    const own = machines.filter((machine) => poolOf(machine) === pool);
    // At the same millisecond the one that goes makes room for the one that comes.
    const changes = own
      .flatMap(({ launched, terminated }) => [
        { at: Date.parse(launched), by: 1 },
        ...(terminated ? [{ at: Date.parse(terminated), by: -1 }] : []),
      ])
      .toSorted((a, b) => a.at - b.at || a.by - b.by);
    let now = 0;
    most[pool] = changes.reduce((max, { by }) => {
      now += by;
      return Math.max(max, now);
    }, 0);
  }
  return most;
}

/** When machines were asked to terminate, ms since the epoch, in order. */
export const terminationTimes = (machines: readonly MachineRecord[]): number[] =>
  machines.flatMap(({ terminated }) => (terminated ? [Date.parse(terminated)] : [])).toSorted((a, b) => a - b);

/** The most of these moments within any `windowMs` real ms. */
export function mostWithin(times: readonly number[], windowMs: number): number {
  return Math.max(0, ...times.map((start) => times.filter((time) => time >= start && time < start + windowMs).length));
}

/**
 * What statuses claim and the ledger denies. The statuses must have been read before the ledger: what they say of
 * machines must then be in it.
 */
export function contradictions(
  pools: readonly GenerationPool[],
  generations: readonly ClusterGeneration[],
  ledger: LedgerView,
): string[] {
  const byId = new Map(ledger.machines.map((machine) => [machine.id, machine]));
  const found: string[] = [];
  for (const { metadata, status } of pools) {
    const instances = status.instances ?? [];
    for (const { id } of instances)
      if (!byId.has(id)) found.push(`pool ${metadata.name} lists ${id}, which the cloud never launched`);
    const own = ledger.machines.filter((machine) => poolOf(machine) === metadata.name);
    const { launched = 0, registered = 0, ready = 0 } = status.machines ?? {};
    const everRegistered = own.filter(({ nodeRegistered }) => nodeRegistered).length;
    if (launched > own.length) found.push(`pool ${metadata.name} claims ${launched} launched of ${own.length}`);
    if (registered > everRegistered)
      found.push(`pool ${metadata.name} claims ${registered} registered of ${everRegistered}`);
    if (ready > everRegistered) found.push(`pool ${metadata.name} claims ${ready} ready of ${everRegistered}`);
  }
  for (const { metadata, status } of generations) {
    const alive = ledger.machines.filter(
      (machine) => machine.tags[`${TAG}generation-uid`] === metadata.uid && isAlive(machine),
    );
    const ready = status.conditions?.find(({ type }) => type === 'Ready');
    if (ready?.message.includes('none of its machines is left') && alive.length > 0)
      found.push(`generation ${metadata.name} says that none is left and has ${alive.map(({ id }) => id).join(', ')}`);
    if (
      status.retiredTime === undefined &&
      (status.machines?.ready ?? 0) > alive.filter((m) => m.nodeRegistered).length
    )
      found.push(`generation ${metadata.name} claims ${status.machines?.ready} ready of ${alive.length}`);
  }
  return found;
}
