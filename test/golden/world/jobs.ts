import { keyOf } from '../../../src/kube/resource.ts';
import { type Job, jobs, type Pod, pods } from '../../../src/kube/resources.ts';
import { nowOf, type Stage } from './stage.ts';

/**
 * Kubernetes' controller of Jobs, its garbage collector and a kubelet: each Job runs one pod for some seconds, then it is Complete or
 * Failed. The pods of a Job that is being deleted are left alone until it is gone, and then told to end.
 */

export interface JobFate {
  /** For how long its pod runs; Infinity: until its deadline. */
  seconds: number;
  /** It fails, and these are the last lines of its log. */
  fails?: string[];
  /** For how long its pod still runs once it is told to end, s. */
  stops?: number;
}

export interface Jobs {
  /** What becomes of a Job of this name, asked when it starts. */
  fate(name: string): JobFate;
  /** How often the pod of a Job was started whose name contains this. */
  runs(part: string): number;
  /** Pods whose names contain this that run. */
  running(part: string): number;
  /** The most pods of one Job that ever ran at once. */
  readonly most: number;
  /** A person deletes the Jobs whose names contain this. `force`: with what keeps them and their pods. */
  remove(part: string, options?: { force?: boolean }): void;
}

const STARTING = 1_000;
/** s */
const STOPPING = 2;

export function playJobs(stage: Stage): Jobs {
  const { server, clock, say } = stage;
  const started: string[] = [];
  /** Names of Jobs by the name of each pod that runs, whether the API server still has it or not. */
  const running = new Map<string, string>();
  let most = 0;
  const world: Jobs = {
    fate: () => ({ seconds: 5 }),
    runs: (part) => started.filter((name) => name.includes(part)).length,
    running: (part) => [...running.keys()].filter((name) => name.includes(part)).length,
    get most() {
      return most;
    },
    remove(part, { force = false } = {}) {
      for (const job of server.all(jobs).filter(({ metadata }) => metadata.name.includes(part))) {
        say(`-- somebody deletes Job ${job.metadata.name}${force ? ', and what keeps it' : ''}`);
        const free = ({ metadata }: Job | Pod) => delete metadata.finalizers;
        for (const pod of podsOf(job)) if (force) server.edit(pods, keyOf(pod), free);
        server.edit(jobs, keyOf(job), (object) => {
          object.metadata.deletionTimestamp ??= nowOf(stage);
          if (force) free(object);
        });
      }
    },
  };
  /** The same Job as when it started. */
  const present = (job: Job) => {
    const now = server.read(jobs, keyOf(job));
    return now?.metadata.uid === job.metadata.uid && !now.metadata.deletionTimestamp;
  };
  const podsOf = ({ metadata }: Job) =>
    server.all(pods).filter((pod) => pod.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid));

  const start = (job: Job) => {
    if (!present(job)) return;
    const { name } = job.metadata;
    const { seconds, fails, stops = STOPPING } = world.fate(name);
    started.push(name);
    const pod = podOf(stage, job, started.filter((other) => other === name).length);
    running.set(pod.metadata.name, name);
    most = Math.max(most, [...running.values()].filter((other) => other === name).length);
    say(`Job ${name}: runs`);
    server.seed(pods, pod);
    stopping.set(keyOf(pod), stops);
    const deadline = Number(job.spec?.activeDeadlineSeconds ?? Number.POSITIVE_INFINITY);
    const overdue = seconds > deadline;
    clock.setTimer(Math.min(seconds, deadline) * 1000, () => {
      if (!running.has(pod.metadata.name)) return;
      const failure = overdue
        ? { reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' }
        : fails && { reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' };
      endPod(keyOf(pod), overdue ? [] : fails);
      if (!present(job)) return;
      say(`Job ${name}: ${failure ? `Failed (${failure.reason})` : 'Complete'}`);
      server.edit(jobs, keyOf(job), (object) => {
        const type = failure ? 'Failed' : 'Complete';
        object.status = { conditions: [{ type, status: 'True', ...failure }] };
      });
    });
  };
  const stopping = new Map<string, number>();

  /** As a kubelet reports it; then a pod that was deleted may go. */
  const endPod = (key: string, fails: string[] | undefined) => {
    running.delete(key.slice(key.indexOf('/') + 1));
    if (!server.read(pods, key)) return;
    if (fails) server.logs[key] = fails;
    const exitCode = fails === undefined ? 0 : fails.length > 0 ? 1 : 143;
    const state = { terminated: { exitCode, finishedAt: nowOf(stage) } };
    server.edit(pods, key, (pod) => {
      pod.status = {
        phase: fails ? 'Failed' : 'Succeeded',
        containerStatuses: [{ name: 'main', ready: false, restartCount: 0, state }],
      };
      if (pod.metadata.deletionTimestamp) pod.metadata.deletionGracePeriodSeconds = 0;
    });
  };

  const collect = (job: Job) => {
    for (const pod of podsOf(job)) {
      const key = keyOf(pod);
      const runs = running.has(pod.metadata.name);
      server.edit(pods, key, ({ metadata }) => {
        metadata.deletionTimestamp ??= nowOf(stage);
        metadata.deletionGracePeriodSeconds = runs ? 30 : 0;
      });
      if (runs)
        clock.setTimer((stopping.get(key) ?? STOPPING) * 1000, () => {
          if (running.has(pod.metadata.name)) endPod(key, []);
        });
    }
  };
  server.subscribe(({ resource, before, after }) => {
    if (resource.plural !== 'jobs') return;
    if (before && !after) clock.setTimer(0, () => collect(before as Job));
    const job = after as Job | undefined;
    if (before || !job || job.spec?.suspend) return;
    clock.setTimer(STARTING, () => start(job));
  });
  return world;
}

function podOf(stage: Stage, { metadata: { name, namespace = '', uid }, spec }: Job, number: number) {
  const pod = number === 1 ? `${name}-pod` : `${name}-pod-${number}`;
  const { labels, finalizers = [] } = (spec?.template?.metadata ?? {}) as Partial<Pod['metadata']>;
  return {
    metadata: {
      name: pod,
      namespace,
      uid: `uid-${pod}`,
      creationTimestamp: nowOf(stage),
      labels: { ...labels, 'batch.kubernetes.io/job-name': name, 'batch.kubernetes.io/controller-uid': uid },
      finalizers,
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name, uid, controller: true }],
    },
    spec: { nodeName: 'node-core', containers: [{ name: 'main' }] },
    status: {
      phase: 'Running' as const,
      containerStatuses: [{ name: 'main', ready: true, restartCount: 0, state: { running: {} } }],
    },
  };
}
