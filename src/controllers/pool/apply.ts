import type { FailureReason, GenerationPool, GenerationPoolStatus, Launch } from '../../api/v1alpha1/index.ts';
import { ANNOTATION, FINALIZER, RELEASED_TAG } from '../../api/v1alpha1/index.ts';
import { ACCOUNTED, conditionOf, timestamp } from '../../domain/conditions.ts';
import { tagsOfMachine } from '../../domain/identity.ts';
import { realLimit } from '../../domain/moment.ts';
import { withoutRefusal, withRefusal } from '../../domain/refusals.ts';
import { generationPools } from '../../kinds.ts';
import { isNotFound } from '../../kube/errors.ts';
import { nodes } from '../../kube/resources.ts';
import { writeStatus } from '../../kube/status.ts';
import { isHeldBack, type Machine, type Provider, ProviderError } from '../../providers/provider.ts';
import type { Context } from '../context.ts';
import { instanceOf } from './accounting.ts';
import type { LabelNode } from './census.ts';
import type { PoolDecision } from './decide.ts';
import { newlyEnded } from './ended.ts';
import { type Gathered, priorityOf } from './gather.ts';
import { IN_FLIGHT, isObserved, waitFor, withFailure } from './launching.ts';
import { refusedNow, untilRetry } from './refusal.ts';
import { describeTwin, type Mark } from './twins.ts';

/** Nodes labelled at once: the API server is the limit, not this process. */
const LABELLING = 8;

/** Carries a decision out: the journal first, then launches, Nodes' labels, removals. Returns real ms until the next look. */
export async function apply(context: Context, input: Gathered, decision: PoolDecision): Promise<number> {
  const { client } = context;
  let journalled = await writeStatus(client, generationPools, input.pool, decision.status);
  announce(context, input, journalled);
  tellRefusal(context, input.pool, journalled);
  let again = decision.requeueAfter;
  if (input.provider && decision.launch.length > 0) {
    const { status, wait } = await launch(context, input, input.provider, journalled, decision.launch);
    journalled = await writeStatus(client, generationPools, journalled, status);
    again = Math.min(again, Math.max(wait, context.clock.scaled(1_000)));
  }
  await labelAll(context, decision.label);
  for (const mark of decision.mark) await markNode(context, mark);
  if (input.provider) again = Math.min(again, await revive(context, input, input.provider, journalled, decision));
  if (decision.stop) again = Math.min(again, await takeDown(context, journalled, 'Stop', decision.stop));
  if (decision.terminate) again = Math.min(again, await takeDown(context, journalled, 'Terminate', decision.terminate));
  if (input.provider && decision.letGo.length > 0)
    again = Math.min(again, await letGo(context, journalled, input.provider, decision.letGo));
  if (decision.release) await release(context, journalled);
  return again;
}

/** Tells people, once, of second Nodes, of machines that have ended early and of those that are not accounted for. */
function announce({ events, log }: Context, input: Gathered, after: GenerationPool): void {
  const before = input.pool;
  for (const name of after.status.staleNodes ?? []) {
    if (before.status.staleNodes?.includes(name)) continue;
    const note = describeTwin(name, input);
    log.warn('A machine has two Nodes', { pool: after.metadata.name, node: name });
    events.record({ regarding: after, type: 'Warning', reason: 'StaleNode', action: 'Observe', note });
  }
  const ended = newlyEnded(before, after);
  if (ended !== undefined) {
    log.warn('Machines ended early', { pool: after.metadata.name, message: ended });
    events.record({ regarding: after, type: 'Warning', reason: 'EndedEarly', action: 'Observe', note: ended });
  }
  const [was, is] = [conditionOf(before, ACCOUNTED), conditionOf(after, ACCOUNTED)];
  if (is?.status !== 'False' || (was?.status === 'False' && was.reason === is.reason)) return;
  const { reason, message: note } = is;
  log.warn('Machines are not accounted for', { pool: after.metadata.name, reason, message: note });
  events.record({ regarding: after, type: 'Warning', reason, action: 'Observe', note });
}

