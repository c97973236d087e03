import type { Condition, CustomObject } from '../api/v1alpha1/index.ts';
import { kstatus, type Verdict, withConditions } from '../domain/conditions.ts';
import { isConflict, isNotFound } from '../kube/errors.ts';
import { find } from '../kube/find.ts';
import type { Resource } from '../kube/resource.ts';
import { writeStatus } from '../kube/status.ts';
import type { ReconcileResult } from '../runtime/controller.ts';
import type { Context } from './context.ts';
import { causeOf, NotDone, REFUSES, type Refusal, refusalOf } from './refusal.ts';

/**
 * The way of every refusal into the status of the object that wanted it: what a controller makes of an error from the API
 * server. Somebody wrote at the same time: look again at once. The object is gone, which a cache shows a little later: nothing
 * is left to do. The API server refuses what the operator asks for: the object says so in its conditions, and an event. All
 * but the first two are thrown as well: the controller tries again with growing delays.
 */

/** Real ms: the cache follows the API server within a few. */
const CONFLICT = 100;
/** Times that a status is written anew upon the object as it has become meanwhile. */
const TRIES = 5;

type Status = { conditions?: Condition[] | undefined; observedGeneration: number };
type Reported = CustomObject<unknown, Status>;

/**
 * Writes a status upon an object as it is now, whoever has written to it since `object` was read, this process too. Returns the
 * object as written; undefined when there is no such object any more. Throws ApiError.
 *
 * @param statusOf the status to write, from the object that it is written upon
 */
export async function writeUpon<T extends Reported>(
  { client }: Pick<Context, 'client'>,
  resource: Resource<T>,
  object: T,
  statusOf: (now: T) => T['status'],
): Promise<T | undefined> {
  let now: T | undefined = object;
  for (let left = TRIES; ; left--) {
    if (now?.metadata.uid !== object.metadata.uid) return undefined;
    try {
      return await writeStatus(client, resource, now, statusOf(now));
    } catch (error) {
      if (!isConflict(error) || left <= 1) throw error;
      now = await find(client, resource, object.metadata.name);
    }
  }
}

export interface Reporting<T> {
  /** The object of a key; undefined when there is none. */
  read(key: string): T | undefined | Promise<T | undefined>;
  /** Further conditions of the kind that are True while it cannot go on. */
  stopped?: readonly string[];
  /** True for one whose end is written: what it says of that stays, and only Stalled names the refusal. */
  ended?(object: T): boolean;
}

/** What one attempt knows of the one before. */
export interface Attempt<T extends Reported> {
  /**
   * The status to write before the effects: what was refused last time stands in it until it is done. Without this an attempt
   * that is refused again would be two writes, and each of them a reason to look again.
   */
  kept(status: T['status']): T['status'];
}

/** A reconcile by key whose refusals are told on its object. */
export function reporting<T extends Reported>(
  context: Pick<Context, 'client' | 'clock' | 'log' | 'events'>,
  resource: Resource<T>,
  { read, stopped = [], ended = () => false }: Reporting<T>,
  reconcile: (object: T, attempt: Attempt<T>) => Promise<ReconcileResult>,
): (key: string) => Promise<ReconcileResult> {
  /** Keys whose last attempt was refused. */
  const refused = new Set<string>();
  const told = ['Ready', 'Reconciling', 'Stalled', ...stopped];
  return async (key) => {
    const object = await read(key);
    if (!object) {
      refused.delete(key);
      return undefined;
    }
    const kept = (status: T['status']) => (refused.has(key) ? keeping(object.status, status, told) : status);
    try {
      const result = await reconcile(object, { kept });
      // What was refused is done: the next look says how it is without it.
      return refused.delete(key) ? { requeueAfter: 0 } : result;
    } catch (thrown) {
      const error = causeOf(thrown);
      const refusal = refusalOf(thrown);
      if (!refusal && isConflict(error)) return { requeueAfter: CONFLICT };
      if (isNotFound(error) && !(await find(context.client, resource, object.metadata.name))) return undefined;
      if (!refusal) throw thrown;
      const again = refused.has(key);
      refused.add(key);
      if (!refusal.passing || again) await tell(context, resource, object, { refusal, thrown, stopped, ended });
      throw thrown;
    }
  };
}

/** Of two statuses the new one, with conditions of some types as they were. */
function keeping<S extends Status>(before: S, status: S, types: readonly string[]): S {
  const old = (before.conditions ?? []).filter(({ type }) => types.includes(type));
  const rest = (status.conditions ?? []).filter(({ type }) => !old.some((one) => one.type === type));
  const order = (status.conditions ?? []).map(({ type }) => type);
  const place = ({ type }: Condition) => (order.includes(type) ? order.indexOf(type) : order.length);
  return { ...status, conditions: [...rest, ...old].toSorted((a, b) => place(a) - place(b)) };
}

/** In conditions and an event; in the log alone when those are refused as well. */
async function tell<T extends Reported>(
  { client, clock, events, log }: Pick<Context, 'client' | 'clock' | 'log' | 'events'>,
  resource: Resource<T>,
  object: T,
  about: { refusal: Refusal; thrown: unknown } & Required<Pick<Reporting<T>, 'stopped' | 'ended'>>,
): Promise<void> {
  const { thrown, stopped, ended } = about;
  const { reason, words, remedy } = about.refusal;
  const what = thrown instanceof NotDone ? thrown.what : 'what the operator has to do';
  const message = `${REFUSES} ${what}: ${words}. ${remedy}`;
  events.record({ regarding: object, type: 'Warning', reason, action: 'Reconcile', note: message });
  const halted: Verdict[] = [
    { type: 'Ready', status: false, reason, message },
    ...stopped.map((type) => ({ type, status: true, reason, message })),
  ];
  const statusOf = (now: T): T['status'] => {
    const { generation } = now.metadata;
    const verdicts = [...(ended(now) ? [] : halted), ...kstatus('Stalled', reason, message)];
    const conditions = withConditions(now.status.conditions, verdicts, { generation, now: clock.now() });
    return { ...now.status, observedGeneration: generation, conditions };
  };
  await writeUpon({ client }, resource, object, statusOf).catch((second: unknown) =>
    log.warn('The refusal could not be reported', { object: object.metadata.name, error: second }),
  );
}
