import type { ClusterGeneration } from '../../src/api/v1alpha1/index.ts';
import { readGeneration, type Stage } from './stage.ts';

/** Real ms between two lines about the same wait. */
const lineEveryMs = 2_000;

/** Waits until a generation is as `done` wants it, and tells how its machines come along meanwhile. */
export async function follow(
  stage: Stage,
  name: string,
  what: string,
  done: (generation: ClusterGeneration) => boolean,
): Promise<ClusterGeneration> {
  let told = performance.now();
  let last = '';
  return stage.until(`${name} to be ${what}`, async () => {
    const generation = await readGeneration(stage, name);
    if (!generation) return undefined;
    if (done(generation)) return generation;
    const line = progressOf(generation);
    if (line !== last && performance.now() - told >= lineEveryMs) {
      stage.tell.say(line);
      told = performance.now();
      last = line;
    }
    return undefined;
  });
}

function progressOf({ status }: ClusterGeneration): string {
  const { desired = 0, launched = 0, ready = 0 } = status.machines ?? {};
  const throttled = conditionOf({ status }, 'Throttled')?.status === 'True' ? '; slowed down by a rate limit' : '';
  return `${launched} of ${desired} machines asked for, ${ready} ready${throttled}`;
}

export const conditionOf = ({ status }: Pick<ClusterGeneration, 'status'>, type: string) =>
  (status.conditions ?? []).find((condition) => condition.type === type);

export const isReady = (generation: ClusterGeneration): boolean => conditionOf(generation, 'Ready')?.status === 'True';
