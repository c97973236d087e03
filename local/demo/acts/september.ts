import { classes, live, machines, machinesEach, platform, roles, tasks } from '../cast.ts';
import { carryOut } from '../cut.ts';
import { generation, generationClass, platformObject, taskObjects, websiteObjects, webWorkload } from '../manifests.ts';
import { follow, isReady } from '../progress.ts';
import type { Stage } from '../stage.ts';

/** Act 1: a generation is built and made live, weeks before anything goes wrong. Resolves with when it was, real ms since the epoch. */
export async function september(stage: Stage): Promise<{ live: number }> {
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
  await carryOut(stage, `to-${live}`, ['', live]);
  tell.say(`${live} is live: the websites' Service and the public addresses lead to it.`);
  await stage.apply('admin', taskObjects());
  await stage.until('the always-on tasks to run', async () => {
    const { items = [] } = (await stage.read<{ items: unknown[] }>(runningTasks)) ?? {};
    return items.length === tasks.count ? items : undefined;
  });
  tell.say(
    `Users start ${tasks.count} always-on tasks. They wait at a gate until the operator lets them go to ${live}.`,
  );
  return { live: Date.now() };
}

const runningTasks = `/api/v1/namespaces/${tasks.namespace}/pods?fieldSelector=status.phase%3DRunning`;
