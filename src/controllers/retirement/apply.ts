import { clusterGenerations, platforms } from '../../kinds.ts';
import { ApiError, isConflict } from '../../kube/errors.ts';
import { writeStatus } from '../../kube/status.ts';
import type { Context } from '../context.ts';
import type { Effect, RetirementDecision } from './input.ts';

/** Carries a decision out, one write after the other; none after one that fails. What the API server refuses is told to people, and thrown. */
export async function apply(context: Context, { effects }: RetirementDecision): Promise<void> {
  const { events, log } = context;
  for (const effect of effects) {
    const { what, reason, object: regarding } = effect;
    try {
      await write(context, effect);
    } catch (error) {
      if (error instanceof ApiError && !isConflict(error)) {
        const note = `Not done: ${what}. ${error.message}`;
        events.record({ regarding, type: 'Warning', reason: 'Refused', action: 'Retire', note });
      }
      throw error;
    }
    log.info('Left over from a cutover', { object: regarding.metadata.name, reason, what });
    events.record({ regarding, type: 'Normal', reason, action: 'Retire', note: what });
  }
}

async function write({ client }: Context, effect: Effect): Promise<void> {
  if (effect.do === 'writeGeneration') await writeStatus(client, clusterGenerations, effect.object, effect.status);
  else await writeStatus(client, platforms, effect.object, effect.status);
}
