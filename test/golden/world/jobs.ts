import { keyOf } from '../../../src/kube/resource.ts';
import { type Job, jobs, type Pod, pods } from '../../../src/kube/resources.ts';
import { nowOf, type Stage } from './stage.ts';

/** Kubernetes' controller of Jobs: each runs one pod for some seconds, then it is Complete or Failed. */

export interface JobFate {
  /** For how long its pod runs; Infinity: until its deadline. */
  seconds: number;
  /** It fails, and these are the last lines of its log. */
  fails?: string[];
}

export interface Jobs {
  /** What becomes of a Job of this name, asked when it starts. */
  fate(name: string): JobFate;
  /** How often the pod of a Job was started whose name contains this. */
  runs(part: string): number;
  /** A person deletes the Jobs whose names contain this, with their pods. */
  remove(part: string): void;
}

const STARTING = 1_000;

export function playJobs(stage: Stage): Jobs {
  const { server, clock, say } = stage;
  const started: string[] = [];
  const world: Jobs = {
    fate: () => ({ seconds: 5 }),
    runs: (part) => started.filter((name) => name.includes(part)).length,
    remove(part) {
      for (const job of server.all(jobs).filter(({ metadata }) => metadata.name.includes(part))) {
        say(`-- somebody deletes Job ${job.metadata.name}`);
        const pod = `${keyOf(job)}-pod`;
        const gone = (object: Job | Pod) => {
          object.metadata.deletionTimestamp = nowOf(stage);
          delete object.metadata.finalizers;
          delete object.metadata.deletionGracePeriodSeconds;
        };
        if (server.read(pods, pod)) server.edit(pods, pod, gone);
        server.edit(jobs, keyOf(job), gone);
      }
    },
  };
  /** The same Job as when it started. */
  const present = (job: Job) => server.read(jobs, keyOf(job))?.metadata.uid === job.metadata.uid;

  const start = (job: Job) => {
    if (!present(job)) return;
    const { name } = job.metadata;
    const { seconds, fails } = world.fate(name);
    started.push(name);
    say(`Job ${name}: runs`);
    server.seed(pods, podOf(stage, job));
    const deadline = Number(job.spec?.activeDeadlineSeconds ?? Number.POSITIVE_INFINITY);
    const overdue = seconds > deadline;
    clock.setTimer(Math.min(seconds, deadline) * 1000, () => {
      if (!present(job)) return;
      const failure = overdue
        ? { reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' }
        : fails && { reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' };
      endPod(stage, job, overdue ? [] : fails);
      say(`Job ${name}: ${failure ? `Failed (${failure.reason})` : 'Complete'}`);
      server.edit(jobs, keyOf(job), (object) => {
        const type = failure ? 'Failed' : 'Complete';
        object.status = { conditions: [{ type, status: 'True', ...failure }] };
      });
    });
  };
  server.subscribe(({ resource, before, after }) => {
    const job = after as Job | undefined;
    if (resource.plural !== 'jobs' || before || !job || job.spec?.suspend) return;
    clock.setTimer(STARTING, () => start(job));
  });
  return world;
}

const podOf = (stage: Stage, { metadata: { name, namespace } }: Job) => ({
  metadata: {
    name: `${name}-pod`,
    namespace,
    uid: `uid-${name}-pod`,
    creationTimestamp: nowOf(stage),
    labels: { 'batch.kubernetes.io/job-name': name },
  },
  spec: { nodeName: 'node-core', containers: [{ name: 'main' }] },
  status: {
    phase: 'Running',
    containerStatuses: [{ name: 'main', ready: true, restartCount: 0, state: { running: {} } }],
  },
});

function endPod({ server }: Stage, job: Job, fails: string[] | undefined): void {
  const key = `${keyOf(job)}-pod`;
  if (!server.read(pods, key)) return;
  if (fails) server.logs[key] = fails;
  const terminated = { exitCode: fails === undefined ? 0 : fails.length > 0 ? 1 : 143 };
  server.edit(pods, key, (pod) => {
    pod.status = {
      phase: fails ? 'Failed' : 'Succeeded',
      containerStatuses: [{ name: 'main', ready: false, restartCount: 0, state: { terminated } }],
    };
  });
}
