import { live, release, tasks } from '../cast.ts';
import { type Cut, carryOut } from '../cut.ts';
import { releaseWork } from '../manifests.ts';
import type { Site } from '../site.ts';
import { readCutover, type Stage } from '../stage.ts';

/** Act 8: the bug is mended; traffic moves, is seen to arrive, the live pointer follows, and then the tasks. */
export async function cutOver(stage: Stage, site: Site): Promise<Cut> {
  const { tell } = stage;
  tell.act('8. The cutover');
  tell.say('The bug is mended on the new machines. A cutover is decided once: alice applies another one.');
  site.broken = false;
  const name = `to-${release}-again`;
  const cut = await carryOut(stage, name, [live, release], {
    work: releaseWork,
    meaning: {
      Hold: 'users see the maintenance page',
      Migrate: 'the database is migrated',
      Verify: 'the release answers, privately',
      Switch: 'the public addresses are seen to lead to the new machines',
      Point: `${release} is what the Platform calls live`,
      Release: 'the websites are seen to be served from the new machines',
      Restore: `all ${tasks.count} always-on tasks run there, and none ran twice`,
      Retain: `${live} is kept for a rollback`,
    },
  });
  const downtime = (await readCutover(stage, name))?.status.downtime ?? [];
  for (const { role, traffic, singletons } of downtime)
    tell.say(`Measured, in real time: ${role} ${traffic ? `held for ${traffic}` : `moved in ${singletons}`}.`);
  return cut;
}
