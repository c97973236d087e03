import type { Cutover, StepName } from '../../api/v1alpha1/index.ts';
import { isTrue, type Verdict, withConditions } from '../../domain/conditions.ts';
import type { CutoverSight } from '../../telemetry/cutovers.ts';
import type { Problem } from '../../traffic/target.ts';
import { downtimeOf } from './downtime.ts';
import { notEnded } from './ending.ts';
import type { CutoverInput } from './input.ts';
import { hasBegun, isBegun } from './journal.ts';
import { isUnderWay, planOf } from './plan.ts';
import { noWayBack } from './way-back.ts';

/** What a Cutover says of itself: its plan until that is fixed, how far it is, whether there is a way back. */
export function report(
  input: CutoverInput,
  verdicts: readonly Verdict[],
  change: Partial<Cutover['status']>,
): Cutover['status'] {
  const { now } = input;
  const { generation } = input.cutover.metadata;
  const cutover = { ...input.cutover, status: { ...input.cutover.status, ...change } };
  const current = { ...input, cutover };
  const open = cutover.status.outcome === undefined ? [notEnded] : [];
  const all = [...verdicts, ...open, ...milestones(cutover), ...wayBack(current)];
  return {
    ...cutover.status,
    ...plan(input, cutover),
    ...singletons(current),
    ...downtimeOf(cutover, input.platform),
    observedGeneration: generation,
    conditions: withConditions(cutover.status.conditions, all, { generation, now }),
  };
}

/** Fixed by the write that begins with it: what was approved is what is done. */
function plan(input: CutoverInput, { spec, status }: Cutover): Pick<Cutover['status'], 'plan' | 'approvals'> {
  if (isUnderWay(input) || status.outcome || status.undo) return {};
  const approvals = spec.approvals ?? [];
  return { plan: planOf(input), ...((approvals.length > 0 || status.approvals) && { approvals }) };
}

/** Those that have not ended, as far as somebody may have to be called for them. */
export const unfinishedIn = (cutovers: readonly Cutover[]): CutoverSight[] =>
  cutovers
    .filter(({ status }) => status.outcome === undefined)
    .map((cutover) => ({
      platform: cutover.spec.platform,
      cutover: cutover.metadata.name,
      begun: isBegun(cutover),
      blocked: isTrue(cutover, 'Blocked'),
      held: heldIn(cutover).length,
    }));

/** Names of the traffic targets that are behind their maintenance responder. */
const heldIn = ({ status }: Cutover): string[] =>
  (status.switches ?? []).filter(({ state }) => state === 'Held').map(({ target }) => target);

const MILESTONES: [condition: string, step: StepName, done: string][] = [
  ['PreflightPassed', 'Preflight', 'Passed'],
  ['Approved', 'Approve', 'Approved'],
  ['Migrated', 'Migrate', 'Committed'],
  ['Verified', 'Verify', 'Passed'],
  ['Switched', 'Switch', 'Verified'],
  ['SingletonsRestored', 'Restore', 'Restored'],
  ['Soaked', 'Soak', 'Passed'],
];

/** Conditions that say how far it has come. A step that had nothing to do holds nobody up who waits for it. */
function milestones(cutover: Cutover): Verdict[] {
  const reached = MILESTONES.map(([type, step, done]): Verdict => {
    const state = cutover.status.steps?.find(({ name }) => name === step)?.state;
    if (state === 'Done') return { type, status: true, reason: done, message: '' };
    if (state === 'Skipped') return { type, status: true, reason: 'Skipped', message: '' };
    return { type, status: false, reason: state === undefined ? 'NotYet' : `Step${state}`, message: '' };
  });
  const held = heldIn(cutover);
  return [
    ...reached,
    {
      type: 'TrafficHeld',
      status: held.length > 0,
      reason: held.length > 0 ? 'Held' : 'NotHeld',
      message: held.length > 0 ? `behind the maintenance responder: ${held.join(', ')}` : '',
    },
  ];
}

/** Whether it can still be undone, and once it has succeeded: whether a Rollback has something to go back to. */
function wayBack(input: CutoverInput): Verdict[] {
  const { cutover } = input;
  const type = 'RollbackAvailable';
  const succeeded = cutover.status.outcome === 'Succeeded';
  if (!succeeded && !isBegun(cutover)) return [];
  const bar = succeeded ? noRollback(input) : (undone(cutover) ?? noWayBack(input));
  if (bar) return [{ type, status: false, ...bar }];
  const message = succeeded ? `a Cutover of mode Rollback goes back to ${cutover.spec.from}` : 'spec.abort undoes it';
  return [{ type, status: true, reason: succeeded ? 'Retained' : 'Reversible', message }];
}

/** What has gone back cannot be aborted any more. */
const undone = ({ status: { outcome } }: Cutover): Problem | undefined =>
  outcome === 'RolledBack' || outcome === 'Aborted'
    ? { reason: outcome, message: 'it has ended: nothing is left to abort' }
    : undefined;

/** Why there is nothing that a Rollback could go back to, after this cutover has succeeded. */
function noRollback({ cutover, from }: CutoverInput): Problem | undefined {
  const name = cutover.spec.from;
  if (name === '') return { reason: 'FirstCutover', message: 'there is no generation to go back to' };
  if (cutover.spec.to === undefined)
    return {
      reason: 'Decommissioned',
      message: `no generation is live any more: a Cutover with from: "" to another generation begins anew`,
    };
  if (!from || from.metadata.uid !== cutover.status.generations?.from?.uid)
    return { reason: 'OldCapacityGone', message: `${name} is not there any more` };
  const { retiredTime, retention } = from.status;
  if (retiredTime) return { reason: 'Retired', message: `${name} was retired at ${retiredTime}` };
  if (retention?.cutover.uid !== cutover.metadata.uid)
    return { reason: 'LiveAgain', message: `${name} has become live again, by another Cutover` };
  const { noRollback } = retention;
  return noRollback === undefined
    ? undefined
    : { reason: 'IrreversibleMigrationCommitted', message: `${noRollback}: ${name} would have to live with it` };
}

/** Of the pods that move with the live pointer, while they do. */
function singletons({ cutover, tasks, now }: CutoverInput): Pick<Cutover['status'], 'singletons'> {
  const moving = tasks.filter(({ handover }) => handover === 'Singleton');
  if (moving.length === 0 || !hasBegun(cutover, 'Quiesce')) return {};
  const sum = (of: (census: (typeof moving)[number]) => number) =>
    moving.reduce((total, census) => total + of(census), 0);
  const startsPerSecond = sum((census) => census.startsPerSecond);
  const waiting = sum((census) => census.waiting);
  const estimate = waiting > 0 && startsPerSecond > 0 && hasBegun(cutover, 'Restore');
  return {
    singletons: {
      total: sum(({ total }) => total),
      waiting,
      starting: sum(({ starting }) => starting),
      running: sum(({ running }) => running),
      startsPerSecond,
      // To the minute: a status that changes with every look would be written with every look.
      ...(estimate && {
        estimatedEndTime: new Date(
          Math.ceil((now + (waiting / startsPerSecond) * 1000) / 60_000) * 60_000,
        ).toISOString(),
      }),
    },
  };
}
