import { classes, live, machines, machinesEach, platform, roles } from '../cast.ts';
import { cutover, generation, generationClass, platformObject, websiteObjects, webWorkload } from '../manifests.ts';
import { follow, isReady } from '../progress.ts';
import { readCutover, type Stage } from '../stage.ts';

/** Act 1: a generation is built and made live, weeks before anything goes wrong. */
export async function september(stage: Stage): Promise<void> {
  const { tell } = stage;
  tell.act('1. September: a platform and its live generation');
  tell.startClock();
  const sizes = roles.map((role) => `${machines[role]} ${role}`).join(', ');
  tell.say(`Platform ${platform} runs on ${machinesEach} machines in ${roles.length} roles: ${sizes}.`);
  await stage.apply('admin', [...websiteObjects(), webWorkload(live)]);
  await stage.apply('gitops', [
    generationClass(classes.own, stage.environment.simulator.url, ['a']),
    platformObject(),
    generation(live),
  ]);
  tell.does('gitops', `kubectl apply -f ${live}.yaml`);
  await follow(stage, live, 'ready', isReady);
  tell.say(`All ${machinesEach} are ready. A first Cutover, from nothing, makes them live.`);
  const name = `to-${live}`;
  await stage.apply('alice', [cutover(name, '', live)]);
  tell.does('alice', `kubectl apply -f ${name}.yaml`);
  await stage.until(`Cutover ${name} to succeed`, async () => {
    const { outcome } = (await readCutover(stage, name))?.status ?? {};
    return outcome === 'Succeeded' ? outcome : undefined;
  });
  tell.say(`${live} is live: the websites' Service and the public addresses lead to it.`);
}
