import { ANNOTATION, LABEL, PLACEMENT } from '../../../src/api/v1alpha1/index.ts';
import { platforms } from '../../../src/kinds.ts';
import { keyOf } from '../../../src/kube/resource.ts';
import { isReady, nodes, type Pod, pods } from '../../../src/kube/resources.ts';
import { nowOf, type Stage } from './stage.ts';

/**
 * Workloads of Follow and Singleton roles: the controllers that make their pods anew, the admission that puts gate and
 * finalizer on them, the scheduler, and the kubelets that start and end them.
 */

export interface Tasks {
  /** A Deployment of one copy: whenever its pod goes, another one comes. */
  deploy(role: string, name: string, startOrder?: number): void;
  /** A run of the CronJob `name`, for so many seconds once it has started. */
  runs(role: string, name: string, seconds: number): void;
  /** Whether the image of that Deployment can be pulled. */
  image(name: string, there: boolean): void;
  /** Names of pods whose containers run, now. */
  running(): string[];
  /** Of each task the most copies that ever ran at once. */
  most: Record<string, number>;
}

/** Real ms until a pod has a machine, until it runs, and until it has ended. */
const SCHEDULING = 1_000;
const STARTING = 2_000;
const ENDING = 3_000;
/** Real ms after which what was bound to a Node that is gone is removed. */
const COLLECTING = 20_000;

/** What a pod of each task is made of, by the task. */
interface Workload {
  name: string;
  role: string;
  owner: { kind: 'ReplicaSet' | 'Job'; name: string };
  startOrder?: number | undefined;
  /** Of a run of a Job. */
  seconds?: number;
}

export function playTasks(stage: Stage): Tasks {
  const { server, clock, say } = stage;
  const workloads = new Map<string, Workload>();
  const made = new Map<string, number>();
  const most: Record<string, number> = {};
  const withoutImage = new Set<string>();
  const workloadOf = (pod: Pod) => workloads.get(pod.metadata.labels?.task ?? '');

  const create = (workload: Workload) => {
    const count = (made.get(workload.owner.name) ?? 0) + 1;
    made.set(workload.owner.name, count);
    server.seed(pods, admitted(stage, podOf(stage, workload, `${workload.owner.name}-${count}`)));
  };
  const later = (pod: Pod, ms: number, then: (now: Pod) => void) =>
    clock.setTimer(ms, () => {
      const now = server.read(pods, keyOf(pod));
      if (now?.metadata.uid === pod.metadata.uid) then(now);
    });
  const edit = (pod: Pod, change: (pod: Pod) => void) => server.edit(pods, keyOf(pod), change);

  const schedule = (pod: Pod) =>
    later(pod, SCHEDULING, (now) => {
      if (now.metadata.deletionTimestamp || now.spec?.nodeName) return;
      const node = roomFor(stage, now);
      if (!node) return void later(now, 5_000, schedule);
      edit(now, (object) => {
        object.spec = { containers: [], ...object.spec, nodeName: node };
      });
    });
  const start = (pod: Pod) =>
    later(pod, STARTING, (now) => {
      if (now.metadata.deletionTimestamp || !answers(stage, now)) return;
      const pulled = !withoutImage.has(workloadOf(now)?.name ?? '');
      edit(now, (object) => {
        object.status = pulled ? running() : pulling();
      });
      if (!pulled) return start(now);
      const seconds = workloadOf(now)?.seconds;
      if (seconds !== undefined) later(now, seconds * 1000, (late) => edit(late, (object) => void end(object)));
    });
  const stop = (pod: Pod) =>
    later(pod, ENDING, (now) => {
      if (!answers(stage, now)) return;
      edit(now, (object) => {
        end(object);
        object.metadata.deletionGracePeriodSeconds = 0;
      });
    });

  server.subscribe(({ resource, before, after }) => {
    if (resource.plural !== 'pods') return;
    const [old, now] = [before as Pod | undefined, after as Pod | undefined];
    const workload = workloadOf((now ?? old) as Pod);
    if (!workload) return;
    for (const line of changesOf(old, now)) say(`pod ${(now ?? old)?.metadata.name}: ${line}`);
    const leaves = (pod: Pod | undefined) => !pod || pod.metadata.deletionTimestamp !== undefined;
    if (old && !leaves(old) && leaves(now) && workload.owner.kind === 'ReplicaSet') create(workload);
    if (now && !isGated(now) && (!old || isGated(old))) schedule(now);
    if (now?.spec?.nodeName && !old?.spec?.nodeName) start(now);
    if (now?.spec?.nodeName && old && !leaves(old) && leaves(now)) stop(now);
    count();
  });
  const alive = () => server.all(pods).filter((pod) => workloadOf(pod) && runs(pod));
  const count = () => {
    const copies = Map.groupBy(alive(), (pod) => pod.metadata.labels?.task ?? '');
    for (const [task, group] of copies) most[task] = Math.max(most[task] ?? 0, group.length);
  };
  server.subscribe(({ resource, before, after }) => {
    if (resource.plural !== 'nodes' || after || !before) return;
    clock.setTimer(COLLECTING, () => collect(stage, before.metadata.name));
  });

  return {
    most,
    image: (name, there) => void (there ? withoutImage.delete(name) : withoutImage.add(name)),
    running: () => alive().map(({ metadata }) => metadata.name),
    deploy(role, name, startOrder) {
      const workload: Workload = { name, role, owner: { kind: 'ReplicaSet', name: `${name}-7d9f` }, startOrder };
      workloads.set(name, workload);
      create(workload);
    },
    runs(role, name, seconds) {
      const minute = Math.floor(clock.now() / 60_000) % 100_000;
      const workload: Workload = { name, role, owner: { kind: 'Job', name: `${name}-${minute}` }, seconds };
      workloads.set(name, workload);
      create(workload);
    },
  };
}

