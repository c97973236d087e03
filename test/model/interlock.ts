import { freezeOf } from '../../src/domain/freeze.ts';
import { holdOf } from '../../src/domain/protection.ts';
import { EPOCH } from '../builders/objects.ts';
import type { State, World } from './world.ts';

/**
 * What ends machines: a pool controller that goes by a cache of any age wants it, guard/destroy.ts admits it by what a live
 * read of generation and platform says, and then the cloud is called, which knows no versions. Between the two any time may
 * pass when the generation is retired or being deleted, which it then is for ever. A machine that is too many in a pool is
 * admitted and ended at one instant: there the age of the lease and the time limit of a call bound what may come between.
 */

/** Adds what one interlock may do next in a state. */
export function endMachines(
  world: World,
  state: State,
  hand: number,
  emit: (label: string, change: (next: State) => string | undefined) => void,
): void {
  const job = world.job(state, hand);
  if (job && 'end' in job) {
    emit('dies', (next) => {
      world.hold(next, hand, undefined, 0);
      return undefined;
    });
    emit('', (next) => {
      world.hold(next, hand, undefined, 0);
      end(world, next, job.end);
      return `ends the machines of ${job.end}`;
    });
    return;
  }
  for (const name of world.scenario.generations) {
    if (!world.runs(state, name) || !isAdmitted(world, state, name)) continue;
    if ((state[world.doomedAt] ?? 0) & world.bit(name))
      emit(`is admitted to end the machines of ${name}`, (next) => {
        world.hold(next, hand, { end: name }, 0);
        return undefined;
      });
    if ((state[world.surplusAt] ?? 0) & world.bit(name))
      emit(`ends a machine of ${name} that an old cache shows as too many`, (next) => {
        end(world, next, name);
        return undefined;
      });
  }
}

/** Two interlocks may have been admitted to the same: the second finds nothing. */
function end(world: World, next: State, name: string): void {
  next[world.machinesAt] = (next[world.machinesAt] ?? 0) & ~world.bit(name);
  next[world.tagsAt + world.scenario.generations.indexOf(name as never)] = 0;
}

function isAdmitted(world: World, state: State, name: string): boolean {
  if (world.scenario.without.includes('the live read before an end')) return true;
  const generation = world.generation(state, name);
  return generation !== undefined && holdNow(world, state, name) === undefined && !freezeOf(world.platform(state));
}

/** Why a generation may not be touched, by the rule that guard/destroy.ts asks. */
export function holdNow(world: World, state: State, name: string): string | undefined {
  const number = state[world.slot(name)] ?? 0;
  return world.remembered('hold', number, state[0] ?? 0, () => {
    const generation = world.generation(state, name);
    const moment = { now: EPOCH, scaled: (ms: number) => ms };
    return generation && holdOf(generation, world.platform(state), moment);
  });
}

/** What some cache will have shown from now on: that the machines of a generation have to go. */
export function remember(world: World, next: State): void {
  for (const name of world.scenario.generations) {
    const facts = world.factsIn(next, name);
    if (!facts || !(facts.deleting || facts.status.retiredTime)) continue;
    if (holdNow(world, next, name) === undefined) next[world.doomedAt] = (next[world.doomedAt] ?? 0) | world.bit(name);
  }
}
