import { live, release } from '../cast.ts';
import { cutover } from '../manifests.ts';
import { readCutover, type Stage } from '../stage.ts';

export interface Cut {
  name: string;
  /** Real ms since the epoch: applied, and succeeded. */
  from: number;
  until: number;
}

/** Act 7: traffic moves, is seen to arrive, and the live pointer follows. */
export async function cutOver(stage: Stage): Promise<Cut> {
  const { tell } = stage;
  tell.act('7. The cutover');
  const name = `to-${release}`;
  const from = Date.now();
  await stage.apply('alice', [cutover(name, live, release)]);
  tell.does('alice', `kubectl apply -f ${name}.yaml`);
  const told = new Set<string>();
  const { status } = await stage.until(`Cutover ${name} to succeed`, async () => {
    const seen = await readCutover(stage, name);
    for (const step of seen?.status.steps ?? []) {
      const line = `${step.name}: ${step.state}`;
      if (step.state === 'Done' && !told.has(line)) tell.say(line);
      told.add(line);
    }
    return seen?.status.outcome !== undefined ? seen : undefined;
  });
  const until = Date.now();
  for (const { target, state } of status.switches ?? [])
    tell.say(`Traffic target ${target}: ${state === 'Verified' ? 'seen to lead to the new machines' : state}.`);
  tell.say(`Outcome ${status.outcome}. ${release} is live; ${live} is kept for 48 hours, for a rollback.`);
  return { name, from, until };
}