/** A pod as its controller sends it. */
const podOf = (stage: Stage, { name, role, owner, startOrder }: Workload, pod: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: pod,
    namespace: 'tasks',
    uid: `uid-${pod}`,
    resourceVersion: '1',
    creationTimestamp: nowOf(stage),
    labels: { [LABEL.platform]: 'us', [LABEL.role]: role, task: name, 'pod-template-hash': '7d9f' },
    annotations: startOrder === undefined ? {} : { [ANNOTATION.startOrder]: String(startOrder) },
    ownerReferences: [
      {
        apiVersion: owner.kind === 'Job' ? 'batch/v1' : 'apps/v1',
        ...owner,
        uid: `uid-${owner.name}`,
        controller: true,
      },
    ],
  },
  spec: { containers: [{ name: 'main' }], nodeSelector: { [LABEL.role]: role } },
  status: { phase: 'Pending' },
});

/** What the policy generations-placement makes of it. */
function admitted({ server }: Stage, pod: Pod): Pod {
  const platform = server.read(platforms, 'us');
  const role = platform?.spec.roles.find(({ name }) => name === pod.metadata.labels?.[LABEL.role]);
  const live = platform?.status.live?.name;
  if (platform?.spec.singletonAdmission === 'Open' && live)
    return {
      ...pod,
      spec: { containers: [], ...pod.spec, nodeSelector: { ...pod.spec?.nodeSelector, [LABEL.generation]: live } },
    };
  const finalizers = role?.handover === 'Singleton' ? [PLACEMENT] : [];
  return {
    ...pod,
    metadata: { ...pod.metadata, finalizers },
    spec: { containers: [], ...pod.spec, schedulingGates: [{ name: PLACEMENT }] },
  };
}

const isGated = ({ spec }: Pod): boolean => (spec?.schedulingGates ?? []).length > 0;

/** A Ready Node that the pod's selector allows. */
function roomFor({ server }: Stage, { spec }: Pod): string | undefined {
  const wanted = Object.entries(spec?.nodeSelector ?? {});
  const fitting = server
    .all(nodes)
    .filter((node) => isReady(node) && wanted.every(([key, value]) => node.metadata.labels?.[key] === value));
  const load = (name: string) => server.all(pods).filter((pod) => pod.spec?.nodeName === name && runs(pod)).length;
  return fitting.map(({ metadata }) => metadata.name).toSorted((a, b) => load(a) - load(b))[0];
}

/** Its kubelet is there and does what it is told. */
function answers({ server }: Stage, { spec }: Pod): boolean {
  const node = server.read(nodes, spec?.nodeName ?? '');
  return node !== undefined && isReady(node);
}

const runs = ({ status }: Pod): boolean =>
  (status?.containerStatuses ?? []).some(({ state }) => state?.running !== undefined);

const running = (): NonNullable<Pod['status']> => ({
  phase: 'Running',
  conditions: [{ type: 'Ready', status: 'True' }],
  containerStatuses: [{ name: 'main', ready: true, restartCount: 0, state: { running: {} } }],
});

const pulling = (): NonNullable<Pod['status']> => ({
  phase: 'Pending',
  containerStatuses: [
    { name: 'main', ready: false, restartCount: 0, state: { waiting: { reason: 'ImagePullBackOff' } } },
  ],
});

function end(pod: Pod): void {
  pod.status = {
    phase: 'Succeeded',
    conditions: [{ type: 'Ready', status: 'False' }],
    containerStatuses: [{ name: 'main', ready: false, restartCount: 0, state: { terminated: { exitCode: 0 } } }],
  };
}

/** The garbage collector: it says nothing about whether the containers still run. */
function collect(stage: Stage, node: string): void {
  const { server } = stage;
  const bound = server
    .all(pods)
    .filter(({ metadata, spec }) => spec?.nodeName === node && metadata.namespace === 'tasks');
  for (const pod of bound)
    server.edit(pods, keyOf(pod), (object) => {
      object.metadata.deletionTimestamp ??= nowOf(stage);
      object.metadata.deletionGracePeriodSeconds = 0;
      object.status = {
        ...object.status,
        phase: 'Failed',
        conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC' }],
      };
    });
}

/** What a reader wants to know of a pod. */
function changesOf(before: Pod | undefined, after: Pod | undefined): string[] {
  if (!after) return [before && runs(before) ? 'has ended and is gone' : 'is gone'];
  const lines: string[] = [];
  if (!before) return [isGated(after) ? 'made, waits at its gate' : 'made'];
  if (isGated(before) && !isGated(after)) lines.push(`may start on ${after.spec?.nodeSelector?.[LABEL.generation]}`);
  if (!runs(before) && runs(after)) lines.push(`runs on ${after.spec?.nodeName}`);
  if (after.metadata.deletionTimestamp && !before.metadata.deletionTimestamp) lines.push('is told to end');
  if (runs(before) && !runs(after)) lines.push('has ended');
  return lines;
}
