import { classes, machinesEach, release } from '../cast.ts';
import { generation, generationClass, webWorkload } from '../manifests.ts';
import { conditionOf, follow, isReady } from '../progress.ts';
import { readGeneration, type Stage } from '../stage.ts';
import { tellThrottling } from '../throttling.ts';

export interface Release {
  /** Real ms since the epoch: the second subnet given, and all machines ready. */
  from: number;
  ready: number;
  /** Machines by subnet, as proved before the first was asked for. */
  placement: Record<string, number>;
}

/** Act 6: with a second subnet the release has a place, and comes up at the pace that the cloud really allows. */
export async function placeRelease(stage: Stage): Promise<Release> {
  const { tell } = stage;
  tell.act('6. The release is placed elsewhere');
  tell.say('The platform team gives the class a second subnet, in another zone, and Git brings the release back.');
  const from = Date.now();
  await stage.apply('gitops', [
    generationClass(classes.own, stage.environment.simulator.url, ['a', 'b']),
    generation(release),
  ]);
  await stage.apply('admin', [webWorkload(release)]);
  tell.does('gitops', `kubectl apply -f ${classes.own}.yaml -f ${release}.yaml`);
  const placed = await stage.until(`${release} to be placed`, async () => {
    const seen = await readGeneration(stage, release);
    return seen && conditionOf(seen, 'CapacityProved')?.status === 'True' ? seen : undefined;
  });
  const placement: Record<string, number> = {};
  for (const { subnet, machines } of placed.status.capacity?.placement ?? [])
    placement[subnet] = (placement[subnet] ?? 0) + machines;
  const places = Object.entries(placement).map(([subnet, machines]) => `${machines} in ${subnet}`);
  tell.say(`It fits: ${places.join(', ')}.`);
  tell.say('2023: an unexpected rate limit made new machines fail, and the new cluster was started once more.');
  await follow(stage, release, 'ready', isReady);
  await tellThrottling(stage, 'RunInstances', from);
  tell.say(`All ${machinesEach} machines are ready beside the live ones.`);
  return { from, ready: Date.now(), placement };
}
