import { live, release } from '../cast.ts';
import { type Cut, carryOut } from '../cut.ts';
import type { Stage } from '../stage.ts';

export interface RolledBack {
  back: Cut;
  forth: Cut;
}

/** Act 9: one command back, and forward again. The old machines are still there. */
export async function rollBack(stage: Stage): Promise<RolledBack> {
  const { tell } = stage;
  tell.act('9. One command back');
  tell.say(`An hour later something else is wrong with ${release}. Its machines and those of ${live} all still run.`);
  const mode = { mode: 'Rollback' };
  const back = await carryOut(stage, `back-to-${live}`, [release, live], { work: mode });
  tell.say(`${live} is live again, by the same steps. It turns out to have been the network: forward again.`);
  const forth = await carryOut(stage, `forth-to-${release}`, [live, release], { work: mode });
  tell.say(`${release} is live.`);
  return { back, forth };
}
