import type { Cutover } from '../../api/v1alpha1/index.ts';
import { isTrue, kstatus, timestamp, type Verdict, withConditions } from '../../domain/conditions.ts';
import { freezeOf } from '../../domain/freeze.ts';
import { notImplemented } from '../../domain/not-implemented.ts';
import type { Problem } from '../../traffic/target.ts';
import type { CutoverInput, Effect, Step } from './input.ts';
import { retirement } from './retirement.ts';
import { steps } from './steps/index.ts';

/**
 * controllers/cutover carries a Cutover through its steps: one decision at a time, journalled before its effects, seen
 * before it counts as done. In goes the cutover with everything that it touches, read live; out comes the status to
 * write first, the effects in their order, and when to look again.
 */

/** How soon to look again, declared ms: at what was asked for, and at what somebody else has to do. */
const SOON = 1_000;
const BLOCKED = 10_000;
/** Real ms: endpoints and addresses move in real time, however fast a drill runs. */
const SOONEST = 200;

export interface CutoverDecision {
  status: Cutover['status'];
  effects: Effect[];
  /** real ms; 0: at once */
  requeueAfter: number | undefined;
}

export function decide(input: CutoverInput): CutoverDecision {
  const { cutover, platform } = input;
  const frozen = platform && freezeOf(platform);
  if (cutover.status.outcome === 'Succeeded') {
    const clock = frozen ? { effects: [], requeueAfter: input.scaled(BLOCKED) } : retirement(input);
    return { status: cutover.status, ...clock };
  }
  if (cutover.status.outcome) return { status: cutover.status, effects: [], requeueAfter: undefined };
  // Before anything else is concluded: what the platform says of itself is what is in doubt.
  if (frozen) return blocked(input, { reason: 'Frozen', message: frozen });

  const unbuilt = notImplemented.cutover(cutover);
  if (unbuilt) return blocked(input, { reason: 'NotImplemented', message: unbuilt });
  const begun = cutover.status.generations !== undefined;
  if (!begun && isSuperseded(input)) return superseded(input);
  if (!begun && isFromBefore(input))
    return blocked(input, {
      reason: 'FromBeforeRestore',
      message: `Cutover ${cutover.metadata.name} was there before spec.rebind settled a restore from a backup, and it may be one that had ended. Delete it; if it is still wanted, apply another one`,
    });
  if (input.first)
    return blocked(input, {
      reason: 'CutoverInProgress',
      message: `Cutover ${input.first.metadata.name} of Platform ${cutover.spec.platform} is not finished: one at a time. Let it finish, or delete it if it has not begun`,
    });
  return proceed(input);
}

/** Not the live one any more, or not yet: what this cutover was written for is no longer so. */
function isSuperseded({ cutover, platform }: CutoverInput): boolean {
  return platform?.status.protected !== undefined && (platform.status.live?.name ?? '') !== cutover.spec.from;
}

/** Restored along with everything else, it has lost its outcome: it could move traffic back to where it once was. */
const isFromBefore = ({ cutover, platform }: CutoverInput): boolean =>
  (platform?.status.rebound ?? []).some(
    ({ time }) => Date.parse(time) >= Date.parse(cutover.metadata.creationTimestamp),
  );

function superseded(input: CutoverInput): CutoverDecision {
  const { cutover, platform } = input;
  const live = platform?.status.live?.name;
  const message = `spec.from is ${cutover.spec.from === '' ? 'empty' : cutover.spec.from}, and ${live ?? 'no generation'} is live: nothing was moved`;
  return {
    status: {
      ...report(input, [...finished('Superseded', message), notBlocked]),
      outcome: 'Superseded',
    },
    effects: [],
    requeueAfter: undefined,
  };
}

/** Takes the first step that is not done; those before it are marked so. */
function proceed(input: CutoverInput): CutoverDecision {
  let journal = input.cutover.status.steps ?? [];
  for (const step of steps) {
    if (journal.find(({ name }) => name === step.name)?.state === 'Done') continue;
    if (!step.done(input)) return take(step, input, journal);
    journal = recorded(
      journal,
      step.name,
      { state: 'Done', endTime: timestamp(input.now), message: undefined },
      input.now,
    );
  }
  const message = `${input.cutover.spec.to} is live`;
  return {
    status: {
      ...report(input, [...finished('Succeeded', message), ...milestones(journal), notBlocked]),
      steps: journal,
      outcome: 'Succeeded',
    },
    effects: [],
    requeueAfter: 0,
  };
}

function take(step: Step, input: CutoverInput, journal: Journal): CutoverDecision {
  const action = step.act(input);
  if ('blocked' in action) {
    const steps = recorded(journal, step.name, { state: 'Running', message: action.blocked.message }, input.now);
    return blocked(input, action.blocked, steps);
  }
  const message = 'waitFor' in action ? action.waitFor : action.message;
  const steps = recorded(journal, step.name, { state: 'Running', message }, input.now);
  const ongoing: Verdict[] = [
    { type: 'Ready', status: false, reason: step.name, message },
    ...kstatus('Reconciling', step.name, message),
    ...milestones(steps),
    notBlocked,
  ];
  if ('waitFor' in action)
    return {
      status: { ...report(input, ongoing), steps },
      effects: [],
      requeueAfter: Math.max(SOONEST, input.scaled(SOON)),
    };
  // A cloud and the endpoints of a Service take their time to show a change; the API server shows its own at once.
  const asking = action.effects.some((effect) => effect.do === 'switch' || effect.do === 'tag');
  // What the cloud has just refused stays Blocked while it is tried again, until it is seen to be done.
  const retried = asking && isTrue(input.cutover, 'Blocked');
  return {
    status: { ...report(input, retried ? [] : ongoing), steps, ...action.journal },
    effects: action.effects,
    requeueAfter: asking ? soon(input) : 0,
  };
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
    ...milestones(steps ?? []),
  ];
  return { status: { ...report(input, verdicts), steps }, effects: [], requeueAfter: input.scaled(BLOCKED) };
}

const soon = ({ scaled }: CutoverInput): number => Math.max(SOONEST, scaled(SOON));

type Journal = NonNullable<Cutover['status']['steps']>;
type Entry = Journal[number];

/** The journal with a step's entry brought up to date; its start is kept. */
function recorded(journal: Journal, name: Entry['name'], change: Partial<Entry>, now: number): Journal {
  const before = journal.find((entry) => entry.name === name);
  const entry: Entry = { startTime: timestamp(now), ...before, state: 'Running', ...change, name };
  return [...journal.filter((other) => other.name !== name), entry];
}

const notBlocked: Verdict = { type: 'Blocked', status: false, reason: 'NotBlocked', message: '' };

const finished = (reason: string, message: string): Verdict[] => [
  { type: 'Ready', status: true, reason, message },
  ...kstatus('Current', reason, message),
];

/** Conditions that say how far it has come. */
function milestones(journal: Journal): Verdict[] {
  const done = (step: Entry['name']) => journal.find(({ name }) => name === step)?.state === 'Done';
  return [
    {
      type: 'PreflightPassed',
      status: done('Preflight'),
      reason: done('Preflight') ? 'Passed' : 'NotPassed',
      message: '',
    },
    { type: 'Switched', status: done('Switch'), reason: done('Switch') ? 'Verified' : 'NotSwitched', message: '' },
  ];
}

function report({ cutover, now }: CutoverInput, verdicts: readonly Verdict[]): Cutover['status'] {
  const { generation } = cutover.metadata;
  return {
    ...cutover.status,
    observedGeneration: generation,
    conditions: withConditions(cutover.status.conditions, verdicts, { generation, now }),
  };
}
