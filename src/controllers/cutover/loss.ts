import type { StepName } from '../../api/v1alpha1/index.ts';
import type { Problem } from '../../traffic/target.ts';
import type { CutoverInput } from './input.ts';

/** Steps that rest on the new generation being there, and after which nothing has looked at it yet. */
const DEPENDS: StepName[] = ['Hold', 'Quiesce', 'Migrate', 'Verify', 'Switch', 'Point', 'Release', 'Restore', 'Soak'];

/**
 * The new generation, lost while a cutover to it is under way; undefined while it is there. What cannot be seen is not lost.
 */
export function lossOf({ cutover, to, members }: CutoverInput, step: StepName): Problem | undefined {
  const name = cutover.spec.to;
  if (name === undefined || !DEPENDS.includes(step)) return undefined;
  const lost = (message: string): Problem => ({ reason: 'TargetLost', message });
  const expected = cutover.status.generations?.to?.uid;
  if (!to) return lost(`ClusterGeneration ${name} does not exist any more`);
  if (expected !== undefined && to.metadata.uid !== expected)
    return lost(`ClusterGeneration ${name} is not the one that this cutover began with: it was deleted and made anew`);
  if (to.metadata.deletionTimestamp) return lost(`ClusterGeneration ${name} is being deleted`);
  if (!Array.isArray(members)) return undefined;
  const dead = to.spec.pools.find(
    ({ role, machines }) => machines > 0 && !members.some((member) => member.role === role && member.ready),
  );
  return dead && lost(`no machine of role ${dead.role} of ${name} is ready any more`);
}
