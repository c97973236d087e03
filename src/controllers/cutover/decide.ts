import { isDeepStrictEqual } from 'node:util';
import { CUTOVER_FINALIZER, type Cutover } from '../../api/v1alpha1/index.ts';
import { isTrue, kstatus, timestamp, type Verdict } from '../../domain/conditions.ts';
import { freezeOf } from '../../domain/freeze.ts';
import type { Problem } from '../../traffic/target.ts';
import { planChanged } from './approvals.ts';
import { astray } from './astray.ts';
import { ended, ending, notBlocked } from './ending.ts';
import type { Action, CutoverInput, Effect, Step } from './input.ts';
import { releases } from './job-runs.ts';
import { hasBegun, isBegun, isDone, isOver, type Journal, recorded } from './journal.ts';
import { lossOf } from './loss.ts';
import { leftToOthers } from './moves.ts';
import { isBarredForGood, refusedInVain, refusedToOthers, withWords } from './refused.ts';
import { report } from './report.ts';
import { steps } from './steps/index.ts';
import { noWayBack } from './way-back.ts';

/**
 * controllers/cutover carries a Cutover through its steps: one decision at a time, journalled before its effects, seen
 * before it counts as done, and taken back in reverse order when it cannot go on. In goes the cutover with everything that
 * it touches, read live; out comes the status to write first, the effects in their order, and when to look again.
 */

/** How soon to look again, declared ms: at what was asked for, and at what somebody else has to do. */
const SOON = 1_000;
const BLOCKED = 10_000;
/** Real ms: endpoints and addresses move in real time, however fast a drill runs. */
const SOONEST = 200;

export interface CutoverDecision {
  status: Cutover['status'];
  effects: Effect[];
  /** The step that the effects are about. */
  step?: Step['name'];
  /** real ms; 0: at once */
  requeueAfter: number | undefined;
}

/** Whatever else there is to do: Jobs whose end is written down are let go. */
export function decide(input: CutoverInput): CutoverDecision {
  const decision = decideOn(input);
  return { ...decision, effects: [...releases(input, decision.status), ...decision.effects] };
}

function decideOn(input: CutoverInput): CutoverDecision {
  const { cutover, platform } = input;
  if (cutover.status.outcome) return over(input, cutover.status.outcome);
  // Before anything else is concluded: what the platform says of itself is what is in doubt.
  const frozen = platform && freezeOf(platform);
  if (frozen) return blocked(input, { reason: 'Frozen', message: frozen });
  if (input.successor) return handOver(input, input.successor);
  return isBegun(cutover) ? goOn(input) : beginOrNot(input);
}

/** A Job goes with its Cutover, and is the only proof that its migration has run: until the heir has seen its end, both stay. */
function handOver(input: CutoverInput, { metadata: { name }, status }: Cutover): CutoverDecision {
  const message = `Cutover ${name} has taken over what this one had begun`;
  const awaited = status.outcome
    ? undefined
    : status.migrations?.find(({ state, job }) => state === 'Running' && input.jobs.some((view) => view.name === job));
  if (!awaited) return end(input, 'Superseded', message);
  const waits = `${message}, and waits for Job ${awaited.job} of this one`;
  const verdicts: Verdict[] = [
    { type: 'Ready', status: false, reason: 'TakenOver', message: waits },
    ...kstatus('Reconciling', 'TakenOver', waits),
    notBlocked,
  ];
  return { status: report(input, verdicts, {}), effects: [], requeueAfter: Math.max(SOONEST, input.scaled(SOON)) };
}

