import { systemClock } from '../../src/runtime/clock.ts';
import { silent } from '../../src/runtime/logger.ts';
import { type Simulator, startSimulator } from '../../src/simulator/start.ts';
import { aScenario, type ScenarioInput } from '../../src/simulator/testing.ts';

/** A simulator in this process whose machines take a tenth of a real second for each step of their lives. */
export function quickSimulator(changes: Partial<ScenarioInput> = {}): Promise<Simulator> {
  return startSimulator({ scenario: aScenario(changes), clock: systemClock(100), log: silent });
}
