import type { Stage } from './stage.ts';
import { throttledOf } from './table/books.ts';

/** The operator's name in the cloud's ledger. */
export const operatorCaller = 'operator';

/** Tells how often the cloud has throttled an operation since a time, real ms since the epoch. */
export async function tellThrottling(stage: Stage, operation: string, from: number): Promise<void> {
  const { calls } = await stage.cloud.ledger();
  const times = throttledOf(calls, operatorCaller, from)[operation] ?? 0;
  stage.tell.say(
    times > 0
      ? `The cloud refused ${operation} ${times} times for its rate, unexpectedly low: the operator kept to that rate.`
      : `The low rate of ${operation}, learned before, was kept: not one request was refused for it.`,
  );
}
