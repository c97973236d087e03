import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';
import { LeadershipLost, type Runnable } from './runnable.ts';

/** A local copy of something remote. */
export type Cache = Runnable & {
  /** Resolves once the copy is complete for the first time. */
  readonly synced: Promise<void>;
  /** Why it is not complete or not fresh, when that is known. */
  readonly lastError?: unknown;
};

/** Decides which of several processes leads. `start` returns, without its signal aborted, when leadership is lost. */
export type Election = Runnable & {
  /** Resolves when this process leads. */
  readonly elected: Promise<void>;
};

export type ManagerOptions = {
  clock: Clock;
  log: Logger;
  /** Started first, stopped last: health and metrics endpoints answer all the while. */
  servers?: Runnable[];
  caches?: Cache[];
  /** Without one this process leads from the start. */
  election?: Election;
  /** Started when all caches are complete and this process leads. */
  controllers?: Runnable[];
  /** Longest wait for the caches, real ms. Default 60 000. */
  syncTimeout?: number;
  /** Longest time from the stop signal to the return of `run`, real ms. Default 25 000: kubelets kill after 30 s. */
  stopTimeout?: number;
};

export type Manager = {
  /**
   * Runs everything until `signal` aborts, then stops it: controllers, which finish what they have begun, then the
   * election, which gives the lease back, then caches, then servers. Resolves when all has stopped. Rejects with
   * LeadershipLost when another leads, with the error of a part that failed, or when the caches are not complete or
   * the parts not stopped in time.
   */
  run(signal: AbortSignal): Promise<void>;
  /** True from when the caches are complete until the stop. A process that waits to lead is ready. */
  ready(): boolean;
  /** True while the controllers run. */
  leading(): boolean;
};

type Group = { stop(reason: unknown): Promise<void> };

/** Orders the start and the stop of the parts of a process. */
export function manager(options: ManagerOptions): Manager {
  const { clock, log, servers = [], caches = [], controllers = [], election } = options;
  const { syncTimeout = 60_000, stopTimeout = 25_000 } = options;
  let ready = false;
  let leading = false;

  const run = async (signal: AbortSignal) => {
    const groups: Group[] = [];
    // Settles when there is a reason to stop: the signal, or a part that failed or ended by itself.
    const ended = Promise.withResolvers<unknown>();
    const start = (parts: Runnable[]) => groups.push(startGroup(parts, ended.resolve));
    const onAbort = () => ended.resolve(undefined);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    const over = ended.promise.then(() => false);

    const bringUp = async () => {
      start(servers);
      start(caches);
      if (!(await allSynced(caches, clock, syncTimeout, over))) return;
      ready = true;
      log.info('Caches are complete', { caches: caches.map(({ name }) => name) });
      if (election) {
        start([lostWhenEnded(election)]);
        if (!(await Promise.race([election.elected.then(() => true), over]))) return;
      }
      leading = true;
      start(controllers);
      log.info('Controllers started', { controllers: controllers.map(({ name }) => name) });
    };

    await bringUp().catch(ended.resolve);
    const failure = await ended.promise;
    ready = false;
    leading = false;
    signal.removeEventListener('abort', onAbort);
    log.info('Stopping', { because: failure ?? 'asked to' });
    await stopAll(groups, failure ?? signal.reason, clock, stopTimeout);
    log.info('Stopped');
    if (failure !== undefined) throw failure;
  };

  return { run, ready: () => ready, leading: () => leading };
}

/** An AbortSignal that aborts on SIGTERM or SIGINT. A second one ends the process at once, as it would without this. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const)
    process.once(name, () => controller.abort(new Error(`received ${name}`)));
  return controller.signal;
}

function startGroup(parts: Runnable[], fail: (reason: unknown) => void): Group {
  const abort = new AbortController();
  const running = parts.map(async (part) => {
    try {
      await part.start(abort.signal);
      if (!abort.signal.aborted) fail(new Error(`${part.name} ended by itself`));
    } catch (error) {
      if (abort.signal.aborted) return;
      fail(error instanceof LeadershipLost ? error : new Error(`${part.name}: ${messageOf(error)}`, { cause: error }));
    }
  });
  return {
    async stop(reason) {
      abort.abort(reason);
      await Promise.all(running);
    },
  };
}

/** Stops the groups one after the other, the last started first. */
async function stopAll(groups: Group[], reason: unknown, clock: Clock, timeout: number): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = clock.setTimer(timeout, () => late.reject(new Error(`not everything had stopped after ${timeout} ms`)));
  const inOrder = async () => {
    for (const group of groups.toReversed()) await group.stop(reason);
  };
  try {
    await Promise.race([inOrder(), late.promise]);
  } finally {
    timer.cancel();
  }
}

/** True when all caches are complete, false when `over` came first. Throws after `timeout` ms. */
async function allSynced(caches: Cache[], clock: Clock, timeout: number, over: Promise<boolean>): Promise<boolean> {
  const late = Promise.withResolvers<never>();
  const waiting = new Set(caches);
  const timer = clock.setTimer(timeout, () => {
    const which = [...waiting].map(({ name, lastError }) => (lastError ? `${name} (${messageOf(lastError)})` : name));
    late.reject(new Error(`not read after ${timeout / 1000} s: ${which.join(', ')}`));
  });
  const each = caches.map((cache) => cache.synced.then(() => waiting.delete(cache)));
  try {
    return await Promise.race([Promise.all(each).then(() => true), over, late.promise]);
  } finally {
    timer.cancel();
  }
}

function lostWhenEnded(election: Election): Runnable {
  return {
    name: election.name,
    async start(signal) {
      await election.start(signal);
      if (!signal.aborted) throw new LeadershipLost('the lease was lost');
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
