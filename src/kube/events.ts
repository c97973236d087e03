import type { Clock, Timer } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { KubeClient } from './client.ts';
import { isNotFound } from './errors.ts';
import { microTime } from './lease.ts';
import type { KubeObject } from './resource.ts';
import { events, type ObjectReference } from './resources.ts';

export type EventInput = {
  /** What it is about. */
  regarding: KubeObject | (ObjectReference & { kind: string; name: string; uid: string });
  related?: ObjectReference;
  type: 'Normal' | 'Warning';
  /** Why, in UpperCamelCase, at most 128 characters. */
  reason: string;
  /** What was done or tried, in UpperCamelCase, at most 128 characters. */
  action: string;
  /** For people. Cut at 1024 characters, the API server's limit. */
  note: string;
};

export type Recorder = {
  /** Records an event in the background. Never throws: what cannot be recorded is logged. */
  record(event: EventInput): void;
  /**
   * Writes the counts that wait for their time, and resolves when everything recorded so far has been sent or given
   * up, or after `limit` real ms. Default 5 000.
   */
  flush(limit?: number): Promise<void>;
};

export type RecorderOptions = {
  client: KubeClient;
  clock: Clock;
  log: Logger;
  /** Who reports, as a qualified name: `example.com/operator`. */
  controller: string;
  /** Which process of it, at most 128 characters. */
  instance: string;
  /** The same event again within this time is counted in the first one, real ms. Default 360 000, as client-go. */
  seriesWindow?: number;
  /** Counts are written at most this often for one event, real ms. Default 30 000. */
  seriesInterval?: number;
  /** New events of one object: so many at once ... Default 25, as client-go. */
  burst?: number;
  /** ... and then one per this time, real ms. Default 60 000. */
  refill?: number;
};

/** Events and objects remembered, and events waiting to be sent: above that the oldest are forgotten. */
const REMEMBERED = 2_000;
const NOTE_LIMIT = 1_024;

type Series = {
  name: string;
  namespace: string;
  count: number;
  last: number;
  written: number;
  timer?: Timer | undefined;
};

/** Records events.k8s.io/v1 Events: equal ones become one with a count, and no object gets more than its share. */
export function recorder(options: RecorderOptions): Recorder {
  const { client, clock, controller, instance } = options;
  const { seriesWindow = 360_000, seriesInterval = 30_000, burst = 25, refill = 60_000 } = options;
  const log = options.log.child({ recorder: controller });
  const series = new Map<string, Series>();
  const budgets = new Map<string, { tokens: number; at: number }>();
  let waiting = 0;
  let sending: Promise<void> = Promise.resolve();

  const send = (what: string, action: () => Promise<unknown>) => {
    if (waiting >= REMEMBERED) return log.warn('Event dropped: too many are waiting to be sent', { event: what });
    waiting++;
    sending = sending
      .then(action)
      .then(() => {})
      .catch((error: unknown) => log.warn('Event not recorded', { event: what, error }))
      .finally(() => waiting--);
  };

  const withinBudget = (uid: string): boolean => {
    const now = clock.monotonic();
    const budget = budgets.get(uid) ?? { tokens: burst, at: now };
    budget.tokens = Math.min(burst, budget.tokens + (now - budget.at) / refill);
    budget.at = now;
    remember(budgets, uid, budget);
    if (budget.tokens < 1) return false;
    budget.tokens -= 1;
    return true;
  };

  const begin = (key: string, event: EventInput, regarding: ObjectReference) => {
    const now = clock.monotonic();
    const namespace = regarding.namespace ?? 'default';
    const suffix = `${Math.floor(clock.now()).toString(16)}${Math.floor(clock.random() * 2 ** 24).toString(16)}`;
    // Names are at most 253 characters long.
    const name = `${regarding.name?.slice(0, 220)}.${suffix}`;
    remember(series, key, { name, namespace, count: 1, last: now, written: now });
    const { related, type, reason, action } = event;
    send(key, () =>
      client.create(events, {
        metadata: { name, namespace },
        eventTime: microTime(clock.now()),
        reportingController: controller,
        reportingInstance: instance.slice(0, 128),
        regarding,
        ...(related && { related }),
        type,
        reason,
        action,
        note: event.note.slice(0, NOTE_LIMIT),
      }),
    );
  };

  const count = (key: string, one: Series) => {
    one.count++;
    one.last = clock.monotonic();
    remember(series, key, one);
    one.timer ??= clock.setTimer(one.written + seriesInterval - clock.monotonic(), () => writeCount(key, one));
  };

  const writeCount = (key: string, one: Series) => {
    one.timer?.cancel();
    one.timer = undefined;
    one.written = clock.monotonic();
    const body = { series: { count: one.count, lastObservedTime: microTime(clock.now()) } };
    send(key, () =>
      client.patch(events, one.name, body, { type: 'merge', namespace: one.namespace }).catch((error: unknown) => {
        // Events live for an hour: the next one of its kind starts anew.
        if (!isNotFound(error)) throw error;
        series.delete(key);
      }),
    );
  };

  return {
    record(event) {
      try {
        const regarding = referenceTo(event.regarding);
        const key = [regarding.uid, event.type, event.reason, event.action, event.note].join('\n');
        const known = series.get(key);
        if (known && clock.monotonic() - known.last < seriesWindow) count(key, known);
        else if (withinBudget(regarding.uid ?? '')) begin(key, event, regarding);
        else log.debug('Event dropped: the object has had too many', { reason: event.reason, regarding });
      } catch (error) {
        log.warn('Event not recorded', { reason: event.reason, error });
      }
    },
    async flush(limit = 5_000) {
      for (const [key, one] of series) if (one.timer) writeCount(key, one);
      const late = Promise.withResolvers<void>();
      const timer = clock.setTimer(limit, late.resolve);
      await Promise.race([sending, late.promise]);
      timer.cancel();
    },
  };
}

function referenceTo(regarding: EventInput['regarding']): ObjectReference {
  if (!('metadata' in regarding)) return regarding;
  const { apiVersion, kind, metadata } = regarding;
  const { name, namespace, uid, resourceVersion } = metadata;
  return { apiVersion, kind, name, uid, resourceVersion, ...(namespace && { namespace }) };
}

/** Puts an entry last and forgets the first ones beyond the limit. */
function remember<T>(map: Map<string, T>, key: string, value: T) {
  map.delete(key);
  map.set(key, value);
  for (const [oldest] of map) {
    if (map.size <= REMEMBERED) break;
    map.delete(oldest);
  }
}
