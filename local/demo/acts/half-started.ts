import { classes, halfStarted } from '../cast.ts';
import { generation, generationClass } from '../manifests.ts';
import { follow } from '../progress.ts';
import { readPools, type Stage } from '../stage.ts';

/** Act 3: another try, in another zone, which runs out of machines halfway. */
export async function halfStart(stage: Stage): Promise<{ machines: number }> {
  const { tell } = stage;
  tell.act('3. A second try is left half-started');
  tell.say('In a hurry, the same release is tried in another zone. It has addresses enough, so it begins.');
  await stage.apply('gitops', [
    generationClass(classes.other, stage.environment.simulator.url, ['c']),
    generation(halfStarted, classes.other),
  ]);
  tell.does('gitops', `kubectl apply -f ${halfStarted}.yaml`);
  const refusedPools = () =>
    readPools(stage, halfStarted).then((pools) =>
      pools.flatMap(({ status }) => (status.failures ?? []).filter(({ reason }) => reason === 'CapacityUnavailable')),
    );
  const failure = await stage.until('the zone to run out of machines', async () => (await refusedPools())[0]);
  tell.told(failure.message);
  const { status } = await follow(stage, halfStarted, 'half-started', ({ status: { machines } }) => {
    const { launched = 0, registered = 0 } = machines ?? {};
    return launched > 0 && registered === launched;
  });
  const { launched: machines = 0, desired = 0 } = status.machines ?? {};
  tell.say(`${machines} of ${desired} machines run, the others do not come: half-started, and of no use to anybody.`);
  return { machines };
}
