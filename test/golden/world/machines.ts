import { LABEL } from '../../../src/api/v1alpha1/index.ts';
import { platforms } from '../../../src/kinds.ts';
import { daemonSets, type Node, namespaces, nodes, type Pod, pods } from '../../../src/kube/resources.ts';
import type { Machine } from '../../../src/providers/provider.ts';
import type { Stage } from './stage.ts';

/** Machines of the cloud as Kubernetes shows them: their Nodes, and on each the pod of its role. */

/** Real ms from the running machine to its Ready Node. */
const REGISTRATION = 20_000;

export function playMachines(stage: Stage): void {
  stage.server.seed(namespaces, { metadata: { name: 'edge', uid: 'uid-edge', creationTimestamp: '' } });
  const { cloud, clock, server } = stage;
  const comes = (machine: Machine) => clock.setTimer(cloud.boot + REGISTRATION, () => register(stage, machine));
  cloud.onLaunch = comes;
  cloud.onStart = comes;
  cloud.onEnd = (machine) => unregister(stage, machine);
  cloud.onStop = (machine) => silence(stage, machine);
  server.subscribe(({ resource, after, before }) => {
    if (resource.plural === 'nodes' && after && !before?.metadata.labels?.[LABEL.generation]) runPod(stage, after);
  });
}

const nodeOf = ({ id }: Machine): string => `node-${id}`;
const podOf = (node: string): string => `edge/${node.replace('node-', 'pod-')}`;

/** A Ready Node for a machine that has booted and lives. */
function register(stage: Stage, machine: Machine): void {
  const { server, cloud } = stage;
  const now = cloud.alive().find(({ id }) => id === machine.id);
  if (now?.state !== 'running' || now.launchTime !== machine.launchTime) return;
  const name = nodeOf(machine);
  if (server.read(nodes, name)) {
    server.edit(nodes, name, (node) => turn(node, true));
    if (server.read(pods, podOf(name))) server.edit(pods, podOf(name), (pod) => turn(pod, true));
    return;
  }
  server.seed(nodes, {
    metadata: { name, uid: `uid-${name}`, creationTimestamp: '' },
    spec: { providerID: machine.providerID },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  });
}

const turn = (object: Node | Pod, ready: boolean) => {
  object.status = { ...object.status, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] };
};

/** The machine is off: its Node stays, and nothing on it answers. */
function silence({ server }: Stage, machine: Machine): void {
  const name = nodeOf(machine);
  if (server.read(nodes, name)) server.edit(nodes, name, (node) => turn(node, false));
  if (server.read(pods, podOf(name))) server.edit(pods, podOf(name), (pod) => turn(pod, false));
}

/** The machine is no more: the cloud's controller removes its Node, and the garbage collector what was bound to it. */
function unregister({ server }: Stage, machine: Machine): void {
  const gone = (object: Node | Pod) => {
    object.metadata.deletionTimestamp = 'now';
    delete object.metadata.finalizers;
  };
  const name = nodeOf(machine);
  if (server.read(nodes, name)) server.edit(nodes, name, gone);
  if (server.read(pods, podOf(name))) server.edit(pods, podOf(name), gone);
}

/** Each labelled Node of a role that is Beside runs a Ready pod of that role. */
function runPod({ server }: Stage, node: { metadata: { name: string; labels?: Record<string, string> } }): void {
  const { name, labels = {} } = node.metadata;
  const wanted = Object.fromEntries([LABEL.platform, LABEL.role, LABEL.generation].map((key) => [key, labels[key]]));
  if (!labels[LABEL.generation]) return;
  const platform = server.read(platforms, labels[LABEL.platform] ?? '');
  if (platform?.spec.roles.find((role) => role.name === labels[LABEL.role])?.handover !== 'Beside') return;
  const pod = podOf(name).replace('edge/', '');
  const workload = `${labels[LABEL.role]}-${labels[LABEL.generation]}`;
  // As a DaemonSet's, one on each machine: it stays when the machines go.
  if (!server.read(daemonSets, `edge/${workload}`))
    server.seed(daemonSets, {
      metadata: { name: workload, namespace: 'edge', uid: `uid-${workload}`, creationTimestamp: '' },
      spec: { template: { metadata: { labels: wanted } } },
    });
  server.seed(pods, {
    metadata: { name: pod, namespace: 'edge', uid: `uid-${pod}`, creationTimestamp: '', labels: wanted },
    spec: { nodeName: name },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  });
}
