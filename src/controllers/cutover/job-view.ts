import { JOB_FINALIZER } from '../../api/v1alpha1/index.ts';
import type { Job, Pod } from '../../kube/resources.ts';
import type { JobView } from './input.ts';
import { isSingle, isVoid } from './job-manifest.ts';

/**
 * How a Job stands, by the Job itself and by its pods: an object that is gone is no process that has ended. Kubernetes leaves the pods
 * of a Job that is being deleted alone until the Job is gone, and makes no new ones. Pure.
 */

export interface Seen {
  /** `namespace/name` */
  name: string;
  job: Job | undefined;
  /** All pods that a Job of this name has made, oldest first. `ended`: none of its containers runs any more, or ever will. */
  pods: { pod: Pod; ended: boolean }[];
  /** What the Job is made of, as far as that is known without it. */
  spec: Record<string, unknown> | undefined;
  /** ms since the epoch */
  now: number;
}

const UID = 'batch.kubernetes.io/controller-uid';

/** Real ms in which the Job controller has come to know that a Job is being deleted, and makes no pod for it any more. */
const HEARD = 10_000;

/** Undefined when nothing of it is there. */
export function viewOf({ pods: all, ...rest }: Seen): JobView | undefined {
  const { name, job } = rest;
  // Without its Job, what was let go and has ended is history.
  const pods = job ? all : all.filter(({ pod, ended }) => !ended || isKept(pod));
  const seen = { ...rest, pods };
  const last = pods.at(-1)?.pod;
  const uid = job?.metadata.uid ?? last?.metadata.labels?.[UID] ?? '';
  if (!job && !last) return undefined;
  const leaving = job?.metadata.deletionTimestamp !== undefined;
  const kept = { job: job !== undefined && isKept(job), pods: pods.filter(({ pod }) => isKept(pod)).map(identityOf) };
  const followed = leaving && pods.length > 0 && { followed: true as const };
  return { name, uid, kept, ...followed, ...standingOf(seen, uid) };
}

const isKept = ({ metadata }: Job | Pod): boolean => metadata.finalizers?.includes(JOB_FINALIZER) === true;

const identityOf = ({ pod: { metadata } }: Seen['pods'][number]) => ({ name: metadata.name, uid: metadata.uid });

function standingOf(seen: Seen, uid: string): Pick<JobView, 'state' | 'message' | 'interrupted'> {
  const { job, pods } = seen;
  if (job && isVoid(job)) return { state: 'Failed', message: 'it never ran: the cutover went back before it began' };
  const open = pods.find(({ ended }) => !ended)?.pod;
  if (open) return { state: 'Running', message: openMessage(job, open) };
  if (isTrue(job, 'Complete', 'SuccessCriteriaMet')) return { state: 'Succeeded', message: '' };
  const failed = isTrue(job, 'Failed', 'FailureTarget');
  if (failed)
    return {
      state: 'Failed',
      message: [failed.reason, failed.message].filter(Boolean).join(': ') || 'no reason given',
    };
  if (job && job.metadata.deletionTimestamp === undefined)
    return { state: 'Running', message: job.spec?.suspend ? 'it is suspended' : waitingOf(pods.at(-1)?.pod) };
  return interrupted(seen, uid);
}

/** The first of two conditions that is set. The second is set once no pod is made any more, the first when all have ended. */
const isTrue = (job: Job | undefined, ...types: string[]) =>
  job?.status?.conditions?.find(({ type, status }) => types.includes(type) && status === 'True');

/** The Job was deleted, or is gone, without having said how it has ended, and no pod of it runs. */
function interrupted({ name, job, pods, spec, now }: Seen, uid: string): ReturnType<typeof standingOf> {
  const own = pods.map(({ pod }) => pod).filter(({ metadata }) => metadata.labels?.[UID] === uid);
  const deleted = `Job ${name} was deleted before it had ended`;
  if (own.length === 0) {
    const since = Date.parse(job?.metadata.deletionTimestamp ?? '');
    if (job && now - since <= HEARD) return { state: 'Running', message: 'it was deleted before it had a pod' };
    if (job) return { state: 'Failed', message: deleted, interrupted: true };
    return { state: 'Lost', message: `Job ${name} is gone, and how it ended is not known` };
  }
  const succeeded = own.filter(({ status }) => status?.phase === 'Succeeded');
  if (succeeded.length === 0) return { state: 'Failed', message: deleted, interrupted: true };
  const wanted = job?.spec ?? spec;
  if (wanted && isSingle(wanted) && succeeded.some(endedUnasked)) return { state: 'Succeeded', message: '' };
  const [{ metadata } = { metadata: { name: '' } }] = succeeded;
  return {
    state: 'Lost',
    message: `${deleted}, and pod ${metadata.name} ended with exit code 0 when it was told to end: whether it had done its work is not known`,
  };
}

/** Many programs end with exit code 0 when they are told to: that is no success. */
function endedUnasked({ metadata, status }: Pod): boolean {
  if (metadata.deletionTimestamp === undefined) return true;
  const grace = Number(metadata.deletionGracePeriodSeconds ?? 0) * 1000;
  const told = Date.parse(metadata.deletionTimestamp) - grace;
  const ends = (status?.containerStatuses ?? []).map(({ state }) => Date.parse(state?.terminated?.finishedAt ?? ''));
  return ends.length > 0 && ends.every((end) => end < told);
}

function openMessage(job: Job | undefined, pod: Pod): string {
  const { name } = pod.metadata;
  const where = pod.spec?.nodeName ? `on Node ${pod.spec.nodeName}` : 'on no machine yet';
  if (!job) return `its Job is gone, and pod ${name} ${where} is not known to have ended`;
  if (job.metadata.deletionTimestamp) return `it was deleted, and pod ${name} ${where} is not known to have ended`;
  const over = isTrue(job, 'Complete', 'Failed');
  if (over) return `it is ${over.type}, and pod ${name} ${where} is not known to have ended`;
  return job.spec?.suspend ? 'it is suspended' : waitingOf(pod);
}

/** What a person has to know of a pod that does not come up; empty when it does. */
function waitingOf(pod: Pod | undefined): string {
  if (!pod) return 'it has no pod yet';
  const { name } = pod.metadata;
  const unscheduled = pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  if (unscheduled)
    return `pod ${name} has no machine: ${unscheduled.message ?? unscheduled.reason ?? 'no reason given'}`;
  const reason = pod.status?.containerStatuses?.map(({ state }) => state?.waiting?.reason).find(Boolean);
  return reason === undefined || reason === 'ContainerCreating' || reason === 'PodInitializing'
    ? ''
    : `pod ${name} waits: ${reason}`;
}
