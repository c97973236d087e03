import { clusterGenerations } from '../../kinds.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isNotFound } from '../../kube/errors.ts';
import { find } from '../../kube/find.ts';
import { pods } from '../../kube/resources.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Facts } from './decide.ts';
import type { Review } from './review.ts';
import type { PodFact } from './rules/evictions.ts';
import { newlyLive } from './rules/platforms.ts';
import type { View } from './view.ts';

/** The API server gives us 2 s for an answer and then goes on without; a read must leave time for one. Real ms. */
const READ_LIMIT = 1_500;

/** What a review needs beyond the caches, read live. Nothing for most; undefined then, without a detour. */
export function gather(
  { act }: Review,
  view: View,
  client: Pick<KubeClient, 'get'>,
  clock: Clock,
): Promise<Facts> | undefined {
  if (act.kind === 'evict')
    return within(clock, (signal) => placeOf(client, act.namespace, act.pod, signal)).then((pod) => ({ pod }));
  const next = act.kind === 'update-platform' ? newlyLive(act.before, act.after) : undefined;
  if (!next) return undefined;
  const cached = view.generation(next.name);
  if (cached?.metadata.uid === next.uid) return Promise.resolve({ candidate: cached });
  // Not in the cache does not mean that it does not exist.
  return within(clock, (signal) => find(client, clusterGenerations, next.name, { signal })).then(
    (candidate) => ({ candidate }),
    () => ({ candidate: 'unknown' as const }),
  );
}

async function placeOf(
  client: Pick<KubeClient, 'get'>,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<PodFact> {
  try {
    const { spec, status } = await client.get(pods, name, { namespace, signal });
    const ended = status?.phase === 'Succeeded' || status?.phase === 'Failed';
    return !ended && spec?.nodeName ? { state: 'placed', node: spec.nodeName } : { state: 'idle' };
  } catch (error) {
    if (isNotFound(error)) return { state: 'idle' };
    const why = error instanceof Error ? error.message : String(error);
    return { state: 'unknown', why: `which Node it is on could not be read (${why})` };
  }
}

async function within<T>(clock: Clock, read: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  const timer = clock.setTimer(READ_LIMIT, () => abort.abort(new Error(`no answer within ${READ_LIMIT} ms`)));
  try {
    return await read(abort.signal);
  } finally {
    timer.cancel();
  }
}
