import { perform } from './acts.ts';
import { activities, look } from './operator.ts';
import type { State, World } from './world.ts';

/**
 * What becomes of a state when nothing goes wrong any more: one operator goes on alone. It has to come to rest (L1), and at
 * rest every cutover has ended, or says what a person has to do (L2), and nothing that it held is left over.
 */

/** More than any run that ends needs: each cutover takes about a dozen decisions, there and back. */
const LONG = 300;

export function restOf(world: World): (state: State) => string | undefined {
  /** States from which it is known to come to a good rest. */
  const good = new Set<string>();
  return (state) => {
    const passed: string[] = [];
    const at = state.slice();
    for (let hand = 0; hand < world.scenario.operators; hand++) if (world.jobNumber(at, hand) > 0) return undefined;
    for (let turn = 0; turn < LONG; turn++) {
      const key = String.fromCharCode(...at.subarray(0, world.handsAt));
      if (good.has(key)) break;
      passed.push(key);
      if (goOn(world, at)) continue;
      const wrong = wrongAtRest(world, at);
      if (wrong !== undefined) return `${wrong}, when the leader has gone on alone`;
      break;
    }
    if (passed.length === LONG) return 'L1: an operator that is left alone never comes to rest';
    for (const key of passed) good.add(key);
    return undefined;
  };
}

/** Carries out the first decision that there is; false when there is none. */
function goOn(world: World, state: State): boolean {
  for (const activity of activities(world, state)) {
    world.hold(state, 0, look(world, state, activity), 0);
    if (world.jobNumber(state, 0) === 0) continue;
    while (world.jobNumber(state, 0) > 0) perform(world, state, 0);
    return true;
  }
  return false;
}

function wrongAtRest(world: World, state: State): string | undefined {
  const names = world.cutoverNames;
  const all = names.flatMap((name) => world.factsIn(state, name) ?? []);
  const isOver = (uid: string | undefined) => !all.some(({ name, status }) => `uid-${name}` === uid && !status.outcome);
  for (const { name, status, asked, finalizer } of all) {
    const blocked = ((status.conditions ?? []) as { type: string }[]).some(({ type }) => type === 'Blocked');
    if (!status.outcome && !blocked && !asked?.paused) return `L2: ${name} has not ended, and is not Blocked`;
    if (status.outcome && finalizer) return `L2: ${name} has ended, and keeps its finalizer`;
  }
  const platform = world.factsIn(state, 'us')?.status as Record<string, { uid: string; name: string } | undefined>;
  if (platform.cutover && isOver(platform.cutover.uid))
    return `L2: ${platform.cutover.name} has ended, and holds the platform`;
  for (const name of world.scenario.generations) {
    const holder = world.factsIn(state, name)?.status.reservedBy as { uid: string; name: string } | undefined;
    if (holder && isOver(holder.uid)) return `L2: ${holder.name} has ended, and ${name} is still reserved by it`;
  }
  if (all.some(({ status }) => !status.outcome && status.generations)) return undefined;
  const astray = world.setting.traffic.findIndex((_, index) => world.serves(state, index) !== platform.live?.name);
  if (astray < 0) return undefined;
  return `${world.setting.traffic[astray]?.name} does not point at ${platform.live?.name}, which is live, and no cutover is under way`;
}
