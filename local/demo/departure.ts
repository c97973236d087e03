import { readPools, type Stage } from './stage.ts';

/** Real ms between two lines about the machines that are left. */
const lineEveryMs = 3_000;

/** Waits until no pool of a generation is left, and tells how many machines are left meanwhile. */
export async function watchGo(stage: Stage, generation: string): Promise<void> {
  let toldAt = performance.now();
  await stage.until(`the machines of ${generation} to be gone`, async () => {
    const pools = await readPools(stage, generation);
    if (pools.length === 0) return true;
    if (performance.now() - toldAt >= lineEveryMs) {
      const left = pools.reduce((sum, { status }) => sum + (status.machines?.launched ?? 0), 0);
      stage.tell.say(`${left} machines left`);
      toldAt = performance.now();
    }
    return undefined;
  });
}
