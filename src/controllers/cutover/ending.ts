import type { Cutover } from '../../api/v1alpha1/index.ts';
import { conditionOf, kstatus, type Verdict, withConditions } from '../../domain/conditions.ts';

/** How a Cutover ends, in conditions: what pipelines and deployment tools wait for. */

type Outcome = NonNullable<Cutover['status']['outcome']>;

/**
 * Ends in which what was asked for was tried and is not so: Ready is False and Stalled True, which kstatus counts as Failed. Superseded
 * is no failure: nothing was left to do, or another one has taken over, and its file stays in Git as a record. Succeeded tells all apart.
 */
const FAILURES: readonly Outcome[] = ['RolledBack', 'Aborted'];

export const notBlocked: Verdict = { type: 'Blocked', status: false, reason: 'NotBlocked', message: '' };

export const notEnded: Verdict = { type: 'Succeeded', status: 'Unknown', reason: 'NotEnded', message: '' };

/** What is said of one that ends. */
export function ending(outcome: Outcome, message: string): Verdict[] {
  const failed = FAILURES.includes(outcome);
  return [
    { type: 'Ready', status: !failed, reason: outcome, message },
    { type: 'Succeeded', status: outcome === 'Succeeded', reason: outcome, message },
    ...kstatus(failed ? 'Stalled' : 'Current', outcome, message),
    notBlocked,
  ];
}

/** The same of one that has ended before: under a release that said less, or before something was refused that came after the end. */
export function ended({ metadata, status }: Cutover, outcome: Outcome, now: number): Cutover['status'] {
  const message = (conditionOf({ status }, 'Succeeded') ?? conditionOf({ status }, 'Ready'))?.message ?? '';
  const { generation } = metadata;
  return {
    ...status,
    observedGeneration: generation,
    conditions: withConditions(status.conditions, ending(outcome, message), { generation, now }),
  };
}
