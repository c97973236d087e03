import { join } from 'node:path';
import { ensureBinaries } from './binaries/build.ts';
import { bundle } from './bundle.ts';
import { type ChartOptions, installChart, webhookUrl } from './chart.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { type Keeper, keepRunning } from './keeper.ts';
import { type Operator, type OperatorOptions, startOperator } from './operator.ts';
import { paths } from './paths.ts';
import { freePorts } from './ports.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from './simulator.ts';

/**
 * The operator's account at the simulated cloud, by the access key id that scenario files give to their caller `operator`; the cloud checks
 * no secret. The rest keeps a person's own AWS settings out: no machine of theirs may ever be reached from here.
 */
export const operatorCredentials = {
  AWS_ACCESS_KEY_ID: 'AKIAOPERATOR0000000',
  AWS_SECRET_ACCESS_KEY: 'not-checked',
  AWS_SESSION_TOKEN: '',
  AWS_PROFILE: '',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
} as const;

export interface EnvironmentOptions {
  /** Where everything is kept; a temporary directory, removed at the end, unless given. */
  directory?: string;
  /** Path of the simulated cloud's scenario file. */
  scenario: string;
  /** How many declared seconds pass in a real one, for the cloud and the operator alike; 1 unless told. */
  timeScale?: number;
  simulator?: Pick<SimulatorOptions, 'port' | 'program'>;
  chart?: ChartOptions;
  /** `false`: everything but the operator. Its `env` is added to `operatorCredentials`. */
  operator?: Pick<OperatorOptions, 'env' | 'args' | 'program' | 'name' | 'leaderElect'> | false;
  /** Starts the operator again when it ends, as a Deployment does. Not unless told: a test is to see its operator end. */
  keepOperator?: boolean;
  /** Told what is being done, a line at a time. */
  log?: (line: string) => void;
}

/** All that `make up` starts, and the demo, and every scenario test. */
export interface Environment {
  controlPlane: ControlPlane;
  simulator: Simulator;
  /** Absent when it was not to be started. */
  operator: Operator | undefined;
  /** Absent when the operator is not kept running. */
  keeper: Keeper | undefined;
  /** Ends everything, waits until it is gone, removes the data. */
  stop(): Promise<void>;
}

/**
 * Starts a control plane, the simulated cloud with an identity of its own, the chart, and the operator with its service account's.
 *
 * @throws SetupError or Error from the part that failed; nothing keeps running then
 */
export async function startEnvironment(options: EnvironmentOptions): Promise<Environment> {
  const { directory, scenario, timeScale = 1, simulator: cloud = {}, chart, operator = {}, log = () => {} } = options;
  const binaries = await ensureBinaries({ log });
  log('starting the control plane');
  const controlPlane = await startControlPlane({ binaries, ...(directory === undefined ? {} : { directory }) });
  const { group } = controlPlane;
  try {
    log('starting the simulated cloud');
    const kubeconfig = controlPlane.kubeconfigs.cloud;
    const simulator = await startSimulator({ group, scenario, kubeconfig, timeScale, ...cloud });
    log('installing the chart');
    const [webhookPort = 0] = await freePorts(1);
    await installChart(controlPlane, {
      ...chart,
      values: { 'guard.webhook.url': webhookUrl(webhookPort), ...chart?.values },
    });
    const running =
      operator === false
        ? undefined
        : await startOperatorAt(timeScale, controlPlane, { webhookPort, ...operator }, log);
    const keeper = running && options.keepOperator === true ? keepRunning(running, { log }) : undefined;
    return {
      controlPlane,
      simulator,
      operator: running,
      keeper,
      async stop() {
        keeper?.stop();
        await running?.stop();
        await controlPlane.stop();
      },
    };
  } catch (error) {
    await controlPlane.stop();
    throw error;
  }
}

/** The operator as it is shipped, from its bundle, unless `options` name another program. */
async function startOperatorAt(
  timeScale: number,
  access: ControlPlane,
  options: Exclude<EnvironmentOptions['operator'], false | undefined> & Pick<OperatorOptions, 'webhookPort'>,
  log: (line: string) => void,
): Promise<Operator> {
  log('starting the operator');
  const args = [...(options.args ?? []), ...(timeScale === 1 ? [] : ['--time-scale', String(timeScale)])];
  const env = { ...operatorCredentials, ...options.env };
  const program = options.program ?? (await bundle(paths.operator, join(access.directory, 'operator')));
  return startOperator({ ...options, program, args, env, group: access.group, access, log });
}
