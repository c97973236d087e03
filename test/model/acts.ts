import { isDeepStrictEqual } from 'node:util';
import type { SwitchState } from '../../src/api/v1alpha1/index.ts';
import { type Facts, factsOf, statusFacts } from './facts.ts';
import type { Activity } from './operator.ts';
import { DEPOSED, type State, type World } from './world.ts';

/**
 * What operators do to the world, one act at a time; between any two of them somebody else may act, or the operator die. Writes
 * to the API server carry the version that was read, calls to the cloud and to traffic targets carry none.
 */

export type Act =
  /** The whole status, as a PUT replaces it. */
  | { slot: number; status: Facts['status']; what: string }
  | { slot: number; finalizer: boolean; what: string }
  | { move: number; from: SwitchState; to: SwitchState; what: string }
  | { tag: string; time: number; what: string };

export type Job =
  /** Reading for a decision, in several goes: the numbers of the objects read so far by slot. */
  | { reading: Activity; seen: [slot: number, number: number][] }
  /** What is left to do of a decision. */
  | { acts: Act[]; of: 'cutover' | 'retirement' }
  /** Admitted to end the machines of a generation, and not yet called. */
  | { end: string };

/** True while the version that was read counts. */
const isChecked = (world: World): boolean => !world.scenario.without.includes('the versions of writes');

/** Slots whose version an operator with this in hand will rely on. */
function reliesOn(world: World, number: number): number {
  return world.remembered('relies on', number, 0, () => {
    const job = world.jobs.value(number);
    if (!job || 'end' in job) return 0;
    const slots =
      'reading' in job ? job.seen.map(([slot]) => slot) : job.acts.flatMap((act) => ('slot' in act ? [act.slot] : []));
    return slots.reduce((bits, slot) => bits | (1 << slot), 0);
  });
}

/** The slot that is written next; -1 when something else is next. */
const writesNext = (world: World, number: number): number =>
  world.remembered('writes next', number, 0, () => {
    const job = world.jobs.value(number);
    const [first] = job && 'acts' in job ? job.acts : [];
    return first && 'slot' in first ? first.slot : -1;
  });

/** Puts down what can only be refused: its first write is to an object that has changed since. */
export function settle(world: World, state: State, hand: number): void {
  const number = world.jobNumber(state, hand);
  if (number === 0) return;
  const stale = world.stale(state, hand) & (reliesOn(world, number) | DEPOSED);
  const slot = writesNext(world, number);
  const doomed = slot >= 0 && (stale & (1 << slot)) !== 0 && isChecked(world);
  world.hold(state, hand, doomed ? 0 : number, stale);
}

/**
 * The lease passes to another operator. What has an old version is refused by the API server; calls elsewhere carry none, so
 * they are made only by one whose lease is young, and have a time limit well below it: what a deposed one still had to call is
 * not called any more, and the rest of what it meant to do would have come after that.
 */
export function depose(world: World, state: State): boolean {
  let any = false;
  for (let hand = 0; hand < world.scenario.operators; hand++) {
    const number = world.jobNumber(state, hand);
    if (number === 0 || world.isDeposed(state, hand)) continue;
    any = true;
    world.hold(state, hand, withoutCalls(world, number), world.stale(state, hand) | DEPOSED);
    settle(world, state, hand);
  }
  return any;
}

/** The number of what a deposed operator can still do of it. */
export const withoutCalls = (world: World, number: number): number =>
  world.remembered('without calls', number, 0, () => {
    const job = world.jobs.value(number);
    if (!job || !('acts' in job) || world.scenario.without.includes('the age of the lease before a call'))
      return number;
    const call = job.acts.findIndex((act) => !('slot' in act));
    const acts = call < 0 ? job.acts : job.acts.slice(0, call);
    return world.jobs.number(acts.length > 0 ? { ...job, acts } : undefined);
  });

/** Stores what becomes of an object; everybody who has read it before holds an old version from now on. */
export function write(world: World, state: State, what: string, name: string, facts: () => Facts): void {
  const slot = world.slot(name);
  state[slot] = world.remembered(what, state[slot] ?? 0, slot, () => world.number(facts()));
  changed(world, state, slot);
}

function changed(world: World, state: State, slot: number): void {
  for (let hand = 0; hand < world.scenario.operators; hand++) {
    const number = world.jobNumber(state, hand);
    if (number === 0) continue;
    world.hold(state, hand, number, world.stale(state, hand) | (1 << slot));
    settle(world, state, hand);
  }
}

/** Removes an object for good. */
export function remove(world: World, state: State, name: string): void {
  state[world.slot(name)] = 0;
  changed(world, state, world.slot(name));
}

