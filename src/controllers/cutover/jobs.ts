import { type Cutover, LABEL } from '../../api/v1alpha1/index.ts';
import { isAlreadyExists, isNotFound } from '../../kube/errors.ts';
import { find } from '../../kube/find.ts';
import { lastLines } from '../../kube/logs.ts';
import { keyOf, splitKey } from '../../kube/resource.ts';
import { type Job, jobs, type Pod, pods } from '../../kube/resources.ts';
import { ForeignChange } from '../../traffic/target.ts';
import type { Context } from '../context.ts';
import type { CutoverInput, Effect, JobView } from './input.ts';
import { isVoid, manifestOf, timeToRun } from './job-manifest.ts';
import { refusalOfPods } from './job-pods.ts';

/**
 * Jobs of a cutover as Kubernetes shows them, and their creation. Never deleted here: a Job is the only proof that its
 * migration has run, and goes with its Cutover.
 */

/** Enough to see what a program died of, few enough for a status. */
const LINES = 10;
/** Characters of them: a step's message has room for 2048. */
const LOG_ROOM = 1_200;

/** All Jobs of this cutover, and those that it has inherited: they may still run. Read live. Throws ApiError. */
export async function jobViewsOf(context: Context, cutover: Cutover): Promise<JobView[]> {
  if (!hasJobs(cutover)) return [];
  // In all namespaces: that of the Platform may have been changed since, and must not hide a Job that has run.
  const { client } = context;
  const { items } = await client.list(jobs, { labelSelector: `${LABEL.cutoverUID}=${cutover.metadata.uid}` });
  const own = new Set(items.map(keyOf));
  const names = (cutover.status.migrations ?? []).flatMap(({ job }) =>
    job === undefined || own.has(job) ? [] : [job],
  );
  const inherited = await Promise.all(
    names.map((key) => {
      const { name, namespace = '' } = splitKey(key);
      return find(client, jobs, name, { namespace });
    }),
  );
  return Promise.all([...items, ...inherited.filter((job) => job !== undefined)].map((job) => viewOf(context, job)));
}

const hasJobs = ({ spec, status }: Cutover): boolean =>
  (spec.migrations ?? []).length > 0 ||
  (status.migrations ?? []).length > 0 ||
  (spec.verify ?? []).some(({ jobTemplate }) => jobTemplate !== undefined);

async function viewOf(context: Context, job: Job): Promise<JobView> {
  const name = keyOf(job);
  if (isVoid(job)) return { name, state: 'Failed', message: 'it never ran: the cutover went back before it began' };
  if (conditionOf(job, 'Complete')) return { name, state: 'Succeeded', message: '' };
  const failed = conditionOf(job, 'Failed');
  const pod = await lastPodOf(context, job);
  const refused = pod ? undefined : await refusalOfPods(context.client, job);
  if (!failed) {
    const message = job.spec?.suspend ? 'it is suspended' : waitingOf(pod);
    return { name, state: 'Running', message, ...(refused && { refused }) };
  }
  const why = [failed.reason, failed.message].filter(Boolean).join(': ') || 'no reason given';
  const gone = refused ? `; its pods were refused: ${refused}` : '; its pod is gone';
  return { name, state: 'Failed', message: `${why}${pod ? await endOf(context, pod) : gone}` };
}

/** Final: both are set only when no pod of it runs any more. */
const conditionOf = ({ status }: Job, type: 'Complete' | 'Failed') =>
  status?.conditions?.find((condition) => condition.type === type && condition.status === 'True');

async function lastPodOf({ client }: Context, { metadata }: Job): Promise<Pod | undefined> {
  const { name, namespace } = metadata;
  const { items } = await client.list(pods, { namespace, labelSelector: `batch.kubernetes.io/job-name=${name}` });
  return items.toSorted((a, b) => a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp)).at(-1);
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

/** How a failed Job's pod ended, with the last lines of its log. Best effort: the reason stands without them. */
async function endOf({ client }: Context, pod: Pod): Promise<string> {
  const { name, namespace = '' } = pod.metadata;
  const statuses = pod.status?.containerStatuses ?? [];
  const ended = statuses.find(({ state }) => (state?.terminated?.exitCode ?? 0) !== 0);
  const container = ended?.name ?? pod.spec?.containers[0]?.name ?? '';
  const exit = ended ? `; container ${container} ended with exit code ${ended.state?.terminated?.exitCode}` : '';
  try {
    const lines = await lastLines(client, { namespace, name, container }, LINES);
    while (lines.join('\n').length > LOG_ROOM) lines.shift();
    return lines.length > 0 ? `${exit}. Last lines of pod ${name}:\n${lines.join('\n')}` : `${exit}; its log is empty`;
  } catch (error) {
    return `${exit}; its log cannot be read (${error instanceof Error ? error.message : error})`;
  }
}

/**
 * Creates a Job. One of that name which a cutover has made is what was wanted: the name has the hash of which. A
 * former leader and this one create it once between them. Throws ForeignChange for somebody else's Job and for a
 * Platform that lacks spec.jobs or their namespace, and ApiError.
 */
export async function startJob(
  { client, clock }: Context,
  { cutover, platform }: Pick<CutoverInput, 'cutover' | 'platform'>,
  effect: Extract<Effect, { do: 'startJob' }>,
): Promise<void> {
  const { name, namespace = '' } = splitKey(effect.name);
  if (!platform?.spec.jobs)
    throw new ForeignChange(
      `Job ${effect.name} cannot be created: spec.jobs was taken out of Platform ${cutover.spec.platform}: put it back`,
    );
  const { template } = effect;
  const deadline = timeToRun(clock, effect.deadline);
  const job = manifestOf({ cutover, platform }, { name, namespace, template, deadline });
  try {
    await client.create(jobs, job);
  } catch (error) {
    if (isNotFound(error))
      throw new ForeignChange(`Job ${effect.name} cannot be created: namespace ${namespace} does not exist: create it`);
    if (!isAlreadyExists(error)) throw error;
    const present = await find(client, jobs, name, { namespace });
    if (!present || present.metadata.labels?.[LABEL.cutoverUID] !== undefined) return;
    throw new ForeignChange(
      `Job ${effect.name} is there already and was not made by Cutover ${cutover.metadata.name}: delete it, and the cutover goes on`,
    );
  }
}
