import type { StepName } from '../../api/v1alpha1/index.ts';
import { type Problem, stateText } from '../../traffic/target.ts';
import type { CutoverInput } from './input.ts';
import { type Entry, type Standing, standingOf, type Way } from './standing.ts';

/** Steps during which traffic stays where earlier ones have put it. */
const RESTS: StepName[] = ['Quiesce', 'Migrate', 'Verify', 'Switch', 'Point', 'Release', 'Restore', 'Soak'];

const HELD: Way = { applies: () => true, from: 'from', to: 'hold' };
const THERE: Way = { ...HELD, to: 'to' };
/** Where an entry that is settled says that its target is. */
const WAYS: Partial<Record<Entry['state'], Way>> = { Held: HELD, Verified: THERE };

/**
 * A target that somebody else has moved since a step that is over has brought it where it has to be: users would reach the old
 * generation while data is migrated, or nothing. What cannot be seen has not strayed, nor has what the new generation serves,
 * or what was taken out of the Platform on purpose.
 */
export function astray(input: CutoverInput, step: StepName): Problem | undefined {
  if (!RESTS.includes(step)) return undefined;
  for (const entry of input.cutover.status.switches ?? []) {
    if (isMovedBy(step, entry)) continue;
    const way = WAYS[entry.state];
    const found = way && problemOf(input, entry, standingOf(input, entry, way), way);
    if (found) return found;
  }
  return undefined;
}

const isMovedBy = (step: StepName, { hold }: Entry): boolean => step === (hold === undefined ? 'Switch' : 'Release');

function problemOf(input: CutoverInput, entry: Entry, standing: Standing, way: Way): Problem | undefined {
  const { target } = entry;
  const view = input.targets.find((one) => one.target === target);
  if (way === THERE && view?.serving) return undefined;
  if (standing.is === 'lost') return standing.problem.reason === 'TargetRemoved' ? undefined : standing.problem;
  // Part by part, machines come and go: only what nobody of this cutover could have caused is somebody else's doing.
  if (standing.is !== 'away' || view?.parts) return undefined;
  return {
    reason: 'ForeignChange',
    message: `traffic target ${target} is at ${stateText(standing.now)}, and this cutover had brought it to ${stateText(standing.goal)}. Somebody else changed it: set it back`,
  };
}
