import { type Cutover, JOB_FINALIZER, LABEL, type Platform } from '../../api/v1alpha1/index.ts';
import { hasEnded } from '../../domain/tasks.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../../kube/errors.ts';
import { find } from '../../kube/find.ts';
import { lastLines } from '../../kube/logs.ts';
import { type KubeObject, keyOf, type Resource, splitKey } from '../../kube/resource.ts';
import { type Job, jobs, type Pod, pods } from '../../kube/resources.ts';
import { ForeignChange } from '../../traffic/target.ts';
import type { Context } from '../context.ts';
import { machineIdOf } from '../nodes.ts';
import { offAt } from '../placement/gather.ts';
import type { CutoverInput, Effect, JobView } from './input.ts';
import { manifestOf, partOf, timeToRun } from './job-manifest.ts';
import { refusalOfPods } from './job-pods.ts';
import { runsOf } from './job-runs.ts';
import { viewOf } from './job-view.ts';

/**
 * Jobs of a cutover as Kubernetes shows them, their creation, and their release. Never deleted here: a Job is the only proof that its
 * migration has run, and goes with its Cutover.
 */

/** Enough to see what a program died of, few enough for a status. */
const LINES = 10;
/** Characters of them: a step's message has room for 2048. */
const LOG_ROOM = 1_200;

/** All Jobs of this cutover, and those that it has inherited; pods of those that are gone. Read live. Throws ApiError. */
export async function jobViewsOf(context: Context, cutover: Cutover, platform?: Platform): Promise<JobView[]> {
  if (!hasJobs(cutover)) return [];
  // In all namespaces: that of the Platform may have been changed since, and must not hide a Job that has run.
  const { client } = context;
  const { items } = await client.list(jobs, { labelSelector: `${LABEL.cutoverUID}=${cutover.metadata.uid}` });
  const present = new Map(items.map((job) => [keyOf(job), job]));
  const runs = runsOf(cutover);
  for (const { job: key } of runs) {
    const { name, namespace = '' } = splitKey(key);
    const inherited = present.has(key) ? undefined : await find(client, jobs, name, { namespace });
    if (inherited) present.set(key, inherited);
  }
  const names = new Set([...present.keys(), ...runs.filter(({ over }) => !over).map(({ job }) => job)]);
  const views = [...names].map(async (name) => {
    const job = present.get(name);
    const listed = job && hasNothingLeft(job) ? [] : await podsOf(context, name);
    const template = runs.find((run) => run.job === name)?.template;
    const seen = {
      name,
      job,
      pods: await withEnds(context, platform, listed),
      spec: template && partOf(template, 'spec'),
      now: context.clock.now(),
    };
    const view = viewOf(seen);
    if (!view) return undefined;
    const last = listed.at(-1);
    const asked = job && !last && (view.state === 'Running' || view.state === 'Failed');
    const refused = asked ? await refusalOfPods(client, job) : undefined;
    if (view.state !== 'Failed') return { ...view, ...(view.state === 'Running' && refused && { refused }) };
    const gone = refused ? `; its pods were refused: ${refused}` : goneOf(job);
    return { ...view, message: `${view.message}${last ? await endOf(context, last) : gone}` };
  });
  return (await Promise.all(views)).filter((view) => view !== undefined);
}

const hasJobs = ({ spec, status }: Cutover): boolean =>
  (spec.migrations ?? []).length > 0 ||
  (status.migrations ?? []).length > 0 ||
  (spec.verify ?? []).some(({ jobTemplate }) => jobTemplate !== undefined);

/** It has succeeded, and that is written down: its pods show nothing more. */
const hasNothingLeft = ({ metadata, status }: Job): boolean =>
  metadata.deletionTimestamp === undefined &&
  metadata.finalizers?.includes(JOB_FINALIZER) !== true &&
  status?.conditions?.some((condition) => condition.type === 'Complete' && condition.status === 'True') === true;

/** Of whichever Job of that name, oldest first. */
async function podsOf({ client }: Context, key: string): Promise<Pod[]> {
  const { name, namespace } = splitKey(key);
  const { items } = await client.list(pods, { namespace, labelSelector: `batch.kubernetes.io/job-name=${name}` });
  return items.toSorted((a, b) => a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp));
}

/** Whether they have ended: what a kubelet that does not answer has not reported, the cloud may know. */
async function withEnds(context: Context, platform: Platform | undefined, listed: Pod[]) {
  const machineOf = ({ spec }: Pod): string | undefined => {
    const node = context.caches.nodes.get(spec?.nodeName ?? '');
    return node?.providerID && !node.ready ? machineIdOf(node.providerID) : undefined;
  };
  const asked = listed.filter((pod) => !hasEnded(pod, false)).flatMap((pod) => machineOf(pod) ?? []);
  const off = platform ? await offAt(context, platform.spec.className, [...new Set(asked)]) : [];
  return listed.map((pod) => ({ pod, ended: hasEnded(pod, off.includes(machineOf(pod) ?? '')) }));
}

const goneOf = (job: Job | undefined): string => (job && !job.spec?.suspend ? '; its pod is gone' : '');

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

/** Takes the finalizer off; what is gone, or another object of that name, needs nothing. Pods first: once the Job is let go nobody asks. */
export async function releaseJob(
  { client }: Context,
  { name: key, uid, job, pods: kept }: Extract<Effect, { do: 'releaseJob' }>,
): Promise<void> {
  const { name, namespace = '' } = splitKey(key);
  const release = async (resource: Resource<KubeObject>, about: { name: string; uid: string }) => {
    const metadata = { uid: about.uid, '$deleteFromPrimitiveList/finalizers': [JOB_FINALIZER] };
    try {
      await client.patch(resource, about.name, { metadata }, { type: 'strategic', namespace });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  };
  for (const pod of kept) await release(pods, pod);
  if (job) await release(jobs, { name, uid });
}
