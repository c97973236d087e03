import { ANNOTATION, API_VERSION, LABEL, PLACEMENT } from '../../api/v1alpha1/index.ts';
import { freezeOf } from '../../domain/freeze.ts';
import { platforms } from '../../kinds.ts';
import { deleteObject } from '../../kube/delete.ts';
import { ApiError, isConflict, isForbidden, isInvalid, isNotFound } from '../../kube/errors.ts';
import { find } from '../../kube/find.ts';
import { pods } from '../../kube/resources.ts';
import type { Context } from '../context.ts';
import { assertLeads } from '../lead.ts';
import { type PodView, viewOfPod } from '../pods.ts';
import { type Ending, isOver, type Note, type PlacementDecision } from './decide.ts';
import { located } from './gather.ts';
import { machineOf, type PlacementInput, type PlacementPod } from './input.ts';
import type { Memory } from './memory.ts';

/** The longest that a write takes. Real ms. */
const LONGEST_WRITE = 5_000;

/** Pods started or ended upon one live read. */
const BATCH = 50;

/** Requests at a time: what the API server's default share for one client takes without queueing. */
const AT_ONCE = 16;

/** Told of what was done, for metrics. */
export interface PlacementObserver {
  /** `seconds`: how long the pod has waited since it was created. */
  placed?(platform: string, role: string, seconds: number): void;
  ended?(platform: string, role: string, because: Ending['because']): void;
  /** Lost pods whose machine is not known to be off: while there are any, their tasks do not run. */
  lost?(platform: string, count: number): void;
}

/**
 * Writes a decision. Every write carries the version of the pod that was looked at; before pods are started or ended the Platform and all
 * copies of their tasks are read live, once for each batch. What has changed meanwhile is left for the next look. Throws when this process
 * may no longer lead; and at the end, when a write was refused.
 */
export async function apply(
  context: Context,
  input: PlacementInput,
  decision: PlacementDecision,
  memory: Memory,
  signal: AbortSignal,
): Promise<void> {
  const { clock, log, placement } = context;
  const over = new Set(input.pods.filter(isOver).map(({ uid }) => uid));
  const { platform } = input;
  const name = platform?.name ?? '';
  if (platform) tellLost(context, platform, input.pods);
  const refusals: ApiError[] = [];
  const write = <T>(items: readonly T[], act: (item: T, signal: AbortSignal) => Promise<unknown>) =>
    inParallel(items, async (item) => {
      if (signal.aborted) return false;
      // Thrown, so that it is tried again: nothing else may happen for a minute that would wake this platform.
      assertLeads(context);
      try {
        return await settled(() => act(item, AbortSignal.any([signal, AbortSignal.timeout(LONGEST_WRITE)])));
      } catch (error) {
        // What somebody's policy has against one pod is no reason to leave the others where they are.
        if (!(error instanceof ApiError) || !(isForbidden(error) || isInvalid(error))) throw error;
        refusals.push(error);
        return false;
      }
    });

  const released = await write(decision.unfinalize, (pod, limit) => release(context, pod, limit));
  const noted = await write(decision.note, (one, limit) => annotate(context, one, limit));
  const done = { placed: 0, ended: 0, released: released.length, noted: noted.length };

  if (platform) {
    for (const batch of batches(decision.end)) {
      if (!(await stillTrue(context, platform, signal))) break;
      const ended = await write(batch, (one, limit) => end(context, one, limit));
      for (const { role, because } of ended) {
        placement?.ended?.(name, role.name, because);
        if (because === 'moved') memory.pace.took(role, { starts: 0, stops: 1 }, clock.monotonic());
      }
      done.ended += ended.length;
    }
    for (const batch of batches(decision.place)) {
      if (!(await stillTrue(context, platform, signal))) break;
      const free = await withoutCopies(context, batch, over, signal);
      const placed = await write(free, async ({ pod, role, generation }, limit) => {
        memory.pace.took(role, { starts: 1, stops: 0 }, clock.monotonic());
        memory.placing(pod, generation);
        try {
          await place(context, pod, generation, limit);
        } catch (error) {
          if (isRefusal(error)) memory.refused(pod);
          throw error;
        }
      });
      for (const { role, pod } of placed)
        placement?.placed?.(name, role.name, Math.max(0, clock.now() - pod.created) / 1000);
      done.placed += placed.length;
    }
  }
  if (Object.values(done).some((count) => count > 0))
    log.info('Pods placed', { platform: name, live: platform?.live, ...done });
  // Of several the same one each time: it is what a status says.
  if (refusals.length > 0) throw refusals.toSorted((a, b) => a.message.localeCompare(b.message))[0];
}

