import type { State, World } from './world.ts';

/** What must never be, and what must never happen (DESIGN: S1, S2, S3, S10, retired is for ever). */

/** Why a state must never be; undefined for a good one. */
export function wrongWith(world: World, state: State): string | undefined {
  const platform = world.factsIn(state, 'us');
  for (const [index, { name }] of world.setting.traffic.entries()) {
    const generation = world.serves(state, index);
    if (generation === undefined) continue;
    const facts = world.factsIn(state, generation);
    if (!facts) return `S1: ${name} points at ${generation}, which does not exist`;
    if (facts.deleting) return `S1: ${name} points at ${generation}, which is being deleted`;
    if (!world.runs(state, generation)) return `S1: ${name} points at ${generation}, which has no machines`;
    if (facts.status.retiredTime) return `S1: ${name} points at ${generation}, which is retired`;
  }
  const live = (platform?.status.live as { name: string } | undefined)?.name;
  if (live === undefined) return 'S3: no generation is live';
  const facts = world.factsIn(state, live);
  if (!facts) return `S1: the platform says that ${live} is live, and ${live} is gone`;
  // A delayed write of a former leader may point there while it is undone: the cutover that holds the platform takes it back.
  if (isGoingBack(world, state, platform?.status.cutover)) return undefined;
  const { liveTime, retiredTime } = facts.status;
  if (!liveTime) return `S3: the platform says that ${live} is live, and ${live} does not`;
  if (retiredTime) return `S3: ${live} is live, and retired`;
  return undefined;
}

const isGoingBack = (world: World, state: State, cutover: unknown): boolean => {
  const status = world.factsIn(state, (cutover as { name: string } | undefined)?.name ?? '')?.status;
  return status?.undo !== undefined && status.outcome === undefined;
};

/** Why one state must never follow another. */
export function wrongStep(world: World, before: State, after: State): string | undefined {
  const ended = (before[world.machinesAt] ?? 0) & ~(after[world.machinesAt] ?? 0);
  for (const name of world.scenario.generations) {
    if (ended === 0 && before[world.slot(name)] === after[world.slot(name)]) continue;
    const [old, now] = [world.factsIn(before, name), world.factsIn(after, name)];
    if (world.runs(before, name) && !world.runs(after, name)) {
      const holder = holderOf(world, before, name);
      if (holder) return `S2: a machine of ${name} is ended, and ${holder}`;
    }
    if (old?.status.retiredTime && now && now.status.retiredTime !== old.status.retiredTime)
      if (!world.scenario.without.includes('one-way retirement')) return `${name} was retired, and is not any more`;
  }
  for (const name of world.cutoverNames) {
    if (before[world.slot(name)] === after[world.slot(name)]) continue;
    const [old, now] = [world.factsIn(before, name)?.status, world.factsIn(after, name)?.status];
    if (old?.outcome && now && now.outcome !== old.outcome)
      return `S10: ${name} had ended (${old.outcome}), and has not any more`;
    if (old?.undo && now && !now.undo) return `S10: ${name} was going back, and is not any more`;
  }
  return undefined;
}

/** Why a generation must not lose machines, by the journals of the cutovers and by what it says of itself. */
function holderOf(world: World, state: State, name: string): string | undefined {
  const { liveTime, retiredTime } = world.factsIn(state, name)?.status ?? {};
  if (retiredTime) return undefined;
  if (liveTime) return 'no cutover has retired it';
  for (const cutover of world.cutoverNames) {
    const status = world.factsIn(state, cutover)?.status;
    const steps = (status?.steps ?? []) as { name: string; state: string }[];
    const reserved = steps.some((step) => step.name === 'Reserve' && step.state === 'Done');
    if (reserved && !status?.outcome && !status?.undo && world.setting.cutovers[cutover]?.to === name)
      return `Cutover ${cutover} has reserved it`;
  }
  return undefined;
}
