import { clusterGenerations, cutovers, platforms } from '../../kinds.ts';
import { writeStatus } from '../../kube/status.ts';
import { isThrottled, ProviderError } from '../../providers/provider.ts';
import { ForeignChange } from '../../traffic/target.ts';
import type { Context } from '../context.ts';
import { blocked, type CutoverDecision } from './decide.ts';
import type { CutoverInput, Effect } from './input.ts';
import { providerFor } from './machines.ts';
import { targetKind } from './targets.ts';

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
  const { cutover } = input;
  const journalled = await writeStatus(client, cutovers, cutover, decision.status);
  for (const effect of decision.effects) {
    try {
      await carryOut(context, input, effect);
    } catch (error) {
      if (isThrottled(error)) return Math.max(error.retryAfter ?? 0, decision.requeueAfter ?? 0);
      if (!(error instanceof ForeignChange || error instanceof ProviderError)) throw error;
      const { message } = error;
      const reason = error instanceof ProviderError ? error.reason : error.name;
      const stopped = blocked({ ...input, cutover: journalled }, { reason, message });
      await writeStatus(client, cutovers, journalled, stopped.status);
      events.record({ regarding: cutover, type: 'Warning', action: actionOf(effect), reason, note: message });
      // Whether a call without an answer had its effect shows at once; a refusal needs a person.
      return error instanceof ProviderError && !error.refused ? decision.requeueAfter : stopped.requeueAfter;
    }
    log.info('Cutover effect', { cutover: cutover.metadata.name, effect: effect.do, what: effect.what });
    events.record({ regarding: cutover, type: 'Normal', reason: 'Done', action: actionOf(effect), note: effect.what });
  }
  announce(context, input, decision);
  return decision.requeueAfter;
}

async function carryOut(context: Context, { platform }: CutoverInput, effect: Effect): Promise<void> {
  const { client } = context;
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
    case 'switch': {
      const spec = platform?.spec.traffic.find(({ name }) => name === effect.target);
      if (!platform || !spec) throw new ForeignChange(`traffic target ${effect.target} was taken out of the Platform`);
      await targetKind(context, platform, spec).point(spec, effect.from, effect.to);
    }
  }
}

const actionOf = (effect: Effect): string => effect.do.charAt(0).toUpperCase() + effect.do.slice(1);

/** Tells both generations' readers how it ended. */
function announce({ events, log }: Context, { cutover, from, to }: CutoverInput, { status }: CutoverDecision): void {
  if (!status.outcome || cutover.status.outcome) return;
  const note = `Cutover ${cutover.metadata.name} from ${cutover.spec.from || 'nothing'} to ${cutover.spec.to}: ${status.outcome}`;
  log.info('Cutover finished', { cutover: cutover.metadata.name, outcome: status.outcome });
  for (const regarding of [cutover, from, to])
    if (regarding) events.record({ regarding, type: 'Normal', reason: status.outcome, action: 'Cutover', note });
}
