import type { StepName } from '../../api/v1alpha1/index.ts';
import type { Problem } from '../../traffic/target.ts';
import type { CutoverInput } from './input.ts';
import { barredBy, hasBegun, irreversibleIn, isBegun } from './journal.ts';

/**
 * The point of no return: why a cutover cannot be undone any more; undefined while it can. What is not known, because the
 * cloud does not answer, bars nothing: the undoing itself looks again before it moves anything.
 */
export function noWayBack(input: Pick<CutoverInput, 'cutover' | 'from' | 'left'>): Problem | undefined {
  const { cutover } = input;
  const begun = (step: StepName) => hasBegun(cutover, step);
  const irreversible = irreversibleIn(cutover);
  if (irreversible) return barredBy(irreversible);
  // What that had begun cannot be undone: in part this one has not even begun with it.
  if (cutover.spec.supersedes && isBegun(cutover)) {
    const { name } = cutover.spec.supersedes;
    return { reason: 'TakenOver', message: `it goes on with what Cutover ${name} could not take back any more` };
  }
  if (cutover.spec.from === '' && begun('Point'))
    return { reason: 'FirstCutover', message: 'no generation was live before it: there is none to go back to' };
  if (cutover.spec.mode === 'Decommission' && begun('Point'))
    return { reason: 'Decommissioned', message: `${cutover.spec.from} is not live any more` };
  if (begun('Retain'))
    return { reason: 'Finishing', message: 'it has succeeded: a Cutover of mode Rollback goes back' };
  return begun('Hold') || begun('Switch') ? oldCapacityGone(input) : undefined;
}

/** Going back would point traffic at what is not there. */
function oldCapacityGone({
  cutover,
  from,
  left,
}: Pick<CutoverInput, 'cutover' | 'from' | 'left'>): Problem | undefined {
  const name = cutover.spec.from;
  if (name === '') return undefined;
  const gone = (why: string): Problem => ({
    reason: 'OldCapacityGone',
    message: `there is nothing to go back to: ${why}`,
  });
  const expected = cutover.status.generations?.from?.uid;
  if (!from || (expected !== undefined && from.metadata.uid !== expected))
    return gone(`ClusterGeneration ${name}, from which this cutover moves, does not exist any more`);
  if (from.status.retiredTime) return gone(`${name} was retired at ${from.status.retiredTime}`);
  if (Array.isArray(left) && left.length === 0) return gone(`no machine of ${name} runs`);
  return undefined;
}
