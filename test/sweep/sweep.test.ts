import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { manualClock } from '../../src/runtime/clock.ts';
import type { Kind, Round } from './round.ts';
import { drawn, pointsOf, resultLine, type Stage, startStage } from './run.ts';
import { EVERYTHING } from './site.ts';

/**
 * A few points of `make sweep`: the operator dies at a write of a whole cutover or of a rollback, before it is made or right after, on a
 * real API server and the simulated cloud. SWEEP_SEED=N draws the same points again.
 */

const SEED = Number(process.env.SWEEP_SEED ?? Date.now() % 2 ** 31);
const { random } = manualClock({ seed: SEED });
const POINTS: Record<Kind, number> = { cutover: 3, rollback: 2 };

let stage: Stage;

beforeAll(async () => {
  process.stderr.write(`sweep seed ${SEED}: SWEEP_SEED=${SEED} repeats it\n`);
  stage = await startStage({ features: EVERYTHING });
}, 120_000);

afterAll(() => stage?.stop(), 30_000);

describe.each(['cutover', 'rollback'] as const)(`a %s (seed ${SEED})`, (kind) => {
  let undisturbed: Round;

  it('goes through when nobody dies', async () => {
    undisturbed = await stage.baseline(kind);
    expect(undisturbed.problems).toEqual([]);
  }, 180_000);

  it('is left as if nobody had died, with every invariant kept on the way', async () => {
    const points = drawn(pointsOf(kind, undisturbed.writes.length), POINTS[kind], random);
    for (const point of points) {
      const result = await stage.play(point, undisturbed.left);
      process.stderr.write(`${resultLine(result)}\n`);
      expect({ point, problems: result.problems }).toEqual({ point, problems: [] });
    }
  }, 300_000);
});
