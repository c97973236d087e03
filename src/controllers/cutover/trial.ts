import { type Cutover, LABEL, type Platform } from '../../api/v1alpha1/index.ts';
import { isAlreadyExists } from '../../kube/errors.ts';
import { find } from '../../kube/find.ts';
import type { New } from '../../kube/resource.ts';
import { type Job, jobs, type Pod, pods, resourceQuotas, serviceAccounts } from '../../kube/resources.ts';
import { viewPreview } from '../../traffic/preview.ts';
import type { Problem, TargetView } from '../../traffic/target.ts';
import type { Context } from '../context.ts';
import { type Refusal, refusalOf } from '../refusal.ts';
import type { CutoverInput } from './input.ts';
import { type JobTemplate, jobName, kept, manifestOf, type Purpose, partOf, passing, workOf } from './job-manifest.ts';
import { shortOf } from './quota.ts';
import { targetKind } from './targets.ts';

/**
 * What can be known of Jobs and checks before anything moves: found out while traffic is held, a mistake in a template would
 * be an outage. objectionToJobs reads what is written (pure), trialOf asks the API server.
 */

interface Planned {
  purpose: Purpose;
  item: string;
  /** For people. */
  what: string;
  template: JobTemplate;
}

/** Every Job that a cutover may make. */
function jobsOf({ spec }: Cutover): Planned[] {
  const migrations = (spec.migrations ?? []).flatMap(({ name, jobTemplate, reversible, undo }): Planned[] => [
    { purpose: 'migrate', item: name, what: `migration ${name}`, template: workOf({ jobTemplate, reversible }) },
    ...(undo
      ? [
          {
            purpose: 'undo' as const,
            item: name,
            what: `the undo of migration ${name}`,
            template: kept(undo.jobTemplate),
          },
        ]
      : []),
  ]);
  const checks = (spec.verify ?? []).flatMap(({ name, jobTemplate }): Planned[] =>
    jobTemplate ? [{ purpose: 'verify', item: name, what: `check ${name}`, template: passing(jobTemplate) }] : [],
  );
  return [...migrations, ...checks];
}

/** What is wrong with migrations and checks as they are written, and what the dry run has found; undefined when nothing is. */
export function objectionToJobs(input: CutoverInput): Problem | undefined {
  const { cutover, platform } = input;
  if (!platform) return undefined;
  const planned = jobsOf(cutover);
  const [first] = planned;
  if (first && !platform.spec.jobs)
    return {
      reason: 'JobsNotConfigured',
      message: `${first.what} is a Job, and Platform ${platform.metadata.name} does not say where Jobs run: set spec.jobs {namespace, serviceAccountName} there`,
    };
  for (const job of planned) {
    const wrong = wrongWith(job.template);
    if (wrong) return { reason: 'InvalidJobTemplate', message: `jobTemplate of ${job.what} ${wrong}. ${AGAIN}` };
  }
  for (const { name, http } of cutover.spec.verify ?? []) {
    const target = http && platform.spec.traffic.find((spec) => spec.name === http.target);
    if (!http || target?.preview) continue;
    return {
      reason: target ? 'NoPreview' : 'CheckTargetNotFound',
      message: target
        ? `check ${name} asks traffic target ${http.target}, which has no preview Service in Platform ${platform.metadata.name}: add one there, or make the check a jobTemplate in another Cutover`
        : `check ${name} asks traffic target ${http.target}, which Platform ${platform.metadata.name} does not have: add it there, or make another Cutover`,
    };
  }
  return input.trial;
}

/** spec is immutable. */
const AGAIN = 'A Cutover is not changed: make another one with a jobTemplate as a CronJob has it';

/** What the API server would not say, or not in these words. */
function wrongWith(template: JobTemplate): string | undefined {
  const spec = partOf(template, 'spec');
  const pod = partOf(spec, 'template');
  const { containers } = partOf(pod, 'spec');
  if (!Array.isArray(containers) || containers.length === 0)
    return 'has no containers: write spec.template.spec.containers';
  if (spec.suspend === true) return 'has spec.suspend: true, so that it would never run: leave it out';
  const labels = partOf(partOf(pod, 'metadata'), 'labels');
  if (labels[LABEL.role] !== undefined)
    return `gives its pods the label ${LABEL.role}, with which they would be held back, or take traffic, as pods of that role: leave it out`;
  return undefined;
}

/**
 * Has the API server check every Job that a cutover may make, a pod of each, and every preview that it needs, as a dry run; and
 * whether quotas have room for all Jobs together. Undefined when all would be taken.
 * Throws ApiError when it cannot be asked.
 */
export async function trialOf(context: Context, cutover: Cutover, platform: Platform): Promise<Problem | undefined> {
  return (await trialOfJobs(context, cutover, platform)) ?? (await trialOfPreviews(context, cutover, platform));
}

