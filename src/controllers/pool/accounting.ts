import { type GenerationPool, type GenerationPoolStatus, MOST_ENDED } from '../../api/v1alpha1/index.ts';
import { presenceOf } from '../../domain/absence.ts';
import { timestamp } from '../../domain/conditions.ts';
import { isReleased } from '../../domain/identity.ts';
import type { Moment } from '../../domain/moment.ts';
import type { Machine } from '../../providers/provider.ts';
import type { Sight } from './input.ts';

/**
 * Which machines a pool has. A machine counts from the moment that its launch is journalled until the cloud shows it
 * as terminated, or its absence is a fact: an answer of the cloud that leaves a machine out (it is eventually
 * consistent, and can be wrong) neither makes room for another one nor loses track of this one.
 */

export type Instance = NonNullable<GenerationPoolStatus['instances']>[number];
type Ended = NonNullable<GenerationPoolStatus['ended']>;

/** Dying or dead. */
const isDead = ({ state }: Machine): boolean => state === 'terminated' || state === 'shutting-down';

/** The same, or let go: then it lives on, and is nobody's business any more. */
const isOver = (machine: Machine): boolean => isDead(machine) || isReleased(machine.tags);

/**
 * The pool's instances after a look at the cloud, and those that it had and that are no more.
 *
 * @param machines all machines with this pool's tags
 */
export function instancesAfter(
  pool: GenerationPool,
  machines: readonly Machine[],
  sight: Sight,
  moment: Moment,
): { instances: Instance[]; ended: Ended } {
  const seen = new Map([...machines, ...sight.strays].map((machine) => [machine.id, machine]));
  const denied = new Set(sight.denied);
  const time = timestamp(moment.now);
  const before = pool.status.ended ?? [];
  const instances: Instance[] = [];
  const gone: Ended = [];
  for (const instance of pool.status.instances ?? []) {
    const { deniedSince, ...rest } = instance;
    const machine = seen.get(instance.id);
    if (machine ? !isOver(machine) : !denied.has(instance.id)) {
      instances.push(machine || sight.alive.has(instance.id) ? rest : instance);
    } else if (machine) {
      if (isDead(machine)) gone.push({ id: instance.id, time, known: 'Terminated' });
    } else {
      const since = deniedSince ?? time;
      if (presenceOf(Date.parse(since), sight.look, moment) === 'absent')
        gone.push({ id: instance.id, time, known: 'Forgotten' });
      else instances.push({ ...rest, deniedSince: since });
    }
  }
  const known = new Set(instances.map(({ id }) => id));
  // An answer from before may show as running what has ended since.
  const dead = new Set([...before, ...gone].flatMap(({ id, known: how }) => (how === 'Terminated' ? id : [])));
  const found = machines.filter((machine) => !isOver(machine) && !known.has(machine.id) && !dead.has(machine.id));
  const back = new Set(found.map(({ id }) => id));
  const ended = [...before.filter(({ id }) => !back.has(id)), ...gone].slice(-MOST_ENDED);
  return { instances: [...instances, ...found.map(instanceOf)], ended };
}

export const instanceOf = (machine: Machine): Instance => ({
  id: machine.id,
  subnet: machine.subnet,
  time: timestamp(machine.launchTime),
});

/** Machines that still exist or may exist: what keeps a pool from being forgotten. */
export const machinesLeft = (machines: readonly Machine[]): Machine[] =>
  machines.filter(({ state, tags }) => state !== 'terminated' && !isReleased(tags));
