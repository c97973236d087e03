import { checkPath, live, release } from '../cast.ts';
import { type Cut, carryOut } from '../cut.ts';
import { releaseWork } from '../manifests.ts';
import type { Stage } from '../stage.ts';

/** Act 7: the release has a bug, which a check finds before users do; what was done on the way is undone. */
export async function failRelease(stage: Stage): Promise<Cut> {
  const { tell } = stage;
  tell.act('7. The cutover finds a bug');
  tell.say(
    'Nothing is rebuilt on release day: what is left is to hold traffic, migrate the database, look at the release, and move.',
  );
  tell.say(`The release has a bug that nobody knows of: GET ${checkPath} answers 500.`);
  const cut = await carryOut(stage, `to-${release}`, [live, release], {
    work: releaseWork,
    meaning: {
      Reserve: `${release} may not be touched from now on`,
      Hold: 'users see the maintenance page',
      Quiesce: 'no task is started any more',
      Migrate: 'the database is migrated',
    },
  });
  tell.say(`The migration is undone, the websites and tasks are where they were. Nobody had to find out what to undo.`);
  return cut;
}
