import { type Attempt, attempter } from '../attempts.ts';
import { halfStarted, live, release } from '../cast.ts';
import { commandLine } from '../command-line.ts';
import { watchGo } from '../departure.ts';
import { readGeneration, type Stage } from '../stage.ts';
import { tellThrottling } from '../throttling.ts';

export interface Removal {
  /** Real ms since the epoch, from the command to the object's end. */
  from: number;
  until: number;
  /** One more attempt on the live generation, which comes with it. */
  attempts: Attempt[];
}

/** Act 5: the half-started machines go with one plain command, and the roughest command there is spares the live ones. */
export async function removal(stage: Stage): Promise<Removal> {
  const { tell } = stage;
  tell.act('5. The half-started machines are removed');
  tell.say('What never was live is easy to delete: a guard in the way of that would soon be switched off.');
  const from = Date.now();
  const args = ['delete', 'cg', halfStarted];
  tell.does('alice', commandLine(args));
  // As typed it ends when the object is gone, and so are its machines.
  const [{ status, stdout, stderr }] = await Promise.all([stage.kubectl('alice', args), watchGo(stage, halfStarted)]);
  const until = Date.now();
  if (status !== 0) throw new Error(`${commandLine(args)} failed: ${stderr.trim()}`);
  tell.told(stdout.trim());
  await tellThrottling(stage, 'ModifyInstanceAttribute', from);
  tell.say('Gone: of each machine the protection was lifted, then it was terminated.');

  tell.say('Minutes later an admin, in the wrong terminal, deletes every generation there is:');
  const { attempts, kubectl } = attempter(stage);
  await kubectl('admin', ['delete', 'cg', '--all', '--wait=false']);
  await stage.until(`${release} to be gone`, async () =>
    (await readGeneration(stage, release)) === undefined ? true : undefined,
  );
  tell.say(`${live} is refused. ${release}, which has no machine yet, is gone; Git still has it.`);
  return { from, until, attempts };
}
