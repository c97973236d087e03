import { describe, expect, it } from '@jest/globals';
import {
  aCutover,
  aCutoverInput,
  aHoldView,
  aPlatform,
  aServiceTarget,
  aView,
  EPOCH,
  selectorFor,
} from '../../../test/builders/index.ts';
import type { SwitchState } from '../../api/v1alpha1/index.ts';
import { sameState } from '../../traffic/target.ts';
import type { Action, CutoverInput, Move, Step } from './input.ts';
import type { Switches } from './standing.ts';
import { hold } from './steps/hold.ts';
import { release } from './steps/release.ts';
import { switchTraffic } from './steps/switch.ts';

/**
 * All that can become of one held and one other target, explored: the operator dies after the journal, or after any of the
 * moves; endpoints follow or do not; the cutover turns back at any time.
 */

const STEPS: Step[] = [hold, switchTraffic, release];
const TARGETS = ['www', 'api'] as const;
const PLACES: Record<string, SwitchState> = {
  blue: selectorFor('blue'),
  hold: { app: 'maintenance' },
  green: selectorFor('green'),
};

/** Where each target is, what is written down, and how far the cutover is: forth before step n, or back after it. */
interface State {
  now: Record<string, SwitchState>;
  switches: Switches | undefined;
  step: number;
  back: boolean;
}

const START: State = {
  now: { www: PLACES.blue ?? {}, api: PLACES.blue ?? {} },
  switches: undefined,
  step: 0,
  back: false,
};

/** What is seen of a state, with the endpoints of these targets where they point. */
function inputOf({ now, switches }: State, serving: readonly string[]): CutoverInput {
  const viewsFor = (wanted: SwitchState) =>
    TARGETS.map((target) => {
      const at = now[target] ?? {};
      const arrives = (state: SwitchState) => serving.includes(target) && sameState(at, state);
      const responder = aHoldView({ serving: arrives(PLACES.hold ?? {}) });
      return aView({ target, now: at, wanted, serving: arrives(wanted), ...(target === 'www' && { hold: responder }) });
    });
  const maintenance = { selector: { app: 'maintenance' } };
  return aCutoverInput({
    cutover: aCutover({ from: 'blue', status: { ...(switches && { switches }) } }),
    platform: aPlatform({
      live: 'blue',
      spec: {
        traffic: [
          aServiceTarget({ maintenance }),
          aServiceTarget({ name: 'api', service: { namespace: 'edge', name: 'api' } }),
        ],
      },
    }),
    targets: viewsFor(PLACES.green ?? {}),
    back: viewsFor(PLACES.blue ?? {}),
    now: EPOCH,
  });
}

const movesIn = (action: Action): Move[] =>
  'effects' in action ? action.effects.flatMap((effect) => (effect.do === 'switch' ? effect.moves : [])) : [];

const carriedOut = (state: State, action: Action, moves: Move[]): State => ({
  ...state,
  ...('journal' in action && action.journal?.switches && { switches: action.journal.switches }),
  now: { ...state.now, ...Object.fromEntries(moves.map(({ target, to }) => [target, to])) },
});

const subsets = <T>(items: readonly T[]): T[][] =>
  Array.from({ length: 2 ** items.length }, (_, bits) => items.filter((__, n) => bits & (1 << n)));

/** What may come next: one look, and all or some of what it leads to. */
function next(state: State, serving: readonly string[]): State[] {
  const input = inputOf(state, serving);
  const step = STEPS[state.step];
  if (!step) return [];
  if (!state.back && (step.skip?.(input) !== undefined || step.done(input)))
    return [{ ...state, step: state.step + 1 }];
  const action = state.back ? step.undo(input) : step.act(input);
  if (!action) return [{ ...state, step: state.step - 1 }];
  if ('failed' in action || 'blocked' in action) throw new Error(JSON.stringify(action));
  return subsets(movesIn(action)).map((moves) => carriedOut(state, action, moves));
}

/** Every state that can come about, each with how it may go on when nothing goes wrong any more. */
function explore(): State[] {
  const found = new Map<string, State>();
  const open = [START];
  for (let state = open.pop(); state; state = open.pop()) {
    const key = JSON.stringify(state);
    if (found.has(key)) continue;
    found.set(key, state);
    for (const serving of subsets(TARGETS)) open.push(...next(state, serving));
    if (!state.back) open.push({ ...state, step: Math.min(state.step, STEPS.length - 1), back: true });
  }
  return [...found.values()];
}

/** Runs it to its end without another crash. Throws when that takes too long. */
function finish(state: State): State {
  let current = state;
  for (let looks = 0; looks < 40; looks++) {
    const after = next(current, TARGETS).at(-1);
    if (!after) return current;
    current = after;
  }
  throw new Error(`no end from ${JSON.stringify(state)}`);
}

const all = explore();
const at = (state: State, target: string) =>
  Object.keys(PLACES).find((name) => sameState(PLACES[name] ?? {}, state.now[target] ?? {}));

describe('traffic, whatever dies when', () => {
  it('comes about in many ways', () => expect(all.length).toBeGreaterThan(40));

  it('ends on the new generation', () => {
    for (const state of all.filter(({ back }) => !back)) {
      const end = finish(state);
      expect([at(end, 'www'), at(end, 'api')]).toEqual(['green', 'green']);
      expect(end.switches?.map((entry) => entry.state)).toEqual(['Verified', 'Verified']);
    }
  });

  it('or back where it was', () => {
    for (const state of all.filter(({ back }) => back)) {
      const end = finish(state);
      expect([at(end, 'www'), at(end, 'api')]).toEqual(['blue', 'blue']);
    }
  });

  it('never leaves its old value without writing down all of them first', () => {
    for (const state of all.filter((one) => TARGETS.some((target) => at(one, target) !== 'blue')))
      expect(state.switches?.map(({ target, from }) => [target, from])).toEqual(
        TARGETS.map((target) => [target, PLACES.blue]),
      );
  });

  it('is let through to the new generation only when all others are there', () => {
    for (const state of all.filter((one) => !one.back && at(one, 'www') === 'green'))
      expect(at(state, 'api')).toBe('green');
  });

  it('that was held is known since when', () => {
    for (const state of all.filter((one) => at(one, 'www') === 'hold'))
      expect(state.switches?.find(({ target }) => target === 'www')?.heldTime).toBeDefined();
  });
});
