import type { ClusterGeneration, Platform } from '../../src/api/v1alpha1/index.ts';
import { decide } from '../../src/controllers/retirement/decide.ts';
import { EPOCH } from '../builders/objects.ts';
import { type Act, statusAct } from './acts.ts';
import { uidOf } from './facts.ts';
import type { State, World } from './world.ts';

/** What the retirement controller does about a generation by what it has read, the cutovers as they are now: read last, as gather.ts does. */
export function retirementActs(world: World, state: State, seen: Map<number, number>, name: string): Act[] {
  const now = world.now(state);
  const generation = world.object(seen.get(world.slot(name)) ?? 0, now) as ClusterGeneration | undefined;
  const platform = world.object(seen.get(0) ?? 0, now) as Platform | undefined;
  const cutovers = world.cutoverNames.flatMap((cutover) => world.cutover(state, cutover) ?? []);
  const { effects } = decide({
    name,
    generation,
    platform,
    cutovers: new Map(cutovers.map((cutover) => [uidOf(cutover.metadata.name), cutover])),
    unfinished: cutovers.filter(({ status }) => !status.outcome),
    noMachines: !world.runs(state, name),
    now: EPOCH + now * 1000,
    scaled: (ms) => ms,
  });
  return effects.flatMap(({ object, status, reason }) =>
    statusAct(world, seen.get(world.slot(object.metadata.name)) ?? 0, status, `${object.metadata.name}: ${reason}`),
  );
}