/** Asks for each launch; what comes of each is in the status returned. `wait`: real ms until our own budget has room. */
async function launch(
  context: Context,
  input: Gathered,
  provider: Provider,
  pool: GenerationPool,
  launches: readonly Launch[],
): Promise<{ status: GenerationPoolStatus; wait: number }> {
  const { clock, cluster, log, events } = context;
  const priority = priorityOf(input.generation);
  let status = pool.status;
  let wait = 0;
  for (const entry of launches) {
    const { token, subnet, machines } = entry;
    const request = { token, subnet, machines, template: pool.spec.template, tags: tagsOfMachine(pool, cluster) };
    try {
      const launched = await provider.launch(request, priority);
      status = afterLaunch(status, entry, launched);
      log.info('Launched machines', { pool: pool.metadata.name, subnet, asked: machines, launched: launched.length });
      const note = `Launched ${launched.length} of ${machines} machines in ${subnet}`;
      events.record({ regarding: pool, type: 'Normal', reason: 'Launched', action: 'Launch', note });
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      const again = input.pool.status.launches?.some((before) => before.token === token) === true;
      if (isHeldBack(error)) {
        // Our own budget: nothing was asked now. So the journal only keeps what may have been asked for before, and
        // the time of an entry is when that was.
        if (!again) status = { ...status, launches: without(status.launches, entry) };
        wait = Math.max(wait, error.retryAfter ?? 0);
        continue;
      }
      status = afterRefusal(status, entry, error, { again, now: clock.now(), scaled: clock.scaled });
      log.warn('Launch refused', {
        pool: pool.metadata.name,
        subnet,
        asked: machines,
        reason: error.reason,
        error: error.message,
      });
      events.record({ regarding: pool, type: 'Warning', reason: error.reason, action: 'Launch', note: error.message });
    }
  }
  return { status, wait };
}

function afterLaunch(status: GenerationPoolStatus, entry: Launch, machines: readonly Machine[]): GenerationPoolStatus {
  const known = new Set((status.instances ?? []).map(({ id }) => id));
  return {
    ...status,
    launches: without(status.launches, entry),
    instances: [...(status.instances ?? []), ...machines.filter(({ id }) => !known.has(id)).map(instanceOf)],
    failures: (status.failures ?? []).filter(isObserved),
    ...(status.refusals && { refusals: withoutRefusal(status.refusals, entry.subnet) }),
  };
}

/**
 * Refusals that a cloud pronounces before it looks whether it knows the token: they say nothing of what the same
 * launch may have made when it was asked for before.
 */
const BLIND: FailureReason[] = ['Throttled', 'Unauthorized'];

/** A launch without a clear answer is not given up before the cloud must have shown its machines. Declared ms. */
const DOUBT = 5 * 60_000;

/**
 * A refused launch leaves the journal: asking anew may be for fewer. One that may have been heard stays, with its
 * token: its answer is unknown now, or was when it was asked for before.
 */
function afterRefusal(
  status: GenerationPoolStatus,
  entry: Launch,
  error: ProviderError,
  about: { again: boolean; now: number; scaled: (ms: number) => number },
): GenerationPoolStatus {
  const { again, now, scaled } = about;
  const doubtful =
    again && BLIND.includes(error.reason) && now - Date.parse(entry.time) < realLimit(about, DOUBT, IN_FLIGHT);
  const launches =
    error.refused && !doubtful ? without(status.launches, entry) : askedAt(status.launches, entry, error, now);
  const { reason, message } = error;
  return {
    ...status,
    launches,
    refusals: withRefusal(status.refusals, { subnet: entry.subnet, reason, message }, { now, scaled }),
    failures: withFailure(status.failures, error, now, scaled),
  };
}

