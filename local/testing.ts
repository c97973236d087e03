import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Access, type Answer, accessFileName, callApi } from './access.ts';
import { type CommandResult, runCommand } from './command.ts';
import type { IdentityName } from './identities.ts';

/** The environment variable through which jest's global setup tells test files where their control plane is. */
export const controlPlaneVariable = 'CLUSTER_GENERATIONS_TEST_CONTROL_PLANE';

export interface TestControlPlane extends Access {
  /** One bare request in somebody's name; see callApi. */
  call(
    who: IdentityName,
    method: Parameters<typeof callApi>[2],
    path: string,
    options?: Parameters<typeof callApi>[4],
  ): Promise<Answer>;
  /** Runs the real kubectl in somebody's name; `input` goes to its stdin. Its exit status is a result, never an error. */
  kubectl(who: IdentityName, args: ReadonlyArray<string>, input?: string): Promise<CommandResult>;
}

/**
 * The control plane of this jest run, which all test files of the project `api` share: everything a file makes carries a name of its
 * own (see `uniqueName`), and cluster-wide things such as CRDs are applied so that others applying them too does no harm.
 *
 * @example
 * const controlPlane = useControlPlane();
 * const { status } = await controlPlane.call('bob', 'GET', '/api/v1/secrets');
 */
export function useControlPlane(): TestControlPlane {
  const directory = process.env[controlPlaneVariable];
  if (directory === undefined) {
    throw new Error(
      `${controlPlaneVariable} is not set: only the tests in test/api, test/scenarios and test/chaos have a control plane`,
    );
  }
  return testControlPlane(JSON.parse(readFileSync(join(directory, accessFileName), 'utf8')) as Access);
}

/** The same for a control plane that a test has started for itself. */
export function testControlPlane(access: Access): TestControlPlane {
  return {
    ...access,
    call: (who, method, path, options) => callApi(access, who, method, path, options),
    kubectl: (who, args, input = '') =>
      runCommand(access.programs.kubectl, [`--kubeconfig=${access.kubeconfigs[who]}`, ...args], { input }),
  };
}

let lastNumber = 0;

/** A DNS label that nothing else in this run has: the prefix, this worker process, a number. */
export function uniqueName(prefix: string): string {
  lastNumber += 1;
  return `${prefix}-${process.pid}-${lastNumber}`;
}
