import {
  admitted,
  affordable,
  type Budget,
  type BudgetLimits,
  type Cost,
  newBudget,
  retryAfter,
  returned,
  take,
  throttled,
  withLimits,
} from '../../domain/api-budget.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { BudgetState, Priority } from '../provider.ts';
import type { Operation } from './operations.ts';

/** Budgets of one account in one region at one endpoint; they outlive the credentials' rotation. */
export class Budgets {
  readonly #clock: Clock;
  readonly #states = new Map<Operation, { budget: Budget; lastThrottledTime?: number }>();

  constructor(limits: ReadonlyMap<Operation, BudgetLimits>, clock: Clock) {
    this.#clock = clock;
    this.limit(limits);
  }

  /** Puts other ceilings in force; what was learned below them stays. */
  limit(limits: ReadonlyMap<Operation, BudgetLimits>): void {
    const now = this.#clock.monotonic();
    for (const [operation, limit] of limits) {
      const state = this.#states.get(operation);
      if (!state) this.#states.set(operation, { budget: newBudget(limit, now) });
      else state.budget = withLimits(state.budget, limit, now);
    }
  }

  /** Spends what a call costs and numbers it; undefined when there are no tokens for it. */
  take(operation: Operation, cost: Cost, priority: Priority): number | undefined {
    const state = this.#of(operation);
    const taken = take(state.budget, cost, priority, this.#clock.monotonic());
    state.budget = taken.state;
    return taken.ok ? taken.state.calls : undefined;
  }

  /** Real ms after which a call is worth another try, perhaps for fewer machines. */
  retryAfter(operation: Operation, cost: Cost, priority: Priority): number {
    return Math.ceil(retryAfter(this.#of(operation).budget, cost, priority, this.#clock.monotonic()));
  }

  affordable(operation: Operation, priority: Priority): number {
    return affordable(this.#of(operation).budget, priority, this.#clock.monotonic());
  }

  /** Gives back the machines' tokens of a call that launched none or is going to be repeated. */
  giveBack(operation: Operation, cost: Cost): void {
    const state = this.#of(operation);
    state.budget = returned(state.budget, cost, this.#clock.monotonic());
  }

  throttled(operation: Operation, cost: Cost, call: number): void {
    const state = this.#of(operation);
    state.budget = throttled(state.budget, cost, call, this.#clock.monotonic());
    state.lastThrottledTime = this.#clock.now();
  }

  admitted(operation: Operation): void {
    const state = this.#of(operation);
    state.budget = admitted(state.budget);
  }

  /** Where they stand; rates in declared time, as the class writes them. */
  states(): BudgetState[] {
    const now = this.#clock.monotonic();
    const declared = (rate: number) => Math.round((rate / this.#clock.scale) * 100) / 100;
    return [...this.#states].map(([operation, { budget, lastThrottledTime }]) => {
      const { requests, resources } = withLimits(budget, budget.limits, now);
      return {
        operation,
        requestsPerSecond: declared(requests.rate),
        ...(resources && {
          resourcesPerSecond: declared(resources.rate),
        }),
        throttledTotal: budget.throttledTotal,
        ...(lastThrottledTime !== undefined && { lastThrottledTime }),
      };
    });
  }

  #of(operation: Operation) {
    const state = this.#states.get(operation);
    if (!state) throw new RangeError(`no budget for ${operation}`);
    return state;
  }
}