/** The journal with the time at which a launch was last asked for without an answer. */
const askedAt = (
  launches: Launch[] | undefined,
  { token }: Launch,
  { refused }: ProviderError,
  now: number,
): Launch[] =>
  (launches ?? []).map((entry) => (entry.token === token && !refused ? { ...entry, time: timestamp(now) } : entry));

const without = (launches: Launch[] | undefined, { token }: Launch): Launch[] =>
  (launches ?? []).filter((entry) => entry.token !== token);

async function labelAll(context: Context, labels: readonly LabelNode[]): Promise<void> {
  for (let at = 0; at < labels.length; at += LABELLING)
    await Promise.all(labels.slice(at, at + LABELLING).map((label) => labelNode(context, label)));
}

async function labelNode({ client }: Context, { name, labels, taints }: LabelNode): Promise<void> {
  try {
    // Taints are a list that others write to as well: replaced only in the state in which they were read.
    const node = taints.length > 0 ? await client.get(nodes, name) : undefined;
    const body = {
      metadata: {
        labels,
        annotations: { [ANNOTATION.stale]: null },
        ...(node && { resourceVersion: node.metadata.resourceVersion }),
      },
      ...(node && { spec: { taints: [...(node.spec?.taints ?? []), ...taints] } }),
    };
    await client.patch(nodes, name, body, { type: 'merge' });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

async function markNode({ client }: Context, { node, stale }: Mark): Promise<void> {
  try {
    await client.patch(nodes, node, { metadata: { annotations: { [ANNOTATION.stale]: stale } } }, { type: 'merge' });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** How an event calls what the interlock was asked for. */
const DONE = { Terminate: 'Terminated', Stop: 'Stopped' } as const;

/** Has machines ended, or those of a standby stopped. Returns real ms until the next look. */
async function takeDown(
  context: Context,
  pool: GenerationPool,
  action: keyof typeof DONE,
  { ids, because }: NonNullable<PoolDecision['terminate' | 'stop']>,
): Promise<number> {
  const { client, interlock, events, clock } = context;
  const asked = action === 'Terminate' ? interlock.terminate : interlock.stop;
  const now = clock.now();
  const result = await asked(pool, ids, because).catch((error: unknown) => {
    if (error instanceof ProviderError) return error;
    throw error;
  });
  if (result instanceof ProviderError) return afterTrouble(context, pool, result, action);
  const count = ('terminated' in result ? result.terminated : result.stopped).length;
  if (count > 0) {
    const note = `${DONE[action]} ${count} of ${ids.length} machines: ${because}`;
    events.record({ regarding: pool, type: 'Normal', reason: DONE[action], action, note });
  }
  const refusal =
    result.refused === undefined
      ? undefined
      : refusedNow(pool.status.refusal, result.refused, { now, scaled: clock.scaled, progressed: count > 0 });
  const over = action === 'Terminate' && pool.metadata.deletionTimestamp !== undefined && count > 0;
  const status = { ...pool.status, refusal, ...(over && { failures: [] }) };
  tellRefusal(context, pool, await writeStatus(client, generationPools, pool, status));
  return result.retryAfter ?? (refusal ? untilRetry(refusal, now) : clock.scaled(5_000));
}

/** Says that a pool begins to wait for the interlock, why, and that it goes on: once per change, however often it is asked. */
function tellRefusal({ events, log }: Context, before: GenerationPool, after: GenerationPool): void {
  const [was, is] = [before.status.refusal?.reason, after.status.refusal?.reason];
  if (was === is) return;
  const about = { pool: after.metadata.name, generation: after.spec.generation };
  if (is === undefined) {
    log.info('Nothing is refused any more: the removal goes on', about);
    return;
  }
  log.warn('A removal waits: it is refused', { ...about, why: is });
  events.record({ regarding: after, type: 'Warning', reason: 'Refused', action: 'Remove', note: is });
}

/** Starts what is stopped and should run, then protects what runs again. Returns real ms until the next look. */
async function revive(
  context: Context,
  input: Gathered,
  provider: Provider,
  pool: GenerationPool,
  { start, protect }: Pick<PoolDecision, 'start' | 'protect'>,
): Promise<number> {
  const { clock, log } = context;
  const begun = await startAll(context, input, provider, pool, start);
  if (begun.error) return afterTrouble(context, begun.pool, begun.error, 'Start');
  try {
    for (const id of protect) await provider.protect(id);
    if (protect.length > 0) log.info('Protected machines again', { pool: pool.metadata.name, machines: protect });
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    return afterTrouble(context, begun.pool, error, 'Protect');
  }
  return start.length + protect.length > 0 ? clock.scaled(1_000) : Number.POSITIVE_INFINITY;
}

/** Makes the calls one by one: one that is refused keeps no other from being made, unless the account's budget is spent. */
async function startAll(
  { client, events, log }: Context,
  { generation }: Gathered,
  provider: Provider,
  pool: GenerationPool,
  calls: PoolDecision['start'],
): Promise<{ pool: GenerationPool; error: ProviderError | undefined }> {
  const started: string[] = [];
  let error: ProviderError | undefined;
  for (const ids of calls) {
    try {
      await provider.start(ids, priorityOf(generation));
      started.push(...ids);
    } catch (thrown) {
      if (!(thrown instanceof ProviderError)) throw thrown;
      error = thrown;
      if (thrown.reason === 'Throttled') break;
    }
  }
  if (started.length === 0) return { pool, error };
  const note = `Started ${started.length} machines that were stopped: ${started.slice(0, 10).join(', ')}`;
  log.info('Started machines', { pool: pool.metadata.name, machines: started });
  events.record({ regarding: pool, type: 'Normal', reason: 'Started', action: 'Start', note });
  const failures = (pool.status.failures ?? []).filter(isObserved);
  return { pool: await writeStatus(client, generationPools, pool, { ...pool.status, failures }), error };
}

/** Machines tagged in one request: EC2's most. */
const TAGGED_AT_ONCE = 1_000;

/** Tags machines as let go: their protection and their other tags stay, and the operator touches them no more. */
async function letGo(
  context: Context,
  pool: GenerationPool,
  provider: Provider,
  ids: readonly string[],
): Promise<number> {
  const { clock, events, log } = context;
  try {
    for (let from = 0; from < ids.length; from += TAGGED_AT_ONCE)
      await provider.tag(ids.slice(from, from + TAGGED_AT_ONCE), { [RELEASED_TAG]: timestamp(clock.now()) });
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    return afterTrouble(context, pool, error, 'Release');
  }
  const note = `Let go of ${ids.length} machines, which live on without the operator: ${ids.join(', ')}`;
  log.warn(note, { pool: pool.metadata.name });
  events.record({ regarding: pool, type: 'Warning', reason: 'Released', action: 'Release', note });
  return clock.scaled(1_000);
}

/** What the cloud does not let happen to machines stands in the pool's failures, until it is asked again. */
async function afterTrouble(
  { client, clock, events }: Context,
  pool: GenerationPool,
  error: ProviderError,
  action: string,
): Promise<number> {
  if (error.reason === 'Throttled') return error.retryAfter ?? clock.scaled(1_000);
  const failures = withFailure(pool.status.failures, error, clock.now(), clock.scaled);
  await writeStatus(client, generationPools, pool, { ...pool.status, failures });
  events.record({ regarding: pool, type: 'Warning', reason: error.reason, action, note: error.message });
  return waitFor(failures, clock.now());
}

/** Lets a pool go whose machines are all gone. */
async function release({ client }: Context, pool: GenerationPool): Promise<void> {
  const finalizers = (pool.metadata.finalizers ?? []).filter((name) => name !== FINALIZER);
  if (finalizers.length === pool.metadata.finalizers?.length) return;
  await client.update(generationPools, { ...pool, metadata: { ...pool.metadata, finalizers } });
}
