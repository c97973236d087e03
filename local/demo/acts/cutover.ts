import { live, release } from '../cast.ts';
import { cutover } from '../manifests.ts';
import { readCutover, type Stage } from '../stage.ts';

export interface Cut {
  name: string;
  /** Real ms since the epoch: applied, and succeeded. */
  from: number;
  until: number;
}

/** The steps for people. */
const meaning: Record<string, string> = {
  Preflight: 'every role is complete, and every target can be switched',
  Reserve: `${release} may not be touched from now on`,
  Switch: 'the Service and the public addresses are seen to lead to the new machines',
  Point: `${release} is what the Platform calls live`,
  Retain: `${live} is kept for a rollback`,
};

/** Act 7: traffic moves, is seen to arrive, and the live pointer follows. */
export async function cutOver(stage: Stage): Promise<Cut> {
  const { tell } = stage;
  tell.act('7. The cutover');
  tell.say('Nothing is rebuilt on release day: what is left to do is to move traffic, and to see it arrive.');
  const name = `to-${release}`;
  const from = Date.now();
  await stage.apply('alice', [cutover(name, live, release)]);
  tell.does('alice', `kubectl apply -f ${name}.yaml`);
  const told = new Set<string>();
  const { status } = await stage.until(`Cutover ${name} to succeed`, async () => {
    const seen = await readCutover(stage, name);
    for (const { name: step, state } of seen?.status.steps ?? []) {
      if (state === 'Done' && !told.has(step)) tell.say(`${step} is done: ${meaning[step] ?? step}.`);
      if (state === 'Done') told.add(step);
    }
    return seen?.status.outcome !== undefined ? seen : undefined;
  });
  const until = Date.now();
  tell.say(`Outcome: ${status.outcome}.`);
  return { name, from, until };
}