/** Does the next act of what an operator has in hand. Returns what happened, for the trace. */
export function perform(world: World, state: State, hand: number): string {
  const number = world.jobNumber(state, hand);
  const job = world.jobs.value(number);
  const [act, ...rest] = job && 'acts' in job ? job.acts : [];
  if (!act || !job || !('acts' in job)) throw new Error('there is nothing to do');
  const stale = world.stale(state, hand);
  const jobOf = (acts: Act[]) => world.jobs.number(acts.length > 0 ? { acts, of: job.of } : undefined);
  const goOn = (next: number) => {
    world.hold(state, hand, next, stale);
    settle(world, state, hand);
  };
  const next = world.remembered('what is left', number, 0, () => jobOf(rest));
  if ('move' in act) {
    const arrived = moveTarget(world, state, act);
    // All targets move, and the first trouble is thrown after that.
    goOn(arrived ? next : jobOf(rest.filter((other) => 'move' in other)));
    return arrived ? act.what : `${act.what}: it is somewhere else`;
  }
  if ('tag' in act) {
    const cell = world.tagsAt + world.scenario.generations.indexOf(act.tag as never);
    if (world.runs(state, act.tag)) state[cell] = act.time;
    goOn(next);
    return act.what;
  }
  const before = state[act.slot] ?? 0;
  const after = world.remembered('written', number, before, () => written(world, before, act));
  // First this operator's own version goes on, then everybody else's is old.
  world.hold(state, hand, 0, 0);
  if (typeof after === 'number') {
    state[act.slot] = after;
    changed(world, state, act.slot);
    goOn(next);
  }
  return typeof after === 'number' ? act.what : `${act.what}: refused, ${after}`;
}

/** The number of an object after a write, or why it is refused. */
function written(world: World, number: number, act: Extract<Act, { slot: number }>): number | string {
  const before = world.facts.value(number);
  if (!before) return 'it is gone';
  const { finalizer: _, ...plain } = before;
  const after: Facts =
    'status' in act ? { ...before, status: act.status } : act.finalizer ? { ...plain, finalizer: true } : plain;
  return refusalOf(world, before, after) ?? world.facts.number(after);
}

/** Compared and replaced at once: the Service's version, or the cloud's word just before and after. */
function moveTarget(world: World, state: State, { move, from, to }: Extract<Act, { move: number }>): boolean {
  const now = world.switchNumber(world.pointsAt(state, move));
  if (now === world.switchNumber(to)) return true;
  if (now !== world.switchNumber(from)) return false;
  state[world.targetsAt + move] = world.switchNumber(to);
  return true;
}

/** Rules of the CRDs, which see the object alone, so that no cache can be behind them. */
function refusalOf(world: World, before: Facts, after: Facts): string | undefined {
  const [old, now] = [before.status, after.status] as Record<string, string | undefined>[];
  if (before.kind === 'ClusterGeneration') {
    if (now?.retiredTime && now.reservedBy) return 'a retired generation cannot be reserved';
    if (
      old?.retiredTime &&
      now?.retiredTime !== old.retiredTime &&
      !world.scenario.without.includes('one-way retirement')
    )
      return 'retired is for ever';
  }
  if (before.kind === 'Cutover') {
    if (old?.outcome && now?.outcome !== old.outcome) return 'a cutover that has ended does nothing more';
    if (old?.undo && !now?.undo) return 'a cutover that goes back goes all the way';
    if (old?.generations && !isDeepStrictEqual(old.generations, now?.generations)) return 'status.generations is fixed';
  }
  if (before.kind === 'Platform' && !world.scenario.without.includes('the reservation in status.protected')) {
    const { live, protected: list } = after.status as { live?: { name: string }; protected?: string[] };
    if (live && !list?.includes(live.name)) return 'protect first, then go live';
  }
  return undefined;
}

/**
 * A status is written when it differs from what was read, as writeStatus has it. Attempts count, though nothing else depends
 * on them.
 */
export function statusAct(world: World, number: number, after: object, what: string, tried = false): Act[] {
  const read = world.facts.value(number);
  if (!read) throw new Error(`${what}: what was never read cannot be written`);
  const status = statusFacts(read.kind, after);
  const { without } = world.scenario;
  if (read.kind === 'ClusterGeneration' && without.includes("the write to the target's own object"))
    delete status.reservedBy;
  if (read.kind === 'Platform' && without.includes('one cutover at a time')) delete status.cutover;
  if (read.kind === 'Platform' && without.includes('the reservation in status.protected'))
    status.protected = (status.protected as string[]).filter((name) =>
      (read.status.protected as string[]).includes(name),
    );
  const same = !tried && isDeepStrictEqual(read.status, factsOf(status));
  return same ? [] : [{ slot: world.slot(read.name), status, what }];
}
