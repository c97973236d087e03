import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';
import type { Runnable } from './manager.ts';

/** What a reconcile wants next: nothing, or to be called again after `requeueAfter` real ms. */
export type ReconcileResult = { requeueAfter?: number | undefined } | undefined;

export type ControllerOptions = {
  name: string;
  clock: Clock;
  log: Logger;
  /** Keys in work at once. Default 1. */
  concurrency?: number;
  /** Throwing means: try again with growing delay. The signal aborts on shutdown and at the deadline. */
  reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult>;
  /** First delay after a failure, declared ms. Default 200. */
  minBackoff?: number;
  /** Longest delay after failures, declared ms. Default 60 000. */
  maxBackoff?: number;
  /** Longest that one reconcile may take, real ms; then its signal aborts and it counts as failed. Default 60 000. */
  deadline?: number;
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
};
