import { join } from 'node:path';
import type { Access } from './access.ts';
import { operatorNamespace } from './chart.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { paths } from './paths.ts';
import type { ProcessGroup, RunningProcess } from './process-group.ts';
import { keepTokenFresh } from './service-account-token.ts';

export const operatorServiceAccount = 'generations-operator';

export interface OperatorOptions {
  /** Ends the operator with everything else in it. */
  group: ProcessGroup;
  access: Access;
  /** Added to its environment, which has KUBECONFIG. */
  env?: Record<string, string>;
  args?: ReadonlyArray<string>;
  log?: (line: string) => void;
  /** Names its log and kubeconfig: a second replica needs another one. */
  name?: string;
  /** Another program in its place: the bundle that is shipped, or a stand-in for tests of this file. */
  program?: string;
  /** Real seconds; one hour unless told, as for a pod. */
  tokenValidForSeconds?: number;
}

/** The operator as a local process. Its kubeconfig and its token outlive each single process. */
export interface Operator {
  readonly kubeconfig: string;
  readonly tokenFile: string;
  /** The current process, or the last one. */
  process(): RunningProcess;
  /** SIGKILL, and waits until it is gone: a crash. */
  kill(): Promise<void>;
  /** Starts it again; kills it first if it still runs. */
  restart(): Promise<void>;
  /** Asks for a new token at once. */
  renewToken(): Promise<void>;
  /** SIGTERM, SIGKILL after 10 real seconds, and no more renewals. */
  stop(): Promise<void>;
}

/**
 * Starts the operator as its own service account: with the rights that the chart gives it, never an admin's.
 *
 * It returns as soon as the process runs; when it is ready is for the caller to see, on its log or its health endpoint.
 * @throws Error when the service account does not exist (install the chart first)
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
  await writeKubeconfig(kubeconfig, {
    server,
    certificateAuthority,
    user: operatorServiceAccount,
    credential: { tokenFile },
  });

  const start = () =>
    group.start({ name, command: process.execPath, args: [program, ...args], env: { ...env, KUBECONFIG: kubeconfig } });
  let running = start();
  return {
    kubeconfig,
    tokenFile,
    process: () => running,
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
}