/** Counts lost pods, and names each machine that somebody has to see to, once, in an event on the Platform. */
function tellLost(
  { events, placement }: Context,
  { name, uid }: NonNullable<PlacementInput['platform']>,
  all: readonly PlacementPod[],
): void {
  const lost = all.filter((pod) => pod.lost && !pod.off && !pod.ended);
  placement?.lost?.(name, lost.length);
  const machines = new Map(lost.map((pod) => [pod.node, machineOf(pod)]));
  for (const [node, machine] of machines)
    events.record({
      regarding: { apiVersion: API_VERSION, kind: 'Platform', name, uid },
      type: 'Warning',
      reason: 'TasksUnreachable',
      action: 'Place',
      note: `Tasks on Node ${node} may still run, so no other copies are started: it does not answer, and ${machine} is not known to be off. Stop or terminate that machine at the cloud`,
    });
}

/** The Platform still says, to a live read, what the decision rests on. */
async function stillTrue(
  { client }: Context,
  platform: NonNullable<PlacementInput['platform']>,
  signal: AbortSignal,
): Promise<boolean> {
  const now = await find(client, platforms, platform.name, { signal });
  if (now?.metadata.uid !== platform.uid || freezeOf(now) !== undefined) return false;
  const { live, quiesced } = now.status;
  return live?.name === platform.live && JSON.stringify(quiesced?.stop) === JSON.stringify(platform.stop);
}

/** Those to be placed of whose tasks no copy can be running, by a live read of all pods that were ever placed as such. */
async function withoutCopies(
  context: Context,
  batch: PlacementDecision['place'],
  over: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<PlacementDecision['place']> {
  const tasks = [...new Set(batch.map(({ pod }) => pod.task))];
  const { items } = await context.client.list(pods, { labelSelector: `${LABEL.task} in (${tasks.join(',')})`, signal });
  const running = items
    .map((pod) => located(context, viewOfPod(pod)))
    .filter(({ gated, ended, uid }) => !gated && !ended && !over.has(uid));
  return batch.filter(({ pod, role, generation }) =>
    running.every(
      (other) =>
        other.task !== pod.task ||
        other.uid === pod.uid ||
        (role.handover === 'Follow' && (other.generation === undefined || other.generation === generation)),
    ),
  );
}

const preconditions = ({ uid, version }: PodView) => ({ uid, resourceVersion: version });

const place = ({ client }: Context, pod: PodView, generation: string, signal: AbortSignal) =>
  client.patch(
    pods,
    pod.name,
    {
      metadata: { ...preconditions(pod), labels: { [LABEL.generation]: generation, [LABEL.task]: pod.task } },
      spec: {
        schedulingGates: [{ $patch: 'delete', name: PLACEMENT }],
        nodeSelector: { [LABEL.generation]: generation },
      },
    },
    { type: 'strategic', namespace: pod.namespace, signal },
  );

const end = ({ client }: Context, { pod, force }: Ending, signal: AbortSignal) =>
  deleteObject(
    client,
    pods,
    { name: pod.name, namespace: pod.namespace, uid: pod.uid, resourceVersion: pod.version },
    { signal, ...(force && { gracePeriodSeconds: 0 }) },
  );

const release = ({ client }: Context, pod: PlacementPod, signal: AbortSignal) => {
  const finalizers = pod.finalizers.filter((one) => one !== PLACEMENT);
  const body = { metadata: { ...preconditions(pod), finalizers } };
  return client.patch(pods, pod.name, body, { type: 'merge', namespace: pod.namespace, signal });
};

const annotate = ({ client }: Context, { pod, task, machine, finalizer }: Note, signal: AbortSignal) =>
  client.patch(
    pods,
    pod.name,
    {
      metadata: {
        ...preconditions(pod),
        ...(task && { labels: { [LABEL.task]: pod.task } }),
        ...(machine !== undefined && { annotations: { [ANNOTATION.machine]: machine } }),
        ...(finalizer && { finalizers: [...pod.finalizers, PLACEMENT] }),
      },
    },
    { type: 'merge', namespace: pod.namespace, signal },
  );

/** The API server has answered and not done it. Of anything else, a time-out too, nobody knows. */
const isRefusal = (error: unknown): boolean => error instanceof ApiError && error.status >= 400 && error.status < 500;

/** False when the object is not what it was: the watch will show what it is now. */
async function settled(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    if (isConflict(error) || isNotFound(error)) return false;
    throw error;
  }
}

/** The items of which `act` was true, some of them at a time. All have been tried before the first error is thrown. */
async function inParallel<T>(items: readonly T[], act: (item: T) => Promise<boolean>): Promise<T[]> {
  const done: T[] = [];
  const errors: unknown[] = [];
  const left = [...items];
  const worker = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) {
      try {
        if (await act(item)) done.push(item);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
  if (errors.length > 0) throw errors[0];
  return done;
}

function* batches<T>(items: readonly T[]): Generator<T[]> {
  for (let from = 0; from < items.length; from += BATCH) yield items.slice(from, from + BATCH);
}
