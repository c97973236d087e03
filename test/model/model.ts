import { depose } from './acts.ts';
import type { Transitions } from './explore.ts';
import { endMachines, remember } from './interlock.ts';
import { wrongStep, wrongWith } from './invariants.ts';
import { operate } from './operator.ts';
import { happen } from './people.ts';
import { restOf } from './rest.ts';
import type { Scenario } from './scenarios.ts';
import { type State, World } from './world.ts';

/** The whole model: who may do what next in a state, and what must never come of it. */
export function modelOf(scenario: Scenario): Transitions & { world: World } {
  const world = new World(scenario);
  const next = new Uint16Array(world.width);
  const rest = restOf(world);
  const { operators, interlocks } = scenario;
  return {
    world,
    width: world.width,
    initial: () => world.initial(),
    next(state, emit) {
      const step = (who: string) => (label: string, change: (next: State) => string | undefined) => {
        next.set(state);
        const said = change(next);
        remember(world, next);
        const wrong = wrongStep(world, state, next);
        inOrder(world, next);
        emit(`${who}${said ?? label}`, next, wrong);
      };
      // Hands that hold the same are the same: what one may do, the other may.
      for (let hand = 0; hand < operators; hand++)
        if (hand === 0 || !isSame(world, state, hand, hand - 1))
          operate(world, state, hand, step(world.isDeposed(state, hand) ? 'a former leader ' : 'the leader '));
      for (let hand = operators; hand < operators + interlocks; hand++)
        if (hand === operators || !isSame(world, state, hand, hand - 1))
          endMachines(world, state, hand, step('the interlock '));
      step('')('the lease passes to another operator', (next) => {
        depose(world, next);
        return undefined;
      });
      happen(world, state, step(''));
    },
    wrongWith: (state) => wrongWith(world, state) ?? (scenario.rest ? rest(state) : undefined),
  };
}

const isSame = (world: World, state: State, a: number, b: number): boolean =>
  state[world.handsAt + 2 * a] === state[world.handsAt + 2 * b] &&
  state[world.handsAt + 2 * a + 1] === state[world.handsAt + 2 * b + 1];

/** Operators are alike, and so are interlocks: a state in which two of them have changed places is the same state. */
function inOrder(world: World, state: State): void {
  const { operators, interlocks } = world.scenario;
  sort(state, world.handsAt, operators);
  sort(state, world.handsAt + 2 * operators, interlocks);
}

/** By insertion: there are two or three. */
function sort(state: State, start: number, count: number): void {
  for (let last = 1; last < count; last++)
    for (let at = last; at > 0; at--) {
      const [left, right] = [start + 2 * (at - 1), start + 2 * at];
      const order = (state[left] ?? 0) - (state[right] ?? 0) || (state[left + 1] ?? 0) - (state[right + 1] ?? 0);
      if (order <= 0) break;
      for (const cell of [0, 1]) {
        const kept = state[left + cell] ?? 0;
        state[left + cell] = state[right + cell] ?? 0;
        state[right + cell] = kept;
      }
    }
}