async function trialOfJobs({ client, clock }: Context, cutover: Cutover, platform: Platform) {
  const planned = jobsOf(cutover);
  const where = platform.spec.jobs;
  if (planned.length === 0 || !where) return undefined;
  const { namespace, serviceAccountName } = where;
  if (!(await find(client, serviceAccounts, serviceAccountName, { namespace })))
    return {
      reason: 'ServiceAccountNotFound',
      message: `ServiceAccount ${namespace}/${serviceAccountName}, with whose rights Jobs run (spec.jobs of Platform ${platform.metadata.name}), does not exist: create it`,
    };
  for (const { purpose, item, what, template } of planned) {
    const name = jobName(cutover, purpose, item);
    const job = manifestOf({ cutover, platform }, { name, namespace, template, deadline: clock.scaled(MINUTE) });
    const refused = await client.create(jobs, job, { dryRun: true }).then(() => undefined, against);
    if (refused)
      return {
        reason: 'JobRefused',
        message: `the API server would refuse the Job of ${what}: ${refused.words}. ${remedyFor(refused)}`,
      };
    const unfit = await client.create(pods, podOf(job), { dryRun: true }).then(() => undefined, against);
    if (unfit)
      return {
        reason: 'PodsRefused',
        message: `the API server would refuse the pod of ${what}, and its Job would wait for it until its deadline: ${unfit.words}. ${remedyFor(unfit)}`,
      };
  }
  const { items } = await client.list(resourceQuotas, { namespace });
  const needed = planned.length + roundsOf(cutover);
  const short = shortOf(items, needed);
  return short === undefined
    ? undefined
    : {
        reason: 'QuotaExceeded',
        message: `this cutover may make ${needed} Jobs, which are kept with their pods, and ${short}: raise the quota, or delete what it counts`,
      };
}

/** Any deadline will do. ms. */
const MINUTE = 60_000;

/** At least one more round of each check while it soaks; more of them are not kept for long. */
const roundsOf = ({ spec }: Cutover): number =>
  (spec.verify ?? []).filter(({ jobTemplate }) => jobTemplate !== undefined).length;

/** The pod that Kubernetes would make of a Job, as far as quotas, limits and admission look at it. */
const podOf = ({ metadata, spec }: New<Job>): New<Pod> => ({
  metadata: {
    ...partOf(partOf(spec, 'template'), 'metadata'),
    name: `${'name' in metadata ? metadata.name : ''}-0`,
    ...(metadata.namespace && { namespace: metadata.namespace }),
  },
  spec: partOf(partOf(spec, 'template'), 'spec') as unknown as NonNullable<Pod['spec']>,
});

/** What the API server says against it; rethrows what is no answer to that. A name that is taken is for startJob to look into. */
function against(error: unknown): Refusal | undefined {
  if (isAlreadyExists(error)) return undefined;
  const refusal = refusalOf(error);
  if (!refusal || refusal.passing) throw error;
  return refusal;
}

/** What the template has wrong is not mended: a spec is immutable. */
const remedyFor = ({ reason, remedy }: Refusal): string =>
  ['Invalid', 'BadRequest'].includes(reason) ? AGAIN : `${remedy}; or make another Cutover`;

/**
 * A traffic target with what refuses a move of it, forth or back: each place on its way is tried as a dry run. Throws ApiError when
 * it cannot be asked.
 */
export async function tried(context: Context, platform: Platform, view: TargetView): Promise<TargetView> {
  const spec = platform.spec.traffic.find(({ name }) => name === view.target);
  if (!spec || view.unseen) return view;
  const { now, wanted, hold } = view;
  const places = [...(hold ? [hold.wanted] : []), wanted, now].filter((state) => Object.keys(state).length > 0);
  try {
    await targetKind(context, platform, spec).attempt?.(spec, places);
    return view;
  } catch (error) {
    const refused = against(error);
    if (!refused) throw error;
    const message = `the API server would refuse to switch traffic target ${view.target}: ${refused.words}. ${refused.remedy}`;
    return { ...view, refused: { reason: 'SwitchRefused', message } };
  }
}

async function trialOfPreviews({ client }: Context, { spec }: Cutover, platform: Platform) {
  const generation = spec.to;
  if (generation === undefined) return undefined;
  const asked = new Set((spec.verify ?? []).map(({ http }) => http?.target));
  for (const target of platform.spec.traffic) {
    if (!asked.has(target.name) || !target.preview) continue;
    const view = await viewPreview(client, target, { platform: platform.metadata.name, generation });
    const problem = 'message' in view ? view : view.problem;
    if (problem) return { reason: problem.reason, message: `${problem.message}; checks ask there` };
  }
  return undefined;
}
