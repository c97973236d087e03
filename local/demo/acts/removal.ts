import { type Attempt, tryKubectl } from '../attempts.ts';
import { halfStarted, live, release } from '../cast.ts';
import { readGeneration, type Stage } from '../stage.ts';

export interface Removal {
  /** Real ms since the epoch, from the command to the object's end. */
  from: number;
  until: number;
  /** The last attempt on the live generation, which comes with it. */
  attempt: Attempt;
}

/** Act 5: the half-started machines go with one plain command, and the roughest command there is spares the live ones. */
export async function removal(stage: Stage): Promise<Removal> {
  const { tell } = stage;
  tell.act('5. The half-started machines are removed');
  const from = Date.now();
  await mustDelete(stage, halfStarted);
  const gone = (name: string) => async () => ((await readGeneration(stage, name)) === undefined ? true : undefined);
  await stage.until(`${halfStarted} to be gone`, gone(halfStarted));
  const until = Date.now();
  tell.say('Gone: each machine had its protection lifted and was terminated, as fast as the cloud allows.');
  tell.say('Later, in the wrong terminal, the admin deletes every generation there is:');
  const attempt = await tryKubectl(stage, 'admin', ['delete', 'cg', '--all', '--wait=false']);
  await stage.until(`${release} to be gone`, gone(release));
  tell.say(`The live one is refused. ${release}, which has no machine yet, is gone; Git still has it.`);
  tell.say(`${live} has not noticed anything.`);
  return { from, until, attempt };
}

async function mustDelete(stage: Stage, name: string): Promise<void> {
  stage.tell.does('alice', `kubectl delete cg ${name}`);
  const { status, stdout, stderr } = await stage.kubectl('alice', ['delete', 'cg', name, '--wait=false']);
  if (status !== 0) throw new Error(`kubectl delete cg ${name} was refused: ${stderr.trim()}`);
  stage.tell.told(stdout.trim());
}
