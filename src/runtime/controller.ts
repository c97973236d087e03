import { backoff } from './backoff.ts';
import type { Clock, Timer } from './clock.ts';
import type { Logger } from './logger.ts';
import { LeadershipLost, type Runnable } from './runnable.ts';
import { workQueue } from './workqueue.ts';

/** What a reconcile wants next: nothing, or to be called again after `requeueAfter` real ms. */
export type ReconcileResult = { requeueAfter?: number | undefined } | undefined;

export type ControllerOptions = {
  name: string;
  clock: Clock;
  log: Logger;
  /** Keys in work at once. Default 1. */
  concurrency?: number;
  /** Keys of one lane are never in work together, whatever the concurrency. Default: each has a lane of its own. */
  lane?(key: string): string;
  /** Throwing means: try again with growing delay. The signal aborts on shutdown and at the deadline. */
  reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult>;
  /** First delay after a failure, declared ms. Default 200. */
  minBackoff?: number;
  /** Longest delay after failures, declared ms. Default 60 000. */
  maxBackoff?: number;
  /** Longest that one reconcile may take, real ms; then its signal aborts and it counts as failed. Default 60 000. */
  deadline?: number;
  /** How long reconciles may go on after a stop before their signals abort, real ms. Default 10 000. */
  drain?: number;
  observer?: ControllerObserver;
};

/** Told what happens, for metrics. */
export type ControllerObserver = {
  /** `seconds`: how long it took. */
  reconciled?(controller: string, outcome: 'success' | 'error' | 'timeout', seconds: number): void;
  /** Keys that wait to be worked on. */
  depth?(controller: string, waiting: number): void;
};

export type Controller = Runnable & {
  /** Asks for a reconcile of `key`, as soon as a worker is free. Many asks before that make one reconcile. */
  enqueue(key: string): void;
  /** The same after `ms` real ms. */
  enqueueAfter(key: string, ms: number): void;
  /** Keys whose reconcile has ignored its deadline and still has not returned; each stays locked until it does. */
  stuck(): string[];
};

/** How long a reconcile gets to return after its signal has aborted, real ms. */
const ABORT_GRACE = 2_000;
/** Scaled backoff does not go below this, real ms: a tight loop of failures would starve the rest of the process. */
const LEAST_BACKOFF = 5;

/**
 * A controller that calls `reconcile` for keys put in with `enqueue`, never twice at once for the same key. Failures
 * are logged once each, with their key, and retried with growing delay; they end neither the process nor other keys.
 * Keys may be enqueued before `start`.
 */
export function controller(options: ControllerOptions): Controller {
  const { name, clock, concurrency = 1, deadline = 60_000, drain = 10_000, observer } = options;
  const log = options.log.child({ controller: name });
  const min = Math.max(LEAST_BACKOFF, clock.scaled(options.minBackoff ?? 200));
  const max = Math.max(min, clock.scaled(options.maxBackoff ?? 60_000));
  const queue = workQueue({
    clock,
    backoff: backoff({ clock, min, max }),
    ...(options.lane && { laneOf: options.lane }),
    onDepth: (waiting) => observer?.depth?.(name, waiting),
  });
  const stuck = new Set<string>();
  const running = new Set<AbortController>();
  let stopping = false;

  /** The one place that turns a result into forget, requeue after, or rate-limited retry. */
  const settle = (key: string, outcome: Outcome) => {
    if (outcome.kind === 'success') {
      queue.forget(key);
      if (outcome.requeueAfter !== undefined) queue.addAfter(key, outcome.requeueAfter);
      return;
    }
    const retryInMs = Math.round(queue.addRateLimited(key));
    if (stopping) log.info('Reconcile cut short by the stop', { key });
    else log.error('Reconcile failed; it will be tried again', { key, retryInMs, error: outcome.error });
  };

  const reconcileOne = async (key: string) => {
    const started = clock.monotonic();
    const abort = new AbortController();
    running.add(abort);
    const due = clock.setTimer(deadline, () => abort.abort(new DeadlineExceeded(deadline)));
    const work = attempt(() => options.reconcile(key, abort.signal));
    const outcome = await Promise.race([work, abandoned(abort.signal, clock, work)]);
    due.cancel();
    running.delete(abort);
    const failed = abort.signal.reason instanceof DeadlineExceeded ? 'timeout' : 'error';
    const seconds = (clock.monotonic() - started) / 1000;
    observer?.reconciled?.(name, outcome.kind === 'success' ? 'success' : failed, seconds);
    settle(key, outcome);
    if (outcome.kind !== 'abandoned') return queue.done(key);
    // It may ignore its signal for ever. The worker moves on, but the key stays in work: never two of it at once.
    stuck.add(key);
    void work.then(() => {
      stuck.delete(key);
      queue.done(key);
    });
  };

  const worker = async () => {
    for (let key = await queue.get(); key !== undefined; key = await queue.get()) await reconcileOne(key);
  };

  return {
    name,
    enqueue: (key) => queue.add(key),
    enqueueAfter: (key, ms) => queue.addAfter(key, ms),
    stuck: () => [...stuck],
    async start(signal) {
      let cut: Timer | undefined;
      const cutShort = () => {
        for (const abort of running) abort.abort(signal.reason);
      };
      const stop = () => {
        stopping = true;
        queue.shutDown();
        if (signal.reason instanceof LeadershipLost) cutShort();
        else cut = clock.setTimer(drain, cutShort);
      };
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
      await Promise.all(Array.from({ length: concurrency }, worker));
      cut?.cancel();
    },
  };
}

type Outcome =
  | { kind: 'success'; requeueAfter: number | undefined }
  | { kind: 'error'; error: unknown }
  /** It has not returned although its signal has aborted. */
  | { kind: 'abandoned'; error: unknown };

class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded';
  constructor(ms: number) {
    super(`took longer than its deadline of ${ms} ms`);
  }
}

async function attempt(reconcile: () => Promise<ReconcileResult>): Promise<Outcome> {
  try {
    return { kind: 'success', requeueAfter: (await reconcile())?.requeueAfter };
  } catch (error) {
    return { kind: 'error', error };
  }
}

/** Resolves when the signal has aborted and `work` has let its grace go by; stays pending otherwise. */
function abandoned(signal: AbortSignal, clock: Clock, work: Promise<Outcome>): Promise<Outcome> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => {
      const grace = clock.setTimer(ABORT_GRACE, () => resolve({ kind: 'abandoned', error: signal.reason }));
      void work.then(() => grace.cancel());
    });
  });
}
