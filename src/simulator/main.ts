/**
 * The simulated cloud as a program: `--scenario FILE [--kubeconfig FILE] [--port N] [--time-scale N]`. Prints one line
 * of JSON, {"url": ...}, once it listens, and logs to stderr. Exit status 2 when it was started wrongly. `--help`, `--version`: prints
 * that alone.
 */
import { manualClock, systemClock } from '../runtime/clock.ts';
import { VERSION } from '../version.ts';
import { ArgumentError, parseArguments, questionIn, USAGE } from './arguments.ts';
import { stderrLogger } from './log.ts';
import { loadScenario, ScenarioError } from './scenario/load.ts';
import { startSimulator } from './start.ts';

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const question = questionIn(args);
  if (question !== undefined) {
    process.stdout.write(`${question === 'help' ? USAGE : `simulator of cluster-generations ${VERSION}`}\n`);
    return;
  }
  const options = parseArguments(args);
  const scenario = loadScenario(options.scenario);
  const clock = { ...systemClock(options.timeScale), random: manualClock({ seed: scenario.seed }).random };
  const simulator = await startSimulator({ ...options, scenario, clock, log: stderrLogger(clock) });
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      simulator.stop().then(() => process.exit(0), fail);
    });
  }
  process.stdout.write(`${JSON.stringify({ url: simulator.url })}\n`);
}

function fail(error: unknown): never {
  const wrongStart =
    error instanceof ArgumentError ||
    error instanceof ScenarioError ||
    (error instanceof Error && error.name === 'ConfigError');
  const usage = error instanceof ArgumentError ? `${USAGE}\n` : '';
  process.stderr.write(`simulator: ${error instanceof Error ? error.message : error}\n${usage}`);
  process.exit(wrongStart ? 2 : 1);
}

main().catch(fail);
