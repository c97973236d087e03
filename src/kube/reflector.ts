import { backoff } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Cache } from '../runtime/manager.ts';
import { type KubeClient, pages } from './client.ts';
import { ApiError } from './errors.ts';
import { type KubeObject, keyOf, type Resource } from './resource.ts';
import { type IndexFunction, type Store, store, type Versioned } from './store.ts';
import { mustListAgain, NoInitialEvents, type WatchHandler, wasSilent, watch } from './watch.ts';

export type ReflectorOptions<T extends KubeObject, P> = {
  client: Pick<KubeClient, 'transport'>;
  resource: Resource<T>;
  clock: Clock;
  log: Logger;
  /**
   * What is kept of an object, called once as it arrives: memory is what this returns. It must not throw; while it
   * does, the collection counts as unread.
   */
  project(object: T): P;
  indexes?: Record<string, IndexFunction<P>>;
  /** Default: all namespaces. */
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  observer?: ReflectorObserver | undefined;
  /** A watch without a byte for this long is dead, real ms. Default 150 000: healthy ones were silent for 119 s. */
  silence?: number;
  /** A streaming list without progress for this long is given up for a paged one, real ms. Default 10 000. */
  initialSilence?: number;
  /** A list that lacks nearly all that was there is believed when a paged one says so this long after, real ms. Default 10 000. */
  doubt?: number;
};

/** Told what happens, for metrics. */
export type ReflectorObserver = {
  listed?(resource: string, way: 'streamed' | 'paged'): void;
  /** `ended`: the server closed it, as it does every few minutes. */
  watchOver?(resource: string, why: 'ended' | 'expired' | 'failed'): void;
};

/** Keeps `store` equal to a collection at the API server, from `start` on. */
export type Reflector<P> = Cache & { readonly store: Store<P> };

/** First and longest delay after failures, real ms. */
const FIRST_RETRY = 200;
const LONGEST_RETRY = 30_000;
/** A fresh API server ends watches 6 to 9 times in a burst: so many are opened again at once, further ones with a delay. */
const BURST_OF_ENDS = 10;
/** A watch that lasted this long ends the burst, real ms. */
const LASTING = 5_000;
/** The server is asked to end a watch after 5 to 10 minutes, spread so that watches do not end together. */
const WATCH_SECONDS = { least: 300, spread: 300 };

/** A list that has become shorter than this share at once is asked for again: it lacks nearly everything. */
const LEAST_SHARE = 0.1;

/**
 * Lists a collection once, over the watch itself where the server can, and then follows its changes. Asks for nothing
 * while nothing changes, but for one new watch every 5 to 10 minutes. After failures it goes on where it was; only
 * when the server has forgotten that version it lists again, and the store changes in one step.
 */
export function reflector<T extends KubeObject, P>(options: ReflectorOptions<T, P>): Reflector<P> {
  const { client, resource, clock, project, namespace, labelSelector, fieldSelector, observer } = options;
  const { silence = 150_000, initialSilence = 10_000, doubt = 10_000 } = options;
  const { transport } = client;
  const log = options.log.child({ resource: resource.plural });
  const items = store<P>({ log, ...(options.indexes && { indexes: options.indexes }) });
  const synced = Promise.withResolvers<void>();
  const delays = backoff({ clock, min: FIRST_RETRY, max: LONGEST_RETRY });
  /** What has been seen so far: undefined means that the collection has to be read as a whole. */
  let version: string | undefined;
  let streaming = true;
  let lastError: unknown;
  let heard = false;
  /** When a list first lacked nearly everything; undefined while the last one did not. Monotonic ms. */
  let doubtful: number | undefined;

  /** Throws while a list is not believed: what is there stays, and the collection is read again. */
  const complete = (entries: Map<string, Versioned<P>>, at: string, way: 'streamed' | 'paged') => {
    const now = clock.monotonic();
    if (entries.size < items.size * LEAST_SHARE && !(way === 'paged' && now - (doubtful ?? now) >= doubt)) {
      doubtful ??= now;
      throw new Error(`a list shows ${entries.size} of the ${items.size} ${resource.plural} that there were`);
    }
    doubtful = undefined;
    items.replace(entries);
    version = at;
    observer?.listed?.(resource.plural, way);
    log.debug('Collection read', { way, items: items.size });
    synced.resolve();
  };

  const list = async (signal: AbortSignal) => {
    const entries = new Map<string, Versioned<P>>();
    let at = '';
    for await (const page of pages(transport, resource, { namespace, labelSelector, fieldSelector, signal })) {
      for (const object of page.items)
        entries.set(keyOf(object), { item: project(object), version: object.metadata.resourceVersion });
      at = page.resourceVersion;
    }
    complete(entries, at, 'paged');
  };

  const listening = (): WatchHandler<T> => {
    let initial = version === undefined ? new Map<string, Versioned<P>>() : undefined;
    const hear = (at: string) => {
      heard = true;
      lastError = undefined;
      delays.forget('');
      if (!initial) version = at;
    };
    return {
      changed(object, at) {
        const item = project(object);
        if (initial) initial.set(keyOf(object), { item, version: at });
        else items.set(keyOf(object), item, at);
        hear(at);
      },
      deleted(object, at) {
        if (initial) initial.delete(keyOf(object));
        else items.delete(keyOf(object));
        hear(at);
      },
      synced(at) {
        if (initial) complete(initial, at, 'streamed');
        initial = undefined;
        hear(at);
      },
      bookmark: hear,
    };
  };

  const followOnce = async (signal: AbortSignal) => {
    if (version === undefined && (!streaming || doubtful !== undefined)) await list(signal);
    const selection = { transport, resource, namespace, labelSelector, fieldSelector };
    const timeoutSeconds = Math.round(WATCH_SECONDS.least + clock.random() * WATCH_SECONDS.spread);
    const patience = { silence, initialSilence };
    await watch({ ...selection, ...patience, clock, from: version, timeoutSeconds, signal }, listening());
  };

  const start = async (signal: AbortSignal) => {
    let ends = 0;
    let silences = 0;
    while (!signal.aborted) {
      heard = false;
      const started = clock.monotonic();
      try {
        await followOnce(signal);
        observer?.watchOver?.(resource.plural, 'ended');
        ends = clock.monotonic() - started < LASTING ? ends + 1 : 0;
        if (ends <= BURST_OF_ENDS) continue;
        lastError = new Error(`the API server has ended ${ends} watches in a row at once`);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof NoInitialEvents) {
          streaming = false;
          log.info('The API server does not stream lists; paging');
          continue;
        }
        lastError = error;
        silences = wasSilent(error) ? (heard ? 1 : silences + 1) : 0;
        // Two watches without a word: as after a restore of etcd from a backup, when the version lies in the future.
        if (mustListAgain(error) || silences >= 2) version = undefined;
        observer?.watchOver?.(resource.plural, version === undefined ? 'expired' : 'failed');
      }
      const asked = lastError instanceof ApiError ? (lastError.retryAfterSeconds ?? 0) * 1_000 : 0;
      const retryInMs = Math.round(Math.max(delays.next(''), Math.min(asked, LONGEST_RETRY)));
      log.warn('Watch interrupted', { retryInMs, listAgain: version === undefined, error: lastError });
      await clock.sleep(retryInMs, signal).catch(() => {});
    }
  };

  return {
    name: `cache of ${resource.plural}`,
    store: items,
    synced: synced.promise,
    get lastError() {
      return lastError;
    },
    start,
  };
}
