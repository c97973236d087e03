import { CUTOVER_FINALIZER, type Cutover, type StepName } from '../../api/v1alpha1/index.ts';
import { conditionOf } from '../../domain/conditions.ts';
import { clusterGenerations, cutovers, platforms } from '../../kinds.ts';
import { ApiError } from '../../kube/errors.ts';
import { writeStatus } from '../../kube/status.ts';
import { isThrottled, ProviderError } from '../../providers/provider.ts';
import { ForeignChange } from '../../traffic/target.ts';
import type { Context } from '../context.ts';
import { assertLeads } from '../lead.ts';
import { NotDone, stable } from '../refusal.ts';
import { writeUpon } from '../trouble.ts';
import { withdrawn } from './approvals.ts';
import { pointPreview } from './checks.ts';
import { blocked, type CutoverDecision } from './decide.ts';
import type { CutoverInput, Effect } from './input.ts';
import { releaseJob, startJob } from './jobs.ts';
import { providerFor } from './machines.ts';
import { switchAll } from './targets.ts';

/**
 * Carries a decision out: the journal first, then each effect in its order. Any error stops there; the next look goes
 * on. Returns real ms until that.
 */
export async function apply(
  context: Context,
  input: CutoverInput,
  decision: CutoverDecision,
): Promise<number | undefined> {
  const { client, events, log } = context;
  const { step } = decision;
  const cutover = await writeStatus(client, cutovers, input.cutover, decision.status);
  announce(context, input, cutover);
  for (const effect of decision.effects) {
    try {
      await carryOut(context, { ...input, cutover }, effect);
    } catch (error) {
      if (isThrottled(error)) return Math.max(error.retryAfter ?? 0, decision.requeueAfter ?? 0);
      // Told by the controller, with backoff: upon the cutover as it is by then, which the journal and the effects before have changed.
      if (error instanceof ApiError) throw new NotDone(effect.what, error);
      if (!(error instanceof ForeignChange || error instanceof ProviderError)) throw error;
      const message = stable(error.message);
      const reason = error instanceof ProviderError ? error.reason : error.name;
      const stopped = (now: Cutover) => blocked({ ...input, cutover: now }, { reason, message });
      await writeUpon(context, cutovers, cutover, (now) => stopped(now).status);
      events.record({ regarding: cutover, type: 'Warning', action: actionOf(effect), reason, note: message });
      // What somebody else did, or whether a call without an answer had its effect, shows at once; a refusal needs a person.
      return error instanceof ProviderError && error.refused ? stopped(cutover).requeueAfter : decision.requeueAfter;
    }
    const { name } = cutover.metadata;
    log.info('Cutover effect', {
      cutover: name,
      step,
      effect: effect.do,
      object: objectOf(effect, name),
      what: effect.what,
    });
    events.record({ regarding: cutover, type: 'Normal', reason: 'Done', action: actionOf(effect), note: effect.what });
  }
  return decision.requeueAfter;
}

async function carryOut(context: Context, { cutover, platform }: CutoverInput, effect: Effect): Promise<void> {
  const { client } = context;
  assertLeads(context);
  switch (effect.do) {
    case 'writeGeneration':
      await writeStatus(client, clusterGenerations, effect.object, effect.status);
      return;
    case 'writePlatform':
      await writeStatus(client, platforms, effect.object, effect.status);
      return;
    case 'tag':
      await (await providerFor(context, effect.generation, platform)).tag(effect.machines, effect.tags);
      return;
    case 'finalizer':
      await writeFinalizer(context, cutover, effect.wanted);
      return;
    case 'switch':
      return switchAll(context, platform, effect);
    case 'preview':
      return pointPreview(context, platform, effect);
    case 'startJob':
      return startJob(context, { cutover, platform }, effect);
    case 'releaseJob':
      return releaseJob(context, effect);
  }
}

async function writeFinalizer({ client }: Context, cutover: Cutover, wanted: boolean): Promise<void> {
  const { metadata } = cutover;
  const others = (metadata.finalizers ?? []).filter((name) => name !== CUTOVER_FINALIZER);
  const finalizers = wanted ? [...others, CUTOVER_FINALIZER] : others;
  await client.update(cutovers, { ...cutover, metadata: { ...metadata, finalizers } });
}

const actionOf = (effect: Effect): string => effect.do.charAt(0).toUpperCase() + effect.do.slice(1);

/** What an effect of a cutover is about, as kubectl names it. */
function objectOf(effect: Effect, cutover: string): string {
  switch (effect.do) {
    case 'writeGeneration':
    case 'writePlatform':
      return `${effect.object.kind} ${effect.object.metadata.name}`;
    case 'tag':
      return `machines of ${effect.generation.metadata.name}`;
    case 'switch':
      return `traffic ${effect.moves.map(({ target }) => target).join(', ')}`;
    case 'preview':
      return `preview of ${effect.targets.join(', ')}`;
    case 'startJob':
    case 'releaseJob':
      return `Job ${effect.name}`;
    case 'finalizer':
      return `Cutover ${cutover}`;
  }
}

/** Steps that change nothing that would have to be taken back: that they are undone is no news. */
const NOTHING_TO_UNDO: StepName[] = ['Preflight', 'Approve', 'Verify', 'Soak', 'Retain'];

/** Tells the readers of the cutover and of both generations what has changed: each step that ended, a turn, what blocks it, the end. */
function announce({ events, log }: Context, { cutover: before, from, to }: CutoverInput, cutover: Cutover): void {
  const { name } = cutover.metadata;
  const { status } = cutover;
  const say = (reason: string, note: string, type: 'Normal' | 'Warning' = 'Normal', step?: StepName) => {
    log.info('Cutover', { cutover: name, ...(step && { step }), reason, note });
    for (const regarding of [cutover, from, to])
      if (regarding) events.record({ regarding, type, reason, action: 'Cutover', note });
  };
  for (const note of withdrawn(before, status.approvals))
    say('ApprovalWithdrawn', `Cutover ${name}: ${note}`, 'Warning');
  for (const entry of status.steps ?? []) {
    const old = before.status.steps?.find((other) => other.name === entry.name);
    if (old?.state === entry.state || !['Done', 'Undone', 'Failed'].includes(entry.state)) continue;
    if (entry.state === 'Undone' && NOTHING_TO_UNDO.includes(entry.name)) continue;
    const [why, type] = entry.state === 'Failed' ? [`: ${entry.message}`, 'Warning' as const] : [''];
    say(`Step${entry.state}`, `Cutover ${name}: ${entry.name} ${entry.state}${why}`, type, entry.name);
  }
  if (status.undo && !before.status.undo)
    say('GoingBack', `Cutover ${name} goes back: ${status.undo.message}`, 'Warning');
  const bar = conditionOf(cutover, 'Blocked');
  const old = conditionOf(before, 'Blocked');
  if (bar?.status === 'True' && (old?.status !== 'True' || old.reason !== bar.reason))
    say('Blocked', `Cutover ${name} is Blocked (${bar.reason}): ${bar.message}`, 'Warning');
  if (!status.outcome || before.status.outcome) return;
  const way = `from ${cutover.spec.from || 'nothing'} to ${cutover.spec.to ?? 'nothing'}`;
  const why = status.undo ? `: ${conditionOf(cutover, 'Ready')?.message}` : '';
  say(status.outcome, `Cutover ${name} ${way}: ${status.outcome}${why}`, why ? 'Warning' : 'Normal');
}
