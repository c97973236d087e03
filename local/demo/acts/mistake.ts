import { LABEL } from '../../../src/api/v1alpha1/index.ts';
import type { EndpointSlice } from '../../../src/kube/resources.ts';
import { type Attempt, attempter } from '../attempts.ts';
import { classes, halfStarted, live, machines, opsLaptop, platform, roles, website } from '../cast.ts';
import { webWorkloadName } from '../manifests.ts';
import { type Snapshot, snapshotOf, unchanged } from '../snapshot.ts';
import type { Stage } from '../stage.ts';

export interface Mistake {
  attempts: Attempt[];
  before: Snapshot;
  after: Snapshot;
}

/** Act 4: whoever means the half-started machines goes for the live ones, every way there is. */
export async function mistake(stage: Stage): Promise<Mistake> {
  const { tell } = stage;
  tell.act('4. They mean the half-started machines, and go for the live ones');
  tell.say(`The machines to remove are those of ${halfStarted}.`);
  tell.say('2023: at 15:22 the live ones were terminated instead; by 15:43 all of them were gone.');
  const before = await snapshotOf(stage, live);
  const { attempts, kubectl, cloud } = attempter(stage);
  const ofGeneration = `${LABEL.generation}=${live}`;

  tell.say('With kubectl, as an operator of the platform:');
  await kubectl('alice', ['delete', 'cg', live]);
  const none = [{ op: 'replace', path: `/spec/pools/${roles.indexOf('always-on')}/machines`, value: 0 }];
  await kubectl('alice', ['patch', 'cg', live, '--type=json', `--patch=${JSON.stringify(none)}`]);
  await kubectl('alice', ['delete', 'gpool', `${live}.web`]);

  tell.say('As cluster admin, whom RBAC stops from nothing:');
  const collection = '/apis/generations.dev/v1alpha1/clustergenerations';
  await kubectl('admin', ['delete', 'cg', live, '--force', '--grace-period=0']);
  await kubectl('admin', ['delete', '--raw', `${collection}?fieldSelector=metadata.name%3D${live}`]);
  await kubectl('admin', ['delete', 'gpool', `${live}.web`]);
  await kubectl('admin', ['delete', 'gpool', '-l', ofGeneration], roles.length);
  const [node = ''] = before.nodes.map(({ name }) => name);
  await kubectl('admin', ['delete', 'node', node]);
  const alwaysOn = `${ofGeneration},${LABEL.role}=always-on`;
  await kubectl('admin', ['delete', 'node', '-l', alwaysOn], machines['always-on']);
  await kubectl('admin', ['delete', 'node', '-l', ofGeneration], before.nodes.length);

  tell.say('Without deleting any of it: emptying its machines, and cutting them off.');
  const web = await webNodeOf(stage);
  await kubectl('admin', ['cordon', web]);
  await kubectl('admin', ['drain', web, '--ignore-daemonsets', '--timeout=2m'], 2);
  await kubectl('admin', ['taint', 'node', web, 'maintenance=now:NoExecute']);
  await kubectl('admin', ['delete', 'namespace', website.namespace]);
  await kubectl('admin', ['delete', 'service', website.name, '-n', website.namespace]);
  const elsewhere = JSON.stringify({ spec: { selector: { app: 'nothing' } } });
  await kubectl('admin', ['patch', 'service', website.name, '-n', website.namespace, `--patch=${elsewhere}`]);

  tell.say('As GitOps, which prunes what has left Git, and as an autoscaler: what the websites run on.');
  const workload = ['deployment', webWorkloadName(live), '-n', website.namespace];
  await kubectl('admin', ['delete', ...workload]);
  await kubectl('admin', ['scale', ...workload, '--replicas=0']);

  tell.say('What stands behind it: its Platform, its class, the very kind, and what is said about it.');
  await kubectl('admin', ['delete', 'platform', platform]);
  await kubectl('admin', ['delete', 'gclass', classes.own]);
  await kubectl('admin', ['delete', 'crd', 'clustergenerations.generations.dev']);
  const forged = JSON.stringify({ status: { stage: 'Staged' } });
  const asStatus = ['patch', 'cg', live, '--subresource=status', '--type=merge', `--patch=${forged}`];
  await kubectl('admin', asStatus);
  await kubectl('admin', [...asStatus, '--as=system:serviceaccount:generations-system:generations-operator']);
  const alone = { generation: live, reason: 'quickly', requestedBy: 'admin', approvedBy: 'alice@example.com' };
  const override = JSON.stringify({ spec: { override: alone } });
  await kubectl('admin', ['patch', 'platform', platform, '--type=merge', `--patch=${override}`]);

  tell.say('As the operator itself, should it ever err, with the token of its service account:');
  await kubectl('operator', ['delete', 'cg', live]);

  tell.say("Straight at the cloud's API with the AWS SDK, where Kubernetes is not asked:");
  const { name } = opsLaptop;
  const { laptop } = stage.cloud;
  const all = await laptop.machinesOf(live);
  const [one = ''] = all;
  const every = `all ${all.length} machines of ${live}`;
  await cloud(name, `TerminateInstances ${one}`, 1, () => laptop.terminate([one]));
  await cloud(name, `TerminateInstances, ${every}`, all.length, () => laptop.terminate(all));
  await cloud(name, `StopInstances, ${every}`, all.length, () => laptop.stop(all));

  const after = await snapshotOf(stage, live);
  const refused = attempts.filter((attempt) => attempt.refused === attempt.targets).length;
  const whole = unchanged(before, after);
  tell.say(
    `${refused} of ${attempts.length} attempts are refused. ${whole ? `Object, pools, ${after.nodes.length} Nodes and ${after.machines.length} machines are what they were.` : 'THE LIVE GENERATION IS NOT WHAT IT WAS.'}`,
  );
  return { attempts, before, after };
}

/** A live Node with a pod of the websites on it. */
async function webNodeOf(stage: Stage): Promise<string> {
  const { namespace, name } = website;
  const selector = encodeURIComponent(`kubernetes.io/service-name=${name}`);
  const slices = await stage.read<{ items: EndpointSlice[] }>(
    `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=${selector}`,
  );
  const nodes = (slices?.items ?? []).flatMap(({ endpoints }) => (endpoints ?? []).map(({ nodeName }) => nodeName));
  const [node] = nodes.filter((found) => found !== undefined).toSorted();
  if (node === undefined) throw new Error(`Service ${namespace}/${name} leads to no Node`);
  return node;
}