/** Nothing has moved: it may still turn out to be about what is no longer so. */
function beginOrNot(input: CutoverInput): CutoverDecision {
  const { cutover, platform } = input;
  const { name } = cutover.metadata;
  if (cutover.spec.abort) return end(input, 'Aborted', 'it was aborted before it began: nothing was moved');
  // Another one under way may still go back, and what this one was written for is so again.
  if (input.first && isBegun(input.first)) return blocked(input, inProgress(input.first, cutover));
  if (isSuperseded(input)) {
    const live = platform?.status.live?.name;
    const from = cutover.spec.from === '' ? 'empty' : cutover.spec.from;
    return end(input, 'Superseded', `spec.from is ${from}, and ${live ?? 'no generation'} is live: nothing was moved`);
  }
  const spent = spentOf(input);
  if (spent) return end(input, 'Superseded', `${spent}: nothing was moved`);
  if (isFromBefore(input))
    return blocked(input, {
      reason: 'FromBeforeRestore',
      message: `Cutover ${name} was there before spec.rebind settled a restore from a backup, and it may be one that had ended. Delete it; if it is still wanted, apply another one`,
    });
  return input.first ? blocked(input, inProgress(input.first, cutover)) : proceed(input);
}

function goOn(input: CutoverInput): CutoverDecision {
  const { cutover } = input;
  const taken = heldByAnother(input);
  if (taken) return blocked(input, taken);
  if (cutover.status.undo) return goBack(input);
  if (cutover.spec.abort && !noWayBack(input)) return turn(input, { reason: 'Abort', message: 'spec.abort is set' });
  if (input.first) return blocked(input, inProgress(input.first, cutover));
  // Between Reserve and the first step that does something there may have been a pause of days.
  const waited = isDone(cutover, 'Reserve') && !cutover.spec.paused;
  const changed = waited ? planChanged(input) : undefined;
  return changed ? blocked(input, changed) : proceed(input);
}

/**
 * A Platform that was edited by hand, or comes from a backup, may name another one: two that move the same traffic would
 * undo each other. Before Reserve is done nothing has moved, and Retain gives the Platform back itself.
 */
function heldByAnother({ cutover, platform }: CutoverInput): Problem | undefined {
  const holder = platform?.status.cutover;
  const ours = [cutover.metadata.uid, cutover.spec.supersedes?.uid];
  if (!holder || ours.includes(holder.uid)) return undefined;
  if (!isDone(cutover, 'Reserve') || hasBegun(cutover, 'Retain')) return undefined;
  return {
    reason: 'PlatformNotHeld',
    message: `Platform ${cutover.spec.platform} is held by Cutover ${holder.name}, and no longer by this one: its status was edited, or comes from a backup. Nothing more is moved. Let ${holder.name} finish, or abort it (spec.abort: true); this one then goes on by itself`,
  };
}

const inProgress = (first: Cutover, { spec }: Cutover): Problem => ({
  reason: 'CutoverInProgress',
  message: `Cutover ${first.metadata.name} of Platform ${spec.platform} is not finished: one at a time. Let it finish, abort it (spec.abort: true), or delete it if it has not begun`,
});

/** Not the live one any more, or not yet: what this cutover was written for is no longer so. */
function isSuperseded({ cutover, platform }: CutoverInput): boolean {
  return platform?.status.protected !== undefined && (platform.status.live?.name ?? '') !== cutover.spec.from;
}

/**
 * Why what is applied once more, from Git for example, can never begin, though `from` is live again: it has had its time, or
 * its generation has. It ends, where one that is Blocked for ever would stand in the way of others.
 */
function spentOf({ cutover, platform, to }: CutoverInput): string | undefined {
  if (!platform || to?.spec.platform !== platform.metadata.name) return undefined;
  const { name } = to.metadata;
  const { retiredTime, liveTime, liveBy } = to.status;
  const replayed = liveBy?.includes(cutover.metadata.name) === true;
  if (!replayed && cutover.spec.mode !== 'Planned') return undefined;
  if (retiredTime) return `${name} was live and was retired at ${retiredTime}, for ever`;
  if (replayed)
    return `${name} was made live before by a Cutover of this name, and a cutover is decided once (apply one with another name)`;
  return liveTime && `${name} has been live before, and going back to it is a Cutover of mode Rollback`;
}

/** Restored along with everything else, it has lost its outcome: it could move traffic back to where it once was. */
const isFromBefore = ({ cutover, platform }: CutoverInput): boolean =>
  (platform?.status.rebound ?? []).some(
    ({ time }) => Date.parse(time) >= Date.parse(cutover.metadata.creationTimestamp),
  );

