import { clusterGenerations, platforms } from '../../kinds.ts';
import { writeStatus } from '../../kube/status.ts';
import type { Context } from '../context.ts';
import type { PlatformDecision } from './decide.ts';
import { announce } from './guard.ts';
import type { Announcement, PlatformInput } from './input.ts';
import { turns } from './turns.ts';

/** Carries a decision out: the platform's own status, which is the record, before any generation's. */
export async function apply(context: Context, { platform }: PlatformInput, decision: PlatformDecision): Promise<void> {
  const { client } = context;
  const written = await writeStatus(client, platforms, platform, decision.status);
  announce(context, platform, written);
  for (const said of turns(platform, written)) context.events.record(said);
  for (const said of decision.say) tell(context, said);
  for (const { object, status, say } of decision.effects) {
    await writeStatus(client, clusterGenerations, object, status);
    if (say) tell(context, say);
  }
}

function tell({ events, log }: Context, { about, type, reason, action, note }: Announcement): void {
  for (const regarding of about) events.record({ regarding, type, reason, action, note });
  const objects = about.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  log.warn(note, { reason, objects });
}
