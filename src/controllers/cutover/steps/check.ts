import { timestamp } from '../../../domain/conditions.ts';
import { parseDuration } from '../../../domain/duration.ts';
import { realLimit } from '../../../domain/moment.ts';
import type { CutoverInput } from '../input.ts';
import { passing } from '../job-manifest.ts';
import type { Check, Entry, Look } from './checks-round.ts';
import { jobKey, located, progressOf, startOf } from './job-progress.ts';

/** One look at one check: by what it was answered, or by what its Job shows. */

/** How long a check may take that does not say so. */
const HTTP_DEADLINE = '30s';
const JOB_DEADLINE = '10m';

/**
 * A Service that was just pointed elsewhere may still be answered for by those before: kube-proxy programs a node within a
 * second of its EndpointSlices (its minSyncPeriod). No answer counts before this. Declared ms.
 */
const SETTLE = 2_000;

/** An answer, and a preview that is seen to lead to the new machines, come in real time, however fast a drill runs. Real ms. */
const LEAST_DEADLINE = 15_000;

/** Longest message of an entry, characters. */
const MESSAGE_LENGTH = 4096;

/** The round that it is in: one that has passed is in none until the next is due. */
const roundOf = (before: Entry | undefined, due: number | undefined): number | undefined =>
  due ?? (before && before.state !== 'Passed' ? before.round : undefined);

/** Tolerates every other answer, and none, until the deadline: what was just started may need a moment. */
export function lookAtHttp(
  input: CutoverInput,
  check: Check,
  before: Entry | undefined,
  due: number | undefined,
): Look {
  const { name, http, deadline = HTTP_DEADLINE } = check;
  const round = roundOf(before, due);
  if (round === undefined || !http) return { entry: before };
  const answer = input.answers.find((one) => one.check === name);
  const begins = due !== undefined || before === undefined;
  const entry = begins ? begun(input, name, round) : before;
  const elapsed = input.now - Date.parse(entry.startTime);
  const late = elapsed > realLimit(input, SETTLE + parseDuration(deadline), LEAST_DEADLINE);
  const showing = `check ${name}: the preview of ${http.target} to show ${input.cutover.spec.to}`;
  // In the first round nobody has looked yet where the preview leads.
  if (due === 0) return { entry, preview: http.target, waiting: showing };
  if (answer?.astray) {
    if (late && entry.state !== 'Failed') return failed(input, entry, `check ${name}: ${answer.message}`);
    // Past the point of no return it is tried again: whoever has removed the cause has nothing else to do.
    const again = entry.state === 'Failed' ? begun(input, name, round) : entry;
    return { entry: { ...again, message: showing }, preview: http.target, waiting: showing };
  }
  if (!answer) return { entry: before, waiting: `check ${name}: to be asked` };
  // It was astray when it was last seen: from now on the network follows it.
  if (entry.state === 'Running' && entry.message !== undefined)
    return { entry: begun(input, name, round), waiting: `check ${name}: to be asked` };
  const settled = begins || elapsed >= input.scaled(SETTLE);
  const matched = answer.status === http.expectStatus;
  if (matched && settled) return { entry: passed(input, entry) };
  const said = `check ${name} of target ${http.target}: ${answer.message}, expected ${http.expectStatus}`;
  if (matched || (!late && entry.state !== 'Failed')) return { entry, waiting: said };
  return failed(input, entry, said);
}

/** A Job that has failed stays failed until somebody deletes it; then it is made again. One whose end was not seen is not. */
export function lookAtJob(input: CutoverInput, check: Check, before: Entry | undefined, due: number | undefined): Look {
  const { name, jobTemplate = {}, deadline = JOB_DEADLINE } = check;
  const round = roundOf(before, due);
  if (round === undefined) return { entry: before };
  const isBegun = due === undefined && before !== undefined;
  const job = isBegun && before.job ? before.job : jobKey(input, round === 0 ? 'verify' : 'soak', name, round);
  if (job === undefined) return { entry: before, failed: nowhere(input, name) };
  // Only what is not journalled begins now: a Job that could not be created has no more time than it had.
  const start = (): Look => ({
    entry: isBegun && before.state === 'Running' ? { ...before, job } : { ...begun(input, name, round), job },
    effects: [startOf(job, passing(jobTemplate), deadline, `run check ${name} as Job ${job}`)],
    waiting: `check ${name}: Job ${job} is started`,
  });
  if (!isBegun) return start();
  const isOver = before.state === 'Failed';
  const known = { ...before, job };
  const entry = located(input, known);
  const progress = progressOf(input, known, deadline, isOver);
  switch (progress.state) {
    case 'Absent':
      return start();
    case 'Running': {
      const running = isOver ? located(input, { ...begun(input, name, round), job }) : entry;
      return {
        entry: running,
        waiting: `check ${name}: Job ${job} runs${progress.message && `; ${progress.message}`}`,
      };
    }
    case 'Succeeded':
      return { entry: passed(input, entry) };
    case 'Failed': {
      const { interrupted } = progress;
      const said = `check ${name}: Job ${job} failed: ${progress.message}`;
      return failed(input, interrupted ? { ...entry, interrupted } : entry, said);
    }
    case 'Lost':
      return failed(input, { ...entry, interrupted: true }, `check ${name}: ${progress.message}`);
    case 'Overdue':
      return failed(input, entry, `check ${name}: ${progress.message}`);
  }
}

const begun = ({ now }: CutoverInput, name: string, round: number): Entry => ({
  name,
  state: 'Running',
  round,
  startTime: timestamp(now),
});

const passed = ({ now }: CutoverInput, { name, round, startTime }: Entry): Entry => ({
  name,
  state: 'Passed',
  round,
  startTime,
  endTime: timestamp(now),
});

/** The first reason stays in the journal: what is asked again and again would change it with every look. */
function failed({ now }: CutoverInput, entry: Entry, message: string): Look {
  const first: Entry =
    entry.state === 'Failed'
      ? entry
      : { ...entry, state: 'Failed', endTime: timestamp(now), message: message.slice(0, MESSAGE_LENGTH) };
  return { entry: first, failed: { reason: 'CheckFailed', message } };
}

const nowhere = ({ cutover }: CutoverInput, name: string) => ({
  reason: 'JobsNotConfigured',
  message: `check ${name} cannot run: spec.jobs was taken out of Platform ${cutover.spec.platform}: put it back`,
});
