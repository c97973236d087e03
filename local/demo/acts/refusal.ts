import { live, machinesEach, release } from '../cast.ts';
import { generation } from '../manifests.ts';
import { conditionOf } from '../progress.ts';
import { readGeneration, type Stage } from '../stage.ts';

export interface Refusal {
  reason: string;
  message: string;
  /** Real ms since the epoch. */
  from: number;
}

/** Act 2: the release does not fit beside the live generation, and is told so before its first machine. */
export async function refusal(stage: Stage): Promise<Refusal> {
  const { tell } = stage;
  tell.act('2. 9 October: the release does not fit');
  tell.startClock();
  tell.say(`Release day: ${release} needs ${machinesEach} machines beside those of ${live}, in the same subnet.`);
  tell.say('2023: the subnet could not hold both, and many of the new machines failed to start.');
  const from = Date.now();
  await stage.apply('gitops', [generation(release)]);
  tell.does('gitops', `kubectl apply -f ${release}.yaml`);
  const refused = await stage.until(`${release} to be placed or refused`, async () => {
    const seen = await readGeneration(stage, release);
    const proof = seen && conditionOf(seen, 'CapacityProved');
    return proof?.status === 'False' || proof?.status === 'True' ? proof : undefined;
  });
  tell.told(`CapacityProved=${refused.status} ${refused.reason}: ${refused.message}`);
  tell.say('The sum is done before the first machine: none was asked for.');
  return { reason: refused.reason, message: refused.message, from };
}
