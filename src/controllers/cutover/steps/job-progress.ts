import { formatDuration, parseDuration } from '../../../domain/duration.ts';
import { realLimit } from '../../../domain/moment.ts';
import type { CutoverInput, Effect } from '../input.ts';
import { type JobTemplate, jobName, type Purpose, timeToRun } from '../job-manifest.ts';

/** What has become of a Job that a journal says was asked for. */

export type Progress =
  /** Never created, or deleted since. */
  | { state: 'Absent' }
  /** `message`: what it waits for; may be empty. */
  | { state: 'Running'; message: string }
  | { state: 'Succeeded' }
  | { state: 'Failed'; message: string }
  /** Kubernetes has not ended it at its deadline. */
  | { state: 'Overdue'; message: string };

/** A Job is ended by Kubernetes at its deadline; what takes longer than this is no longer under its control. Declared ms. */
const GRACE = 60_000;
/** Real ms: Kubernetes does not run faster in a drill. */
const LEAST_GRACE = 30_000;

/** @param deadline as the Cutover has it: `30m` */
export function progressOf(
  input: CutoverInput,
  { job, startTime }: { job: string; startTime: string | undefined },
  deadline: string,
): Progress {
  const { jobs, now } = input;
  const view = jobs.find(({ name }) => name === job);
  if (!view) return { state: 'Absent' };
  if (view.state !== 'Running') return view;
  const since = startTime === undefined ? now : Date.parse(startTime);
  const allowed = Math.max(timeToRun(input, parseDuration(deadline)), 1_000) + realLimit(input, GRACE, LEAST_GRACE);
  if (now <= since + allowed) return view;
  const waits = view.message && `; ${view.message}`;
  return {
    state: 'Overdue',
    message: `Job ${job} still runs more than ${formatDuration(GRACE)} after its deadline of ${deadline}, at which Kubernetes should have ended it${waits}. See kubectl describe and its pod's machine; once it is known to be over, delete the Job`,
  };
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
