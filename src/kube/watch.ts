import type { Clock, Timer } from '../runtime/clock.ts';
import { ApiError, errorFrom, isBadRequest, isGone, isInvalid, type Status } from './errors.ts';
import { lineSplitter } from './lines.ts';
import type { KubeObject, Resource } from './resource.ts';
import type { Transport } from './transport.ts';

/** What a watch delivers. `synced` marks the end of the initial state, `bookmark` that nothing happened until `version`. */
export type WatchHandler<T> = {
  changed(object: T, version: string): void;
  deleted(object: T, version: string): void;
  synced(version: string): void;
  bookmark(version: string): void;
};

export type WatchOptions<T extends KubeObject> = {
  transport: Transport;
  resource: Resource<T>;
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  /** Where to go on; undefined: start with all objects that exist, then `synced`. */
  from: string | undefined;
  /** After so many seconds the server ends the watch. */
  timeoutSeconds: number;
  /** A watch without a byte for this long is dead, real ms. */
  silence: number;
  /** An initial state that makes no progress for this long is given up, real ms. */
  initialSilence: number;
  clock: Clock;
  signal: AbortSignal;
};

/** The server does not stream the initial state: it refuses to, or does not know how. */
export class NoInitialEvents extends Error {
  override readonly name = 'NoInitialEvents';
}

/** True when a version can not be resumed from: too old, or, after etcd was restored from a backup, ahead of the server. */
export function mustListAgain(error: unknown): boolean {
  return (
    isGone(error) || (error instanceof ApiError && error.causes.some((c) => c.reason === 'ResourceVersionTooLarge'))
  );
}

/** True when the connection was there but nothing came for too long. */
export function wasSilent(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { code?: string; cause?: unknown };
  return code === 'UND_ERR_BODY_TIMEOUT' || (cause !== undefined && wasSilent(cause));
}

type Event<T> = { type: string; object: T };

/**
 * One watch, from its request to its end: resolves when the server ends it. Throws ApiError (isGone in both of its
 * forms, as an HTTP status and as an event), NoInitialEvents, the signal's reason, or what a handler throws.
 */
export async function watch<T extends KubeObject>(options: WatchOptions<T>, handler: WatchHandler<T>): Promise<void> {
  const { transport, resource, namespace, labelSelector, fieldSelector, from, silence, signal } = options;
  const what = `watch ${resource.kind}`;
  let initial = from === undefined;
  const start = initial
    ? { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' }
    : { resourceVersion: from };
  const query = {
    watch: 'true',
    allowWatchBookmarks: 'true',
    timeoutSeconds: String(options.timeoutSeconds),
    labelSelector,
    fieldSelector,
    ...start,
  };
  const abort = new AbortController();
  let events = 0;
  const giveUpWithoutProgress = (since: number): Timer =>
    options.clock.setTimer(options.initialSilence, () => {
      if (!initial) return;
      if (events === since) abort.abort(new NoInitialEvents(what));
      else progress = giveUpWithoutProgress(events);
    });
  let progress: Timer | undefined;
  const dispatch = ({ type, object }: Event<T>) => {
    events++;
    if (type === 'ERROR') throw failure(object, what);
    const version = object.metadata.resourceVersion;
    if (type === 'BOOKMARK') {
      if (!initial) return handler.bookmark(version);
      // Servers that know nothing of streaming lists send the objects all the same, but never say that they are done.
      if (object.metadata.annotations?.['k8s.io/initial-events-end'] !== 'true') throw new NoInitialEvents(what);
      initial = false;
      handler.synced(version);
    } else if (type === 'DELETED') handler.deleted(object, version);
    else handler.changed(object, version);
  };

  try {
    await transport.stream({
      resource,
      target: { namespace },
      query,
      signal: AbortSignal.any([signal, abort.signal]),
      silenceMs: silence,
      onOpen: () => {
        if (initial) progress = giveUpWithoutProgress(0);
      },
      onData: lineSplitter((line) => dispatch(JSON.parse(line) as Event<T>)),
    });
  } catch (error) {
    if (initial && (isBadRequest(error) || isInvalid(error))) throw new NoInitialEvents(what);
    throw error;
  } finally {
    progress?.cancel();
  }
}

function failure(status: Status, what: string): ApiError {
  return errorFrom(status.code ?? 500, JSON.stringify(status), what);
}
