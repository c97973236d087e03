import { join } from 'node:path';
import type { Access } from './access.ts';
import { shippedFlags } from './bundle.ts';
import { operatorNamespace } from './chart.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { paths } from './paths.ts';
import { freePorts } from './ports.ts';
import { type ProcessGroup, type RunningProcess, readyLimitMs, waitUntilReady } from './process-group.ts';
import { keepTokenFresh } from './service-account-token.ts';

export const operatorServiceAccount = 'generations-operator';

export interface OperatorOptions {
  /** Ends the operator with everything else in it. */
  group: ProcessGroup;
  access: Access;
  /** Added to its environment, which has KUBECONFIG. */
  env?: Record<string, string>;
  /** After the arguments that the chart's Deployment gives it too. */
  args?: ReadonlyArray<string>;
  /**
   * As deployed, it elects a leader, and after a crash the lease has to run out first. `false`: it takes itself for the only one and
   * goes on at once. True unless told.
   */
  leaderElect?: boolean;
  log?: (line: string) => void;
  /** Names its log and kubeconfig: a second replica needs another one. */
  name?: string;
  /** Another program in its place: the bundle that is shipped, or a stand-in for tests of this file. */
  program?: string;
  /** Where the admission webhook listens on 127.0.0.1; any free port unless told, where nobody calls it. */
  webhookPort?: number;
  /** Real seconds; one hour unless told, as for a pod. */
  tokenValidForSeconds?: number;
}

/** The operator as a local process. Kubeconfig, token file and ports outlive each single process. */
export interface Operator {
  readonly kubeconfig: string;
  readonly tokenFile: string;
  /** `http://127.0.0.1:<port>`: /healthz and /readyz. */
  readonly healthUrl: string;
  /** `http://127.0.0.1:<port>`: /metrics. */
  readonly metricsUrl: string;
  /** The current process, or the last one. */
  process(): RunningProcess;
  /** Waits until the current process says that it is ready. Rejects with the end of its log when it ends first, or after `readyLimitMs`. */
  ready(): Promise<void>;
  /** SIGKILL, and waits until it is gone: a crash. */
  kill(): Promise<void>;
  /** Starts it again and does not wait for it; kills it first if it still runs. */
  restart(): Promise<void>;
  /** Asks for a new token at once. */
  renewToken(): Promise<void>;
  /** SIGTERM, SIGKILL after 10 real seconds, and no more renewals. */
  stop(): Promise<void>;
}

/**
 * Starts the operator as its own service account, with the rights that the chart gives it and never an admin's, and waits until it is
 * ready.
 *
 * @throws Error when the service account does not exist (install the chart first), or the operator ends instead; it does not run then
 */
export async function startOperator(options: OperatorOptions): Promise<Operator> {
  const { group, access, env = {}, args = [], log = () => {}, name = 'operator', program = paths.operator } = options;
  const tokenFile = join(group.directory, `${name}.token`);
  const kubeconfig = join(group.directory, 'kubeconfigs', `${name}.yaml`);
  const token = await keepTokenFresh({
    access,
    namespace: operatorNamespace,
    serviceAccount: operatorServiceAccount,
    file: tokenFile,
    validForSeconds: options.tokenValidForSeconds ?? 3600,
    log,
  });
  const { server, certificateAuthority } = access;
  const user = operatorServiceAccount;
  await writeKubeconfig(kubeconfig, { server, certificateAuthority, user, credential: { tokenFile } });

  const ports = await freePorts(3);
  const [health, metrics, webhook] = [...ports.slice(0, 2), options.webhookPort ?? ports[2]].map(
    (port) => `127.0.0.1:${port}`,
  );
  const asDeployed = [`--namespace=${operatorNamespace}`, ...(options.leaderElect === false ? [] : ['--leader-elect'])];
  const addresses = [`--metrics-address=${metrics}`, `--health-address=${health}`, `--webhook-address=${webhook}`];
  const command = {
    name,
    command: process.execPath,
    args: [...shippedFlags(), program, ...asDeployed, ...addresses, ...args],
  };
  const start = () => group.start({ ...command, env: { ...env, KUBECONFIG: kubeconfig } });
  const healthUrl = `http://${health}`;

  let running = start();
  const operator: Operator = {
    kubeconfig,
    tokenFile,
    healthUrl,
    metricsUrl: `http://${metrics}`,
    process: () => running,
    ready: () => waitUntilReady(running, readyLimitMs, () => answers(`${healthUrl}/readyz`)).then(() => undefined),
    kill: () => running.kill(),
    async restart() {
      await running.kill();
      running = start();
    },
    renewToken: () => token.renew(),
    async stop() {
      token.stop();
      await running.terminate(10_000);
    },
  };
  try {
    await operator.ready();
  } catch (error) {
    token.stop();
    await operator.kill();
    throw error;
  }
  return operator;
}

async function answers(url: string): Promise<true | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    return response.ok || undefined;
  } catch {
    return undefined;
  }
}