/** What a person may prepare beforehand: a pause holds only what moves something. */
const BEFORE_ANYTHING_MOVES = ['Preflight', 'Approve'];

/** Takes the first step that is not done; those before it are marked so. */
function proceed(input: CutoverInput): CutoverDecision {
  const { cutover, now } = input;
  let journal = cutover.status.steps ?? [];
  for (const step of steps) {
    const entry = journal.find(({ name }) => name === step.name);
    // As long as nothing is held they may come to be no longer so: the plan, an approval, the window.
    const again = !isBegun(cutover) && BEFORE_ANYTHING_MOVES.includes(step.name);
    if (isOver(entry) && !again) continue;
    if (!entry) {
      if (cutover.spec.paused && !BEFORE_ANYTHING_MOVES.includes(step.name)) return paused(input, step, journal);
      const skipped = step.skip?.(input);
      if (skipped !== undefined) {
        journal = recorded(journal, step.name, { state: 'Skipped', endTime: timestamp(now), message: skipped }, now);
        continue;
      }
    }
    const lost = lossOf(input, step.name) ?? astray(input, step.name);
    if (lost) return failed(input, step, journal, lost);
    if (!step.done(input)) return take(step, input, journal);
    if (isOver(entry)) continue;
    journal = recorded(journal, step.name, { state: 'Done', endTime: timestamp(now), message: undefined }, now);
  }
  const { from, to } = cutover.spec;
  return end(input, 'Succeeded', to === undefined ? `${from} is not live any more` : `${to} is live`, journal);
}

/** Does what a step wants next, and says what it is at. */
function take(step: Step, input: CutoverInput, journal: Journal): CutoverDecision {
  const action = step.act(input);
  if ('failed' in action) return failed(input, step, journal, action.failed, action.journal);
  const vain = refusedInVain(input, action);
  return vain ? failed(input, step, journal, vain) : carryOut(step, input, journal, action);
}

function carryOut(
  step: Step,
  input: CutoverInput,
  journal: Journal,
  action: Exclude<Action, { failed: Problem }>,
  { back = false, barred = false }: { back?: boolean; barred?: boolean } = {},
): CutoverDecision {
  if ('blocked' in action)
    return blocked(
      input,
      action.blocked,
      recorded(journal, step.name, { message: short(action.blocked.message), endTime: undefined }, input.now),
    );
  const waits = 'waitFor' in action;
  const message = waits ? action.waitFor : action.message;
  const before = journal.find(({ name }) => name === step.name);
  const refused = waits ? refusedToOthers(input, step.name) : undefined;
  if (refused) {
    const { name, message } = { name: step.name, message: short(refused.message) };
    const status = { ...input.cutover.status, ...action.journal };
    const written = { ...input, cutover: { ...input.cutover, status } };
    return blocked(written, refused, recorded(journal, name, { message, endTime: undefined }, input.now));
  }
  // What was refused stays Blocked while it is tried again, until it is seen to be done: no attempt is a beginning, nor a write.
  const retried = !waits && action.effects.length > 0 && before !== undefined && isTrue(input.cutover, 'Blocked');
  const counted = waits || retried ? 0 : 1;
  const attempts = (before?.attempts ?? 0) + counted;
  const journalled = recorded(journal, step.name, { message: short(message), attempts, endTime: undefined }, input.now);
  const patient = waits && action.patiently === true;
  const reason = back ? `Undoing${step.name}` : step.name;
  const pauses = input.cutover.spec.paused && !back && mayPauseAfter(step);
  const text = pauses ? `${message}; spec.paused: it pauses after this step` : message;
  const ongoing: Verdict[] = [
    { type: 'Ready', status: false, reason, message: text },
    ...kstatus(patient ? 'Current' : 'Reconciling', reason, text),
    notBlocked,
  ];
  // Something else is refused still.
  const said = barred ? [] : ongoing;
  const soon = MOVING.includes(step.name) ? SOONEST : Math.max(SOONEST, input.scaled(SOON));
  if (waits) {
    const requeueAfter = action.until === undefined ? soon : Math.max(SOONEST, action.until - input.now);
    return { status: report(input, said, { ...action.journal, steps: journalled }), effects: [], requeueAfter };
  }
  // A cloud and the endpoints of a Service take their time to show a change; the API server shows its own at once.
  const asking = action.effects.some((effect) => SLOW.includes(effect.do));
  const own = retried ? notBegunAnew(input.cutover, action.journal) : action.journal;
  return {
    status: report(input, retried ? [] : said, { ...own, steps: journalled }),
    effects: action.effects,
    step: step.name,
    requeueAfter: asking ? soon : 0,
  };
}

