import { createHash } from 'node:crypto';
import { type Cutover, GROUP, JOB_FINALIZER, LABEL, type Platform } from '../../api/v1alpha1/index.ts';
import { type Moment, realLimit } from '../../domain/moment.ts';
import { digest } from '../../domain/plan-hash.ts';
import type { New } from '../../kube/resource.ts';
import type { Job } from '../../kube/resources.ts';

/** What a Job of a cutover is called and made of: the template of the Cutover, and what is the same for all of them. */

/** A template as CronJobs have it: metadata and the spec of a Job. */
export type JobTemplate = Record<string, unknown>;

/** What a Job is for. Of one name for each item and round, so that nothing is run twice, whatever crashes. */
export type Purpose = 'migrate' | 'undo' | 'verify' | 'soak';

/** 63 is what a label has room for; Jobs with indexed completions add the index to it for the host names of their pods. */
const LONGEST = 60;

/** The Jobs that this Cutover makes are recognised by it. */
export const labelsOf = ({ metadata }: Cutover): Record<string, string> => ({
  [LABEL.cutover]: metadata.name,
  [LABEL.cutoverUID]: metadata.uid,
});

/** A DNS label that people can read and that no other cutover, item or round has. */
export function jobName(cutover: Cutover, purpose: Purpose, item: string, round = 0): string {
  const { name, uid } = cutover.metadata;
  const hash = createHash('sha256').update([uid, purpose, item, round].join('\n')).digest('hex').slice(0, 8);
  const rest = `-${purpose}-${item}-${hash}`;
  // A Cutover's name may have dots, which the name of a pod's host may not.
  const short = name.replaceAll('.', '-').slice(0, LONGEST - rest.length);
  return `${short.replace(/-+$/, '')}${rest}`;
}

/** What a Job does, in twelve digits: the same work has the same hash in every Cutover. */
export const hashOf = (template: JobTemplate): string => digest(template);

/** On a Job that only occupies its name: who comes late to create the real one finds it taken. */
const VOID = `${GROUP}/void`;

/** Of a Job that must never run: suspended for good, whatever the template was. */
export const VOID_TEMPLATE: JobTemplate = {
  metadata: { annotations: { [VOID]: 'true' } },
  spec: {
    suspend: true,
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'never-runs', image: 'none' }] } },
  },
};

export const isVoid = ({ metadata }: Job): boolean => metadata.annotations?.[VOID] === 'true';

export const isVoidTemplate = (template: JobTemplate): boolean =>
  partOf(partOf(template, 'metadata'), 'annotations')[VOID] === 'true';

/** The Job of a migration, or of its undo: kept for as long as its Cutover, and each of its pods until its end is known. */
export function kept(template: JobTemplate): JobTemplate {
  const pod = partOf(partOf(template, 'spec'), 'template');
  const { finalizers } = partOf(pod, 'metadata');
  const others = Array.isArray(finalizers) ? finalizers : [];
  return withSpec(template, {
    ttlSecondsAfterFinished: undefined,
    template: { ...pod, metadata: { ...partOf(pod, 'metadata'), finalizers: [...others, JOB_FINALIZER] } },
  });
}

/** The Job of a migration. One that is not reversible has one attempt, whatever its template asks for. */
export function workOf({ jobTemplate, reversible }: { jobTemplate: JobTemplate; reversible: boolean }): JobTemplate {
  const work = kept(jobTemplate);
  if (reversible) return work;
  const pod = partOf(partOf(work, 'spec'), 'template');
  return withSpec(work, {
    backoffLimit: 0,
    backoffLimitPerIndex: undefined,
    maxFailedIndexes: undefined,
    podFailurePolicy: undefined,
    template: { ...pod, spec: { ...partOf(pod, 'spec'), restartPolicy: 'Never' } },
  });
}

/** Real seconds for which a check's Job is kept once its end is written down, for its log; a long soak asks thousands of times. */
const CHECK_KEPT = 3_600;

/** The Job of a check: it may go some time after it has ended, and not before that was seen. */
export const passing = (template: JobTemplate): JobTemplate =>
  withSpec(template, { ttlSecondsAfterFinished: CHECK_KEPT });

/** Whether a Job of this spec has done its work as soon as one pod of it has. */
export const isSingle = ({ completions, parallelism }: Record<string, unknown>): boolean =>
  (completions ?? 1) === 1 && (parallelism ?? 1) === 1;

const withSpec = (template: JobTemplate, change: object): JobTemplate => ({
  ...template,
  spec: { ...partOf(template, 'spec'), ...change },
});

/** One object within another; an empty one where there is none. */
export function partOf(value: unknown, field: string): Record<string, unknown> {
  const part: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined;
  return typeof part === 'object' && part !== null && !Array.isArray(part) ? { ...part } : {};
}

/** A pod is scheduled, started and seen to end in real time, however fast a drill runs. Real ms. */
const LEAST_RUN = 60_000;

/** Real ms that a Job gets for a declared deadline in ms. */
export const timeToRun = (moment: Pick<Moment, 'scaled'>, deadline: number): number =>
  realLimit(moment, deadline, LEAST_RUN);

/**
 * The Job as it is created. The Cutover decides whose rights it has and how long it may take; the template may ask for
 * less time, and for more attempts than one. How its pods are found and followed is not the template's to say.
 *
 * @param deadline real ms; Kubernetes counts in whole seconds, and this in at least one
 */
export function manifestOf(
  { cutover, platform }: { cutover: Cutover; platform: Platform },
  { name, namespace, template, deadline }: { name: string; namespace: string; template: JobTemplate; deadline: number },
): New<Job> {
  const [metadata, spec] = [partOf(template, 'metadata'), partOf(template, 'spec')];
  const pod = partOf(spec, 'template');
  const podMetadata = partOf(pod, 'metadata');
  const labels = labelsOf(cutover);
  const seconds = Math.max(1, Math.ceil(deadline / 1000));
  const asked = spec.activeDeadlineSeconds;
  const { uid } = cutover.metadata;
  return {
    metadata: {
      name,
      namespace,
      labels: { ...partOf(metadata, 'labels'), ...labels } as Record<string, string>,
      annotations: partOf(metadata, 'annotations') as Record<string, string>,
      finalizers: [JOB_FINALIZER],
      // Gone with the Cutover, and not before.
      ownerReferences: [{ apiVersion: cutover.apiVersion, kind: cutover.kind, name: cutover.metadata.name, uid }],
    },
    spec: {
      backoffLimit: 0,
      ...spec,
      // A second attempt begins only when the first is known to have ended.
      podReplacementPolicy: 'Failed',
      manualSelector: undefined,
      selector: undefined,
      activeDeadlineSeconds: typeof asked === 'number' ? Math.min(asked, seconds) : seconds,
      template: {
        ...pod,
        metadata: { ...podMetadata, labels: { ...partOf(podMetadata, 'labels'), ...labels } as Record<string, string> },
        spec: {
          restartPolicy: 'Never',
          ...partOf(pod, 'spec'),
          serviceAccountName: platform.spec.jobs?.serviceAccountName,
        },
      },
    },
  };
}
