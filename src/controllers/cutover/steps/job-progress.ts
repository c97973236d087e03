import { formatDuration, parseDuration } from '../../../domain/duration.ts';
import { realLimit } from '../../../domain/moment.ts';
import type { CutoverInput, Effect } from '../input.ts';
import { type JobTemplate, jobName, type Purpose, timeToRun } from '../job-manifest.ts';

/** What has become of a Job that a journal says was asked for. */

export type Progress =
  /** Never created; or it has failed, that is written down, and somebody has deleted it: it may be created. */
  | { state: 'Absent' }
  /** `message`: what it waits for; may be empty. */
  | { state: 'Running'; message: string }
  | { state: 'Succeeded' }
  /** `interrupted`: it was deleted before it had ended, or people say that it did not run. */
  | { state: 'Failed'; message: string; interrupted?: true | undefined }
  /** Nothing of it runs any more, and what it has done only people can find out. */
  | { state: 'Lost'; message: string }
  /** Kubernetes has not ended it at its deadline. */
  | { state: 'Overdue'; message: string };

/** What a journal has of a Job: `namespace/name`, its UID once it was seen. */
export interface Journalled {
  job?: string | undefined;
  uid?: string | undefined;
  startTime?: string | undefined;
  interrupted?: boolean | undefined;
}

/** A Job is ended by Kubernetes at its deadline; what takes longer than this is no longer under its control. Declared ms. */
const GRACE = 60_000;
/** Real ms: Kubernetes does not run faster in a drill. */
const LEAST_GRACE = 30_000;

/**
 * @param deadline as the Cutover has it: `30m`
 * @param over the failure of this Job is written down
 */
export function progressOf(input: CutoverInput, entry: Journalled, deadline: string, over = false): Progress {
  const { jobs, now } = input;
  const { job = '', uid, startTime, interrupted } = entry;
  const view = jobs.find(({ name }) => name === job);
  if (!view) {
    if (uid === undefined || (over && !interrupted)) return { state: 'Absent' };
    const decided = decisionOn(input, uid);
    if (decided === 'DidNotRun' && over) return { state: 'Absent' };
    if (decided) return asDecided(decided);
    return over
      ? {
          state: 'Failed',
          message: `Job ${job} was deleted before it had ended. ${askAbout(input, uid)}`,
          interrupted: true,
        }
      : { state: 'Lost', message: `Job ${job} is gone, and how it ended is not known. ${askAbout(input, uid)}` };
  }
  if (view.state === 'Lost') {
    const decided = decisionOn(input, view.uid);
    return decided
      ? asDecided(decided)
      : { ...view, state: 'Lost', message: `${view.message}. ${askAbout(input, view.uid)}` };
  }
  if (view.state !== 'Running') return { ...view, state: view.state };
  const since = startTime === undefined || uid !== view.uid ? now : Date.parse(startTime);
  const allowed = Math.max(timeToRun(input, parseDuration(deadline)), 1_000) + realLimit(input, GRACE, LEAST_GRACE);
  if (now <= since + allowed) return { state: 'Running', message: view.message };
  const waits = view.message && `; ${view.message}`;
  return {
    state: 'Overdue',
    message: `Job ${job} still runs more than ${formatDuration(GRACE)} after its deadline of ${deadline}, at which Kubernetes should have ended it${waits}. See kubectl describe and its pod's machine: stop that machine at the cloud if it does not answer`,
  };
}

const decisionOn = ({ cutover }: CutoverInput, uid: string) =>
  cutover.spec.settled?.find((decision) => decision.uid === uid)?.as;

const asDecided = (as: 'Ran' | 'DidNotRun'): Progress =>
  as === 'Ran'
    ? { state: 'Succeeded' }
    : { state: 'Failed', message: 'spec.settled says that it did not run', interrupted: true };

const askAbout = ({ cutover }: CutoverInput, uid: string): string =>
  `It is not run again by itself: find out what it has done, and say so: kubectl patch cutover ${cutover.metadata.name} --type=merge -p '{"spec":{"settled":[{"uid":"${uid}","as":"Ran"}]}}', or "as":"DidNotRun"`;

/**
 * The entry with the Job that there is now: from when it was first seen its time counts, and its absence means that it is gone.
 * The same entry when that is known.
 */
export function located<T extends Journalled>({ jobs, now }: CutoverInput, entry: T): T {
  const view = jobs.find(({ name }) => name === entry.job);
  if (!view || view.uid === entry.uid) return entry;
  return { ...entry, uid: view.uid, startTime: new Date(now).toISOString() };
}

/** What Jobs are called here: `namespace/name`. Undefined while the Platform does not say where they run. */
export function jobKey(
  { cutover, platform }: CutoverInput,
  purpose: Purpose,
  item: string,
  round?: number,
): string | undefined {
  const namespace = platform?.spec.jobs?.namespace;
  return namespace && `${namespace}/${jobName(cutover, purpose, item, round)}`;
}

export const startOf = (name: string, template: JobTemplate, deadline: string, what: string): Effect => ({
  do: 'startJob',
  name,
  template,
  deadline: parseDuration(deadline),
  what,
});