/** The journal of an action that is tried again: what would only begin at another time has begun already, so that its deadline comes. */
function notBegunAnew({ status }: Cutover, journal: Partial<Cutover['status']> = {}): Partial<Cutover['status']> {
  const kept = <E extends { name: string; startTime?: string | undefined }>(before: E[] | undefined, now: E[]): E[] =>
    now.map((entry) => {
      const old = before?.find(({ name }) => name === entry.name);
      return old && isDeepStrictEqual({ ...old, startTime: '' }, { ...entry, startTime: '' }) ? old : entry;
    });
  const { migrations, checks } = journal;
  return {
    ...journal,
    ...(migrations && { migrations: kept(status.migrations, migrations) }),
    ...(checks && { checks: kept(status.checks, checks) }),
  };
}

/** The last one ends it; those before anything moves are not held. */
const mayPauseAfter = (step: Step): boolean => step !== steps.at(-1) && !BEFORE_ANYTHING_MOVES.includes(step.name);

/** Steps during which users wait, or see two generations: looked at as often as there can be something to see. */
const MOVING: Step['name'][] = ['Hold', 'Switch', 'Point', 'Release'];

const SLOW: Effect['do'][] = ['switch', 'tag', 'startJob', 'preview'];

/** Going back while that is possible; else Blocked, and tried again. */
function failed(
  input: CutoverInput,
  step: Step,
  journal: Journal,
  cause: Problem,
  change: Partial<Cutover['status']> = {},
): CutoverDecision {
  const written = { ...input, cutover: { ...input.cutover, status: { ...input.cutover.status, ...change } } };
  const problem = withWords(input, cause);
  const message = short(problem.message);
  const barred = noWayBack(written);
  if (barred) {
    const text = `${problem.message}. There is no way back (${barred.message}): remove the cause and it goes on by itself (a Job that has failed is run again once it is deleted), or apply a Cutover with spec.supersedes`;
    return blocked(written, { ...problem, message: text }, recorded(journal, step.name, { message }, input.now));
  }
  const ended = { state: 'Failed' as const, endTime: timestamp(input.now), message };
  return turn(written, problem, recorded(journal, step.name, ended, input.now));
}

/** From here on it goes back. Written before anything is undone. */
function turn(input: CutoverInput, problem: Problem, journal = input.cutover.status.steps ?? []): CutoverDecision {
  const message = short(problem.message);
  const status = { steps: journal, undo: { reason: problem.reason, message, time: timestamp(input.now) } };
  return { status: report(input, goingBack(problem.reason, message), status), effects: [], requeueAfter: 0 };
}

const goingBack = (reason: string, message: string): Verdict[] => [
  { type: 'Ready', status: false, reason, message: `going back: ${message}` },
  ...kstatus('Reconciling', reason, `going back: ${message}`),
  notBlocked,
];

