import { type Cutover, FLUX_SSA } from '../../api/v1alpha1/index.ts';
import type { Problem } from '../../traffic/target.ts';
import type { CutoverInput } from './input.ts';
import { isUnderWay, planOf } from './plan.ts';

/** Who has approved the plan as it is now, and how many more have to. */
export interface Approvals {
  /** Distinct people who have approved this very plan. */
  given: string[];
  required: number;
  hash: string;
  /** Parts of the plan that have changed since somebody approved it. */
  changed: string[];
  /** Flux would take them back, if it applies the Cutover. */
  exposed: boolean;
}

/** Ending a platform takes two people, whatever it asks for otherwise. */
const DECOMMISSION = 2;

export function approvalsOf(input: CutoverInput): Approvals {
  const { cutover, platform } = input;
  const { hash, changed } = planOf(input);
  const given = (cutover.spec.approvals ?? []).filter(({ planHash }) => planHash === hash).map(({ user }) => user);
  const least = cutover.spec.mode === 'Decommission' ? DECOMMISSION : 0;
  const required = Math.max(least, platform?.spec.approvals.required ?? 0);
  return { given: [...new Set(given)], required, hash, changed, exposed: isExposed(cutover) };
}

/** The policy generations-cutover has not been there, or somebody wants it so. */
const isExposed = ({ metadata }: Cutover): boolean => ['', 'Override'].includes(metadata.annotations?.[FLUX_SSA] ?? '');

/** Which approvals were there when it was last looked at and are not any more, and why that may be; for people. */
export function withdrawn(before: Cutover, now: Cutover['status']['approvals'] = []): string[] {
  const gone = (before.status.approvals ?? []).filter(({ user }) => !now.some((other) => other.user === user));
  const why = isExposed(before)
    ? `Flux takes approvals back where annotation ${FLUX_SSA} is ${before.metadata.annotations?.[FLUX_SSA] ?? 'missing'}: set it to Merge`
    : 'by hand, or by a tool that makes spec what it is in Git (docs/gitops.md)';
  return gone.map(({ user, planHash }) => `the approval of plan ${planHash} by ${user} was taken back: ${why}`);
}

export const isApproved = ({ given, required }: Approvals): boolean => given.length >= required;

/** What approvers have to do, for them. */
export function wanted({ given, required, hash, changed, exposed }: Approvals): string {
  const news = changed.length > 0 ? `the plan has changed since it was approved (${changed.join(', ')}): ` : '';
  return `${news}${given.length} of ${required} approvals of plan ${hash}: look at status.plan, then add {user: <your own user name>, planHash: ${hash}} to spec.approvals${exposed ? `. Flux would take it back: first set annotation ${FLUX_SSA} of this Cutover to Merge` : ''}`;
}

/** Why what is about to be done is not what people agreed to; undefined when it is, and once it is under way. */
export function planChanged(input: CutoverInput): Problem | undefined {
  if (isUnderWay(input)) return undefined;
  const approvals = approvalsOf(input);
  return isApproved(approvals) ? undefined : { reason: 'PlanChanged', message: wanted(approvals) };
}
