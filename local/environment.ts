import { ensureBinaries } from './binaries/build.ts';
import { type ChartOptions, installChart } from './chart.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { type Operator, type OperatorOptions, startOperator } from './operator.ts';
import { type Simulator, startSimulator } from './simulator.ts';

export interface EnvironmentOptions {
  /** Where everything is kept; a temporary directory, removed at the end, unless given. */
  directory?: string;
  /** Path of the simulated cloud's scenario file. */
  scenario: string;
  /** How many declared seconds pass in a real one, for the cloud and the operator alike; 1 unless told. */
  timeScale?: number;
  simulatorPort?: number;
  chart?: ChartOptions;
  /** `false`: everything but the operator. */
  operator?: Pick<OperatorOptions, 'env' | 'args' | 'program' | 'name'> | false;
  /** Told what is being done, a line at a time. */
  log?: (line: string) => void;
}

/** All that `make up` starts, and the demo, and every scenario test. */
export interface Environment {
  controlPlane: ControlPlane;
  simulator: Simulator;
  /** Absent when it was not to be started. */
  operator: Operator | undefined;
  /** Ends everything, waits until it is gone, removes the data. */
  stop(): Promise<void>;
}

/**
 * Starts a control plane, the simulated cloud with an identity of its own, the chart, and the operator with its service account's.
 *
 * @throws SetupError or Error from the part that failed; nothing keeps running then
 */
export async function startEnvironment(options: EnvironmentOptions): Promise<Environment> {
  const { directory, scenario, timeScale = 1, simulatorPort = 0, chart, operator = {}, log = () => {} } = options;
  const binaries = await ensureBinaries({ log });
  log('starting the control plane');
  const controlPlane = await startControlPlane({ binaries, ...(directory === undefined ? {} : { directory }) });
  const { group } = controlPlane;
  try {
    log('installing the chart, starting the simulated cloud');
    const [simulator] = await Promise.all([
      startSimulator({ group, scenario, kubeconfig: controlPlane.kubeconfigs.cloud, timeScale, port: simulatorPort }),
      installChart(controlPlane, chart),
    ]);
    const running = operator === false ? undefined : await startOperatorAt(timeScale, controlPlane, operator, log);
    return {
      controlPlane,
      simulator,
      operator: running,
      async stop() {
        await running?.stop();
        await controlPlane.stop();
      },
    };
  } catch (error) {
    await controlPlane.stop();
    throw error;
  }
}

function startOperatorAt(
  timeScale: number,
  access: ControlPlane,
  options: Exclude<EnvironmentOptions['operator'], false | undefined>,
  log: (line: string) => void,
): Promise<Operator> {
  log('starting the operator');
  const args = [...(options.args ?? []), ...(timeScale === 1 ? [] : ['--time-scale', String(timeScale)])];
  return startOperator({ ...options, args, group: access.group, access, log });
}
