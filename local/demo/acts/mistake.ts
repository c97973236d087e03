import { LABEL } from '../../../src/api/v1alpha1/index.ts';
import { type Attempt, tryCloud, tryKubectl } from '../attempts.ts';
import { halfStarted, live, opsLaptop, roles } from '../cast.ts';
import { type Snapshot, snapshotOf } from '../snapshot.ts';
import type { Stage } from '../stage.ts';

export interface Mistake {
  attempts: Attempt[];
  before: Snapshot;
  after: Snapshot;
}

/** Act 4: whoever means the half-started machines goes for the live ones, every way there is. */
export async function mistake(stage: Stage): Promise<Mistake> {
  const { tell, cloud } = stage;
  tell.act('4. 15:22: they mean the half-started machines, and go for the live ones');
  tell.say(
    `The machines to remove are ${halfStarted}'s. In 2023 the live ones were terminated, and all were gone by 15:43.`,
  );
  const before = await snapshotOf(stage, live);
  const [node = ''] = before.nodes.map(({ name }) => name);
  const machines = before.machines.map(({ id }) => id);
  const attempts: Attempt[] = [];
  const kubectl = async (...args: Parameters<typeof tryKubectl> extends [Stage, ...infer Rest] ? Rest : never) => {
    attempts.push(await tryKubectl(stage, ...args));
  };
  const ofGeneration = `${LABEL.generation}=${live}`;
  const group = '/apis/generations.dev/v1alpha1';

  tell.say('With kubectl, as an operator of the platform:');
  await kubectl('alice', ['delete', 'cg', live]);
  const toNothing = [{ op: 'replace', path: `/spec/pools/${roles.indexOf('always-on')}/machines`, value: 0 }];
  await kubectl('alice', ['patch', 'cg', live, '--type=json', `--patch=${JSON.stringify(toNothing)}`]);
  await kubectl('alice', ['delete', 'gpool', `${live}.web`]);

  tell.say('As cluster admin, whom RBAC does not stop:');
  await kubectl('admin', ['delete', 'cg', live, '--force', '--grace-period=0']);
  await kubectl('admin', ['delete', '--raw', `${group}/clustergenerations?fieldSelector=metadata.name%3D${live}`]);
  await kubectl('admin', ['delete', 'gpool', `${live}.web`]);
  await kubectl('admin', ['delete', 'gpool', '-l', ofGeneration], roles.length);
  await kubectl('admin', ['delete', 'node', node]);
  await kubectl('admin', ['delete', 'node', '-l', ofGeneration], before.nodes.length);

  tell.say("As the operator itself, should it ever err: its own service account's token:");
  await kubectl('operator', ['delete', 'cg', live]);

  tell.say("Straight at the cloud's API with the AWS SDK, where Kubernetes is not asked:");
  const { name } = opsLaptop;
  const [one = ''] = machines;
  attempts.push(
    await tryCloud(stage, name, `TerminateInstances ${one}`, 1, () => cloud.laptop.terminate([one])),
    await tryCloud(stage, name, `TerminateInstances, all ${machines.length} of ${live}`, machines.length, () =>
      cloud.laptop.terminate(machines),
    ),
    await tryCloud(stage, name, `StopInstances, all ${machines.length} of ${live}`, machines.length, () =>
      cloud.laptop.stop(machines),
    ),
  );
  const after = await snapshotOf(stage, live);
  return { attempts, before, after };
}
