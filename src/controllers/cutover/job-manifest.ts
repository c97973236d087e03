import { createHash } from 'node:crypto';
import { type Cutover, GROUP, LABEL, type Platform } from '../../api/v1alpha1/index.ts';
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

/** A Job that is kept for as long as its Cutover: it alone shows that a migration has run. */
export const kept = (template: JobTemplate): JobTemplate => withSpec(template, { ttlSecondsAfterFinished: undefined });

/** Real seconds for which a check's Job is kept, for its log; a long soak asks thousands of times. */
const CHECK_KEPT = 3_600;

/** A Job that may vanish some time after it has ended. */
export const passing = (template: JobTemplate): JobTemplate =>
  withSpec(template, { ttlSecondsAfterFinished: partOf(template, 'spec').ttlSecondsAfterFinished ?? CHECK_KEPT });

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
 * less time, and for more attempts than one.
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
      // Gone with the Cutover, and not before.
      ownerReferences: [{ apiVersion: cutover.apiVersion, kind: cutover.kind, name: cutover.metadata.name, uid }],
    },
    spec: {
      backoffLimit: 0,
      // A second attempt begins only when the first is known to have ended.
      podReplacementPolicy: 'Failed',
      ...spec,
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
