import type { FailureReason } from '../../api/v1alpha1/index.ts';
import type { Cost } from '../../domain/api-budget.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { BudgetState, Priority } from '../provider.ts';
import { HELD_BACK, ProviderError } from '../provider.ts';
import type { Budgets } from './budgets.ts';
import { classify, isThrottlingAnswer } from './errors.ts';
import type { DestroyerOperations, Operation, Operations, Transport } from './operations.ts';

/** What is told of every call, for logs and metrics. */
export interface Call {
  operation: Operation;
  region: string;
  endpoint: string;
  /** `ok`, or what kind of trouble. */
  outcome: 'ok' | FailureReason;
  /** False for one that our own budget held back. */
  sent: boolean;
  /** The cloud's code when it failed. */
  code?: string;
  /** Machines that it was about. */
  machines: number;
  /** Real ms from sending to the answer; 0 for one not sent. */
  duration: number;
}

export type CallObserver = (call: Call) => void;

/** How a call is paid for and spoken of. */
export interface Terms {
  priority: Priority;
  /** What is asked for, in words that end a sentence: `5 machines in subnet-a`. */
  what: string;
  /** Machines that it is about, for operations with a resource bucket. */
  machines?: number;
  /** True when a refusal does not mean that nothing happened. */
  partial?: boolean;
}

type Send<Allowed> = <O extends keyof Allowed & Operation>(
  operation: O,
  input: DestroyerOperations[O]['input'],
  terms: Terms,
) => Promise<DestroyerOperations[O]['output']>;

/** The cloud as provider.ts and its parts may use it: calls are paced, errors are ProviderErrors. */
export interface Client {
  send: Send<Operations>;
  budgets(): BudgetState[];
  /** Machines that a call may be about now. */
  affordable(operation: Operation, priority: Priority): number;
}

/** The same as destroy.ts may use it. */
export interface DestroyerClient extends Client {
  send: Send<DestroyerOperations>;
}

/**
 * The one place where calls are paced and errors get their meaning. Nothing waits here: a call for which there is no
 * token is refused with the time after which it would be let through.
 */
export function pacedClient(options: {
  transport: Transport;
  budgets: Budgets;
  clock: Clock;
  region: string;
  /** For messages; `AWS` is said when absent. */
  endpoint?: string | undefined;
  observe?: CallObserver | undefined;
}): DestroyerClient {
  const { transport, budgets, clock, region } = options;
  const endpoint = options.endpoint ?? `AWS in ${region}`;
  const tell = (call: Omit<Call, 'region' | 'endpoint'>) => options.observe?.({ ...call, region, endpoint });
  return {
    budgets: () => budgets.states(),
    affordable: (operation, priority) => budgets.affordable(operation, priority),
    async send(operation, input, terms) {
      const { priority, what } = terms;
      const machines = terms.machines ?? 0;
      const cost: Cost = { requests: 1, resources: machines };
      const asked = { operation, what, endpoint };
      const call = budgets.take(operation, cost, priority);
      if (call === undefined) {
        tell({ operation, outcome: 'Throttled', sent: false, code: HELD_BACK, machines, duration: 0 });
        throw heldBack(asked, budgets.retryAfter(operation, cost, priority));
      }
      const sentAt = clock.monotonic();
      try {
        const answer = await transport(operation, input);
        budgets.admitted(operation);
        tell({ operation, outcome: 'ok', sent: true, machines, duration: clock.monotonic() - sentAt });
        return answer;
      } catch (error) {
        const refusal = isThrottlingAnswer(error);
        if (refusal) budgets.throttled(operation, cost, call);
        else if (!terms.partial) budgets.giveBack(operation, cost);
        const retryAfter = refusal ? budgets.retryAfter(operation, cost, priority) : undefined;
        const known = classify(error, asked, {
          ...(retryAfter !== undefined && { retryAfter }),
          ...(terms.partial && { partial: true }),
        });
        const duration = clock.monotonic() - sentAt;
        tell({ operation, outcome: known.reason, sent: true, code: known.code, machines, duration });
        throw known;
      }
    },
  };
}

// No figures in the message: it goes into a status, which must not change while the trouble is the same.
function heldBack(asked: { operation: string; what: string }, retryAfter: number): ProviderError {
  return new ProviderError(
    `${asked.operation} (${asked.what}) was held back by the API budget of its account. It is asked as soon as there are tokens for it.`,
    { reason: 'Throttled', code: HELD_BACK, refused: true, retryAfter },
  );
}
