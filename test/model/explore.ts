import { StateStore } from './store.ts';

/** A system whose states are rows of small numbers, and what may happen in each. */
export interface Transitions {
  width: number;
  initial(): Uint16Array;
  /**
   * Tells everything that may happen next. `next` may be the same array each time: it is copied. `wrong`: why this must
   * never happen.
   */
  next(state: Uint16Array, emit: (label: string, next: Uint16Array, wrong?: string) => void): void;
  /** Why a state must never be; undefined for a good one. */
  wrongWith(state: Uint16Array): string | undefined;
}

export interface Exploration {
  states: number;
  transitions: number;
  seconds: number;
  /** True when there is no state left to go on from: then what was not found is not there. */
  complete: boolean;
  /** The shortest way to what must never be. */
  counterexample?: { wrong: string; trace: string[] };
}

/** Visits every state that can be reached, breadth first, up to `limit` states, or to the first thing that is wrong. */
export function explore(model: Transitions, limit: number): Exploration {
  const started = performance.now();
  const store = new StateStore(model.width);
  let transitions = 0;
  let found: Exploration['counterexample'];
  let at = 0;
  const first = model.initial();
  store.add(first, -1);
  const wrongFirst = model.wrongWith(first);
  if (wrongFirst !== undefined) found = { wrong: wrongFirst, trace: [] };
  const state = new Uint16Array(model.width);
  const emit = (label: string, next: Uint16Array, wrong?: string): void => {
    transitions++;
    if (found) return;
    if (wrong !== undefined) {
      found = { wrong, trace: [...traceTo(model, store, at), label] };
      return;
    }
    const index = store.add(next, at);
    if (index < 0) return;
    const broken = model.wrongWith(next);
    if (broken !== undefined) found = { wrong: broken, trace: traceTo(model, store, index) };
  };
  for (; at < store.size && store.size < limit && !found; at++) {
    state.set(store.at(at));
    model.next(state, emit);
  }
  return {
    states: store.size,
    transitions,
    seconds: (performance.now() - started) / 1000,
    complete: !found && at === store.size,
    ...(found && { counterexample: found }),
  };
}

/** What happened on the way to a state: found by walking its ancestors again, so that no label has to be kept. */
function traceTo(model: Transitions, store: StateStore, index: number): string[] {
  const labels: string[] = [];
  for (let child = index; store.parentOf(child) >= 0; child = store.parentOf(child)) {
    const wanted = store.at(child);
    let label = '?';
    model.next(store.at(store.parentOf(child)).slice(), (name, next) => {
      if (label === '?' && next.every((cell, at) => cell === wanted[at])) label = name;
    });
    labels.unshift(label);
  }
  return labels;
}
