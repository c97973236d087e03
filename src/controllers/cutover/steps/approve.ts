import { timestamp } from '../../../domain/conditions.ts';
import { approvalsOf, isApproved, wanted } from '../approvals.ts';
import type { Action, CutoverInput, Step } from '../input.ts';
import { nothing } from './nothing.ts';

/** How old the plan may be that people are shown; a change of the Cutover or its Platform is looked at when it is made. Declared ms. */
const RENEWED = 10_000;

/** Approve waits for the people who have to agree to the plan, and for the window in which it may begin. */
export const approve: Step = {
  name: 'Approve',
  done: (input) => isApproved(approvalsOf(input)) && window(input) === undefined,
  act: (input) => {
    const approvals = approvalsOf(input);
    if (!isApproved(approvals))
      return late(input) ?? { waitFor: wanted(approvals), until: input.now + input.scaled(RENEWED), patiently: true };
    return window(input) ?? { waitFor: 'the end of Approve' };
  },
  undo: nothing,
};

/** What keeps it from beginning at this time; a Recovery waits for no window. */
function window(input: CutoverInput): Action | undefined {
  const { cutover, now } = input;
  const { notBefore, mode } = cutover.spec;
  const opens = notBefore === undefined ? 0 : Date.parse(notBefore);
  if (mode !== 'Recovery' && now < opens)
    return { waitFor: `spec.notBefore: it begins at ${timestamp(opens)}`, until: opens, patiently: true };
  return late(input);
}

/** Asked until something moves. */
export function late({ cutover, now }: CutoverInput): Action | undefined {
  const { notAfter, mode } = cutover.spec;
  if (mode === 'Recovery' || notAfter === undefined || now <= Date.parse(notAfter)) return undefined;
  const message = `spec.notAfter (${notAfter}) has passed before it began, and nothing was moved: abort it (spec.abort: true), and apply another Cutover`;
  return { blocked: { reason: 'WindowPassed', message } };
}