/** Undoes what was begun, the last step first. */
function goBack(input: CutoverInput): CutoverDecision {
  const { cutover, now } = input;
  const undo = cutover.status.undo;
  let journal = cutover.status.steps ?? [];
  let barred: { step: Step; action: Action } | undefined;
  for (const step of steps.toReversed()) {
    if (!hasBegun(cutover, step.name)) continue;
    // What keeps others from beginning is given back last.
    if (barred && step.name === 'Reserve') break;
    const action = step.undo(input);
    if (action && isBarredForGood(input, action)) {
      barred = { step, action };
      continue;
    }
    if (action) return undoNow(input, step, action, journal, barred !== undefined);
    // Also one that has failed: what is undone is not looked at again, or two steps would undo each other. Its message stays.
    journal = recorded(journal, step.name, { state: 'Undone', endTime: timestamp(now) }, now);
  }
  if (barred) return undoNow(input, barred.step, barred.action, journal);
  const outcome = undo?.reason === 'Abort' ? 'Aborted' : 'RolledBack';
  const live = input.platform?.status.live?.name ?? 'no generation';
  const left = leftToOthers(input);
  const all = left.length > 0 ? 'everything else was undone' : 'everything was undone';
  const what = [`${undo?.message}; ${all}, and ${live} is live`, ...left].join('; ');
  return end(input, outcome, what, journal);
}

function undoNow(input: CutoverInput, step: Step, action: Action, journal: Journal, barred = false): CutoverDecision {
  const { now } = input;
  if ('failed' in action) return blocked(input, action.failed, recordedUndo(journal, step, action.failed.message, now));
  const message = `undoing: ${'waitFor' in action ? action.waitFor : 'blocked' in action ? action.blocked.message : action.message}`;
  const decision = carryOut(step, input, journal, action, { back: true, barred });
  const { status } = decision;
  return {
    ...decision,
    status: { ...status, steps: recordedUndo(status.steps ?? journal, step, message, now, journal) },
  };
}

/** A step that is being undone keeps the state that it had, so that one that failed still shows it. */
function recordedUndo(journal: Journal, step: Step, message: string, now: number, before = journal): Journal {
  const old = before.find(({ name }) => name === step.name);
  return recorded(
    journal,
    step.name,
    { state: old?.state ?? 'Running', endTime: old?.endTime, message: short(message) },
    now,
  );
}

function paused(input: CutoverInput, step: Step, journal: Journal): CutoverDecision {
  const message = `spec.paused is set: it goes on with ${step.name} when that is taken away`;
  const verdicts: Verdict[] = [
    { type: 'Ready', status: false, reason: 'Paused', message },
    ...kstatus('Current', 'Paused', message),
    notBlocked,
  ];
  return { status: report(input, verdicts, { steps: journal }), effects: [], requeueAfter: input.scaled(BLOCKED) };
}

export function blocked(
  input: CutoverInput,
  { reason, message }: Problem,
  steps = input.cutover.status.steps,
): CutoverDecision {
  const verdicts: Verdict[] = [
    { type: 'Blocked', status: true, reason, message },
    { type: 'Ready', status: false, reason, message },
    ...kstatus('Stalled', reason, message),
  ];
  return { status: report(input, verdicts, { steps }), effects: [], requeueAfter: input.scaled(BLOCKED) };
}

function end(
  input: CutoverInput,
  outcome: NonNullable<Cutover['status']['outcome']>,
  message: string,
  steps = input.cutover.status.steps,
): CutoverDecision {
  return { status: report(input, ending(outcome, message), { steps, outcome }), effects: [], requeueAfter: 0 };
}

/** All that is left of one that has ended: its finalizer goes, and it says how long there is a way back. */
function over(input: CutoverInput, outcome: NonNullable<Cutover['status']['outcome']>): CutoverDecision {
  const { cutover, now } = input;
  const said = ended(cutover, outcome, now);
  const status = outcome === 'Succeeded' ? report({ ...input, cutover: { ...cutover, status: said } }, [], {}) : said;
  const held = cutover.metadata.finalizers?.includes(CUTOVER_FINALIZER) === true;
  if (!held) return { status, effects: [], requeueAfter: undefined };
  const effects: Effect[] = [{ do: 'finalizer', wanted: false, what: 'this Cutover may be deleted' }];
  // The last that Retain does, or the undoing of what Reserve has done.
  return { status, effects, step: outcome === 'Succeeded' ? 'Retain' : 'Reserve', requeueAfter: undefined };
}

/** Longest message of a step. */
const short = (message: string): string => message.slice(0, 2048);
