import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterGeneration, Cutover, GenerationPool, Platform } from '../../src/api/v1alpha1/index.ts';
import { callApi } from '../access.ts';
import { type CommandOptions, type CommandResult, runCommand } from '../command.ts';
import type { Environment } from '../environment.ts';
import type { IdentityName } from '../identities.ts';
import { writeKubeconfig } from '../kubeconfig.ts';
import { operatorServiceAccount } from '../operator.ts';
import { waitFor } from '../wait.ts';
import { type Cloud, cloudAt } from './cloud.ts';
import type { Narrator } from './narration.ts';

/** What every act is played on: people with kubectl, the cloud seen from outside, a narrator, and waiting with a limit. */
export interface Stage {
  environment: Environment;
  cloud: Cloud;
  tell: Narrator;
  /** Declared seconds in a real one. */
  scale: number;
  /** Runs kubectl as somebody; its exit status is a result. `operator` is the operator's own service account. */
  kubectl(
    who: Who,
    args: ReadonlyArray<string>,
    options?: Pick<CommandOptions, 'input' | 'limitMs'>,
  ): Promise<CommandResult>;
  /** Applies objects as somebody. Throws with what kubectl said when that fails. */
  apply(who: Who, objects: ReadonlyArray<object>): Promise<void>;
  /** An answer of the API server, read as the admin; undefined when there is no such object. */
  read<T>(path: string): Promise<T | undefined>;
  /** Looks four times a second until there is something to return. Throws when `limitSeconds` real seconds have passed. */
  until<T>(what: string, look: () => Promise<T | undefined>, limitSeconds?: number): Promise<T>;
}

export type Who = IdentityName | 'operator';

/** Real seconds. An act's longest wait takes a fifth of it on two idle cores. */
const patience = 100;

export function stageOn(environment: Environment, tell: Narrator, scale: number): Stage {
  const { controlPlane } = environment;
  const kubectl: Stage['kubectl'] = async (who, args, options) => {
    const { programs, kubeconfigs } = controlPlane;
    const kubeconfig = who === 'operator' ? await kubeconfigOfOperator(environment) : kubeconfigs[who];
    return runCommand(programs.kubectl, [`--kubeconfig=${kubeconfig}`, ...args], options);
  };
  return {
    environment,
    cloud: cloudAt(environment.simulator.url),
    tell,
    scale,
    kubectl,
    async apply(who, objects) {
      const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
      const { status, stderr } = await kubectl(who, ['apply', '-f', '-'], { input: list });
      if (status !== 0) throw new Error(`kubectl apply as ${who} failed: ${stderr.trim()}`);
    },
    async read<T>(path: string) {
      const { status, body } = await callApi(controlPlane, 'admin', 'GET', path);
      if (status === 404) return undefined;
      if (status !== 200) throw new Error(`the API server answered ${status} to GET ${path}: ${JSON.stringify(body)}`);
      return body as T;
    },
    until: (what, look, limitSeconds = patience) => waitFor(what, { limitMs: limitSeconds * 1000, everyMs: 250 }, look),
  };
}

const ours = '/apis/generations.dev/v1alpha1';

export const readGeneration = (stage: Stage, name: string) =>
  stage.read<ClusterGeneration>(`${ours}/clustergenerations/${name}`);

export const readCutover = (stage: Stage, name: string) => stage.read<Cutover>(`${ours}/cutovers/${name}`);

export const readPlatform = (stage: Stage, name: string) => stage.read<Platform>(`${ours}/platforms/${name}`);

/** All pools, or those of one generation. */
export async function readPools(stage: Stage, generation?: string): Promise<GenerationPool[]> {
  const list = await stage.read<{ items: GenerationPool[] }>(`${ours}/generationpools`);
  return (list?.items ?? []).filter(({ spec }) => generation === undefined || spec.generation === generation);
}

/** Its own kubeconfig names a token file in a way that only client-node understands; this one carries the token itself. */
async function kubeconfigOfOperator({ controlPlane, operator }: Environment): Promise<string> {
  if (operator === undefined) throw new Error('the operator was not started');
  const { server, certificateAuthority, directory } = controlPlane;
  const path = join(directory, 'kubeconfigs', 'operator-for-kubectl.yaml');
  const token = (await readFile(operator.tokenFile, 'utf8')).trim();
  await writeKubeconfig(path, { server, certificateAuthority, user: operatorServiceAccount, credential: { token } });
  return path;
}
