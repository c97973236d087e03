import type { Cutover } from '../../api/v1alpha1/index.ts';
import type { CutoverInput, Effect } from './input.ts';
import { hashOf, type JobTemplate } from './job-manifest.ts';

/** The Jobs that the journal of a cutover is about, and which of them need not be kept any longer. Pure. */

export interface Run {
  /** `namespace/name` */
  job: string;
  /** Once it was seen. */
  uid: string | undefined;
  /** Its end is written down. */
  over: boolean;
  /** Undefined for one that was taken over from a cutover which had something else under that name. */
  template: JobTemplate | undefined;
}

export function runsOf({ spec, status }: Pick<Cutover, 'spec' | 'status'>): Run[] {
  const migrations = (status.migrations ?? []).map(({ name, hash, state, job, uid, endTime }) => {
    const migration = spec.migrations?.find((one) => one.name === name && hashOf(one.jobTemplate) === hash);
    const undoing = state === 'Undoing';
    const template = undoing ? migration?.undo?.jobTemplate : migration?.jobTemplate;
    return { job, uid, over: undoing ? endTime !== undefined : state !== 'Running', template };
  });
  const checks = (status.checks ?? []).map(({ name, state, job, uid }) => {
    const template = spec.verify?.find((check) => check.name === name)?.jobTemplate;
    return { job, uid, over: state !== 'Running', template };
  });
  return [...migrations, ...checks].flatMap(({ job, ...run }) => (job === undefined ? [] : [{ job, ...run }]));
}

/**
 * What lets Jobs and pods go: their end is written down, or their cutover is over. One that is being deleted may go as soon as the
 * journal knows it, which lets Kubernetes end its pods: they stay until their own end is written down.
 *
 * @param status as it will be when these effects are carried out: the journal
 */
export function releases({ cutover, jobs }: CutoverInput, status: Cutover['status']): Effect[] {
  const runs = status.outcome ? [] : runsOf({ spec: cutover.spec, status });
  const open = new Map(runs.filter(({ over }) => !over).map(({ job, uid }) => [job, uid]));
  return jobs.flatMap(({ name, uid, kept, followed }): Effect[] => {
    const needed = open.has(name);
    const job = kept.job && (!needed || (followed === true && open.get(name) === uid));
    const pods = needed ? [] : kept.pods;
    if (!job && pods.length === 0) return [];
    const what = needed ? `let Job ${name} go, which was deleted, and keep its pods` : `let Job ${name} go: it is over`;
    return [{ do: 'releaseJob', name, uid, job, pods, what }];
  });
}
