import { ensureBinaries } from './binaries/build.ts';
import { startControlPlane } from './control-plane.ts';
import { startEnvironment } from './environment.ts';
import { describeFailure } from './errors.ts';
import { paths } from './paths.ts';
import { isFree } from './ports.ts';
import type { RunningProcess } from './process-group.ts';
import { forgetSupervisor, recordSupervisor } from './supervisor-file.ts';

/**
 * The process that `make up` leaves behind: it owns the local environment, renews the operator's token, has the operator started again
 * when it ends, and stops everything when it is told to (SIGTERM) or when a part of the control plane dies. In: a directory, and whether to
 * start the control plane alone. Out: messages to `up` until everything is ready, then lines on its own output, `up.log`.
 */
export type SupervisorMessage =
  | { type: 'log'; line: string }
  | { type: 'ready'; simulatorUrl?: string }
  | { type: 'failed'; message: string; status: 1 | 2 };

/** Where the simulated cloud of `make up` is, so that the quickstart's manifests can name it. */
const preferredSimulatorPort = 4566;

interface Kept {
  processes: ReadonlyArray<RunningProcess>;
  simulatorUrl?: string;
  stop(): Promise<void>;
}

async function start(directory: string, controlPlaneOnly: boolean, timeScale: number): Promise<Kept> {
  if (controlPlaneOnly) {
    const binaries = await ensureBinaries({ log });
    return startControlPlane({ binaries, directory });
  }
  const port = (await isFree(preferredSimulatorPort)) ? preferredSimulatorPort : 0;
  if (port === 0) log(`port ${preferredSimulatorPort} is taken, so the simulated cloud listens on another one`);
  const environment = await startEnvironment({
    directory,
    scenario: paths.upScenario,
    timeScale,
    keepOperator: true,
    log,
    simulator: { port },
  });
  const { controlPlane, simulator, stop } = environment;
  return { processes: [...controlPlane.processes, simulator.process], simulatorUrl: simulator.url, stop };
}

function log(line: string): void {
  process.stdout.write(`${new Date().toISOString()} ${line}\n`);
  void tell({ type: 'log', line });
}

/** @returns when the message is on its way: an exit before that would lose it */
async function tell(message: SupervisorMessage): Promise<void> {
  const { send } = process;
  if (!process.connected || send === undefined) return;
  await new Promise<void>((resolve) => send.call(process, message, () => resolve()));
}

async function main(): Promise<void> {
  const [directory = paths.state, parts = 'all', timeScale = '1'] = process.argv.slice(2);
  recordSupervisor(directory);
  const told = new AbortController();
  process.once('SIGTERM', () => told.abort());
  process.once('SIGINT', () => told.abort());
  const interrupted = () => told.abort();
  process.once('disconnect', interrupted);

  const kept = await start(directory, parts === 'control-plane', Number(timeScale));
  // Before this moment the end of `up` was somebody's Ctrl-C; from now on it is the normal course of things.
  process.off('disconnect', interrupted);
  await tell({ type: 'ready', ...(kept.simulatorUrl === undefined ? {} : { simulatorUrl: kept.simulatorUrl }) });

  const stop = new Promise<void>((resolve) => {
    if (told.signal.aborted) resolve();
    told.signal.addEventListener('abort', () => resolve());
  });
  const deaths = kept.processes.map(async (part) => {
    await part.exited;
    if (!told.signal.aborted)
      log(`${part.name} ended, so everything is stopped. The end of its log:\n${part.lastLines(12)}`);
  });
  await Promise.race([stop, ...deaths]);
  told.abort();
  await kept.stop();
}

const [directory = paths.state] = process.argv.slice(2);
try {
  await main();
} catch (error) {
  const { message, status } = describeFailure(error);
  process.stdout.write(`${message}\n`);
  await tell({ type: 'failed', message, status });
  process.exitCode = status;
} finally {
  forgetSupervisor(directory);
}
process.exit();
