import type { GenerationPool, GenerationPoolStatus } from '../../api/v1alpha1/index.ts';
import { timestamp } from '../../domain/conditions.ts';
import { isReleased } from '../../domain/identity.ts';
import type { Machine } from '../../providers/provider.ts';

/**
 * Which machines a pool has. A machine counts from the moment that its launch is journalled until the cloud shows it
 * as terminated: an answer of the cloud that leaves a machine out (it is eventually consistent, and can be wrong)
 * neither makes room for another one nor loses track of this one.
 */

type Instance = NonNullable<GenerationPoolStatus['instances']>[number];

/** Dying, dead, or let go: then it lives on, and is nobody's business any more. */
const isOver = ({ state, tags }: Machine): boolean =>
  state === 'terminated' || state === 'shutting-down' || isReleased(tags);

/**
 * The pool's instances after a look at the cloud.
 *
 * @param machines all machines with this pool's tags
 * @param vanished ids that the cloud has denied twice: terminated so long ago that it has forgotten them
 */
export function instancesAfter(
  pool: GenerationPool,
  machines: readonly Machine[],
  vanished: readonly string[],
): Instance[] {
  const seen = new Map(machines.map((machine) => [machine.id, machine]));
  const kept = (pool.status.instances ?? []).filter(({ id }) => {
    const machine = seen.get(id);
    return machine ? !isOver(machine) : !vanished.includes(id);
  });
  const known = new Set(kept.map(({ id }) => id));
  const found = machines.filter((machine) => !isOver(machine) && !known.has(machine.id));
  return [...kept, ...found.map(instanceOf)];
}

export const instanceOf = (machine: Machine): Instance => ({
  id: machine.id,
  subnet: machine.subnet,
  time: timestamp(machine.launchTime),
});

/** Ids that the pool counts and the cloud does not show, launched longer ago than `window` real ms. */
export function missingFrom(pool: GenerationPool, machines: readonly Machine[], now: number, window: number): string[] {
  const seen = new Set(machines.map(({ id }) => id));
  return (pool.status.instances ?? [])
    .filter(({ id, time }) => !seen.has(id) && now - Date.parse(time) > window)
    .map(({ id }) => id);
}

/** Machines that still exist or may exist: what keeps a pool from being forgotten. */
export const machinesLeft = (machines: readonly Machine[]): Machine[] =>
  machines.filter(({ state, tags }) => state !== 'terminated' && !isReleased(tags));
