import { paths } from './paths.ts';
import { type ProcessGroup, type RunningProcess, readyLimitMs, waitUntilReady } from './process-group.ts';

export interface SimulatorOptions {
  /** Ends the simulator with everything else in it. */
  group: ProcessGroup;
  /** Path of a scenario file. */
  scenario: string;
  /** Path of a kubeconfig of the identity `cloud`. */
  kubeconfig: string;
  /** How many declared seconds pass in a real one. */
  timeScale: number;
  /** A loopback port; any free one unless told. */
  port?: number;
  /** Another program in its place, for tests of this file. */
  program?: string;
}

export interface Simulator {
  /** `http://127.0.0.1:<port>`: EC2 and Service Quotas at `/`, the ledger at `/ledger`. */
  url: string;
  process: RunningProcess;
}

/**
 * Starts the simulated cloud as a process of its own and waits for its line `{"url": ...}`.
 *
 * @throws Error with the end of its log when it ends first or says nothing
 */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { group, scenario, kubeconfig, timeScale, port = 0, program = paths.simulator } = options;
  const args = [
    '--scenario',
    scenario,
    '--kubeconfig',
    kubeconfig,
    '--port',
    String(port),
    '--time-scale',
    String(timeScale),
  ];
  const running = group.start({ name: 'simulator', command: process.execPath, args: [program, ...args] });
  const url = await waitUntilReady(running, readyLimitMs, async () => announcedUrl(running.output()));
  return { url, process: running };
}

/** The address in the first line of the output that announces one. */
export function announcedUrl(output: string): string | undefined {
  return /^\{"url": ?"(http:\/\/[^"]+)"/m.exec(output)?.[1];
}
