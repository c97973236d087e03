import { conditionOf } from '../../src/domain/conditions.ts';
import { remove, write } from './acts.ts';
import type { Facts } from './facts.ts';
import { holdNow } from './interlock.ts';
import type { State, World } from './world.ts';

/** What people do, by what the API server lets them do, and what happens by itself: time passes, machines are replaced. */

type Emit = (label: string, change: (next: State) => string | undefined) => void;

export function happen(world: World, state: State, emit: Emit): void {
  const change = (label: string, to: (next: State) => void) =>
    emit(label, (next) => {
      to(next);
      return undefined;
    });
  for (const name of world.cutoverNames) aboutCutover(world, state, name, change);
  for (const name of world.scenario.generations) aboutGeneration(world, state, name, change);
  const due = world.due(state);
  if (due !== undefined)
    change('time passes, until the next thing is due', (next) => {
      next[world.clockAt] = due;
    });
}

type Change = (label: string, to: (next: State) => void) => void;

function aboutCutover(world: World, state: State, name: string, change: Change): void {
  const { people, after } = world.scenario;
  const facts = world.factsIn(state, name);
  if (!facts) {
    const needed = after[name];
    if (needed === undefined || world.factsIn(state, needed)?.status.outcome !== 'Succeeded') return;
    change(`a person applies Cutover ${name}`, (next) =>
      write(world, next, 'applied', name, () => ({ kind: 'Cutover', name, status: {} })),
    );
    return;
  }
  const asked = facts.asked ?? {};
  const ask = (label: string, more: Facts['asked']) =>
    change(`a person ${label} ${name}`, (next) =>
      write(world, next, label, name, () => ({ ...facts, asked: { ...asked, ...more } })),
    );
  const outcome = facts.status.outcome;
  const cutover = world.cutover(state, name);
  const barred = cutover && conditionOf(cutover, 'RollbackAvailable')?.status === 'False';
  if (people.includes('abort') && !outcome && !asked.abort && !barred) ask('aborts', { abort: true });
  if (people.includes('pause') && !outcome) ask(asked.paused ? 'resumes' : 'pauses', { paused: !asked.paused });
  if (people.includes('retire now') && outcome === 'Succeeded' && !asked.retireNow)
    ask('retires now what was left by', { retireNow: true });
}

function aboutGeneration(world: World, state: State, name: string, change: Change): void {
  const { people } = world.scenario;
  const facts = world.factsIn(state, name);
  if (!facts) return;
  const runs = world.runs(state, name);
  if (facts.deleting && !runs) change(`${name} is gone`, (next) => remove(world, next, name));
  if (!runs && !facts.deleting && !facts.status.retiredTime)
    change(`a machine of ${name} is launched anew`, (next) => {
      next[world.machinesAt] = (next[world.machinesAt] ?? 0) | world.bit(name);
    });
  if (facts.deleting || holdNow(world, state, name) !== undefined) return;
  if (people.includes('delete'))
    change(`a person deletes ${name}`, (next) =>
      write(world, next, 'deleted', name, () => ({ ...facts, deleting: true })),
    );
  if (people.includes('shrink') && !((state[world.surplusAt] ?? 0) & world.bit(name)))
    change(`a person shrinks ${name} and lets it grow again`, (next) => {
      next[world.surplusAt] = (next[world.surplusAt] ?? 0) | world.bit(name);
    });
}
