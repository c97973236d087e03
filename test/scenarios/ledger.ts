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
 *
 * @param lag real ms by which a status may be behind the cloud: what was true so long ago is no false claim
 */
export function contradictions(
  pools: readonly GenerationPool[],
  generations: readonly ClusterGeneration[],
  ledger: LedgerView,
  lag: number,
): string[] {
  const byId = new Map(ledger.machines.map((machine) => [machine.id, machine]));
  const since = Date.parse(ledger.now) - lag;
  const lately = ledger.machines.filter(({ terminated }) => terminated === undefined || Date.parse(terminated) > since);
  const found: string[] = [];
  const compare = (who: string, claimed: Claimed | undefined, own: readonly MachineRecord[]) => {
    const registered = own.filter(({ nodeRegistered }) => nodeRegistered).length;
    if ((claimed?.launched ?? 0) > own.length)
      found.push(`${who} claims ${claimed?.launched} launched, the cloud has ${own.length}`);
    for (const what of ['registered', 'ready'] as const)
      if ((claimed?.[what] ?? 0) > registered)
        found.push(`${who} claims ${claimed?.[what]} ${what}, the cloud has ${registered}`);
  };
  for (const { metadata, status } of pools) {
    for (const { id } of status.instances ?? [])
      if (!byId.has(id)) found.push(`pool ${metadata.name} lists ${id}, which the cloud never launched`);
    compare(
      `pool ${metadata.name}`,
      status.machines,
      lately.filter((machine) => poolOf(machine) === metadata.name),
    );
  }
  for (const { metadata, status } of generations) {
    const isOwn = ({ tags }: MachineRecord) => tags[`${TAG}generation-uid`] === metadata.uid;
    compare(`generation ${metadata.name}`, status.machines, lately.filter(isOwn));
    const left = ledger.machines.filter((machine) => isOwn(machine) && isAlive(machine));
    const ready = status.conditions?.find(({ type }) => type === 'Ready');
    if (ready?.message.includes('none of its machines is left') && left.length > 0)
      found.push(`generation ${metadata.name} says that none is left and has ${left.map(({ id }) => id).join(', ')}`);
  }
  return found;
}

interface Claimed {
  launched: number;
  registered: number;
  ready: number;
}
