import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterGeneration, Cutover, GenerationPool, Platform } from '../../src/api/v1alpha1/index.ts';
import { callApi } from '../access.ts';
import { type CommandOptions, type CommandResult, runCommand } from '../command.ts';
import type { Environment } from '../environment.ts';
import type { IdentityName } from '../identities.ts';
import { writeKubeconfig } from '../kubeconfig.ts';
import { operatorServiceAccount } from '../operator.ts';
import { waitFor, waitWhileProgressing } from '../wait.ts';
import { type Cloud, cloudAt } from './cloud.ts';
import type { Narrator } from './narration.ts';
import { pulseOf } from './pulse.ts';

/**
 * What every act is played on: people with kubectl, the cloud seen from outside, a narrator, and waiting. How long anything takes is a
 * matter of what else this machine does. So a wait is limited by what moves, and what got no answer is asked again.
 */
export interface Stage {
  environment: Environment;
  cloud: Cloud;
  tell: Narrator;
  /** Declared seconds in a real one. */
  scale: number;
  /** Runs kubectl as somebody; its exit status is a result. `operator` is the operator's own service account. */
  kubectl(who: Who, args: ReadonlyArray<string>, options?: Pick<CommandOptions, 'input'>): Promise<CommandResult>;
  /** Applies objects as somebody. Throws with what kubectl said when that fails. */
  apply(who: Who, objects: ReadonlyArray<object>): Promise<void>;
  /** An answer of the API server, read as the admin; undefined when there is no such object. Throws when it refuses, or is silent for minutes. */
  read<T>(path: string): Promise<T | undefined>;
  /** Looks four times a second until there is something to return. Throws when nothing has moved for a time, or the operator does not stay up. */
  until<T>(what: string, look: () => Promise<T | undefined>): Promise<T>;
}

export type Who = IdentityName | 'operator';

/**
 * Real ms. Something moves every few seconds on two idle cores; of a single wait there are 20 seconds there at most, and on a machine
 * that is ten times as slow some minutes.
 */
const waiting = { stallMs: 180_000, limitMs: 1_200_000, everyMs: 250, markEveryMs: 10_000 };

/** How long an API server may be silent. Real ms. */
const silenceMs = 300_000;

export function stageOn(environment: Environment, tell: Narrator, scale: number): Stage {
  const { controlPlane, keeper } = environment;
  const kubectl: Stage['kubectl'] = async (who, args, options) => {
    const { programs, kubeconfigs } = controlPlane;
    const kubeconfig = who === 'operator' ? await kubeconfigOfOperator(environment) : kubeconfigs[who];
    const all = [`--kubeconfig=${kubeconfig}`, ...args];
    return waitFor(`an answer to kubectl ${args[0]}`, { limitMs: silenceMs, everyMs: 2_000 }, async () => {
      const result = await runCommand(programs.kubectl, all, { limitMs: waiting.limitMs, ...options });
      return gotNoAnswer(result) ? undefined : result;
    });
  };
  const stage: Stage = {
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
      const answer = `the API server to answer GET ${path}`;
      const { status, body } = await waitFor(answer, { limitMs: silenceMs, everyMs: 1_000 }, async () => {
        const result = await callApi(controlPlane, 'admin', 'GET', path).catch(() => undefined);
        return result && !isNoAnswer(result.status) ? result : undefined;
      });
      if (status === 404) return undefined;
      if (status !== 200) throw new Error(`the API server answered ${status} to GET ${path}: ${JSON.stringify(body)}`);
      return body as T;
    },
    until(what, look) {
      const attended = async () => {
        const trouble = keeper?.trouble();
        if (trouble !== undefined) throw new Error(`waited for ${what}, and ${trouble}`);
        return look();
      };
      return waitWhileProgressing(what, waiting, attended, () => pulseOf(stage));
    },
  };
  return stage;
}

/** Too much at once, or a server that is not there or too slow: it says nothing of what was asked. */
const isNoAnswer = (status: number): boolean => status === 429 || status >= 500;

/**
 * What kubectl says when nobody has decided: nothing was refused. A webhook that is not there (its operator is just being started again)
 * has not decided either.
 */
const NO_ANSWER =
  /Unable to connect to the server|connection refused|connection reset|TLS handshake timeout|timed out|context deadline exceeded|\(ServiceUnavailable\)|\(TooManyRequests\)|\(Timeout\)|failed calling webhook/;

/** Whether a command has to be given again. A deletion of what the first attempt has deleted would not be found; everything in this story that may be deleted is deleted one by one. */
export const gotNoAnswer = ({ status, stderr }: CommandResult): boolean => status !== 0 && NO_ANSWER.test(stderr);

const ours = '/apis/generations.dev/v1alpha1';

/** All objects of one of our kinds, by its plural. */
export const readAll = async <T>(stage: Stage, plural: string): Promise<T[]> =>
  (await stage.read<{ items: T[] }>(`${ours}/${plural}`))?.items ?? [];

export const readGeneration = (stage: Stage, name: string) =>
  stage.read<ClusterGeneration>(`${ours}/clustergenerations/${name}`);

export const readCutover = (stage: Stage, name: string) => stage.read<Cutover>(`${ours}/cutovers/${name}`);

export const readPlatform = (stage: Stage, name: string) => stage.read<Platform>(`${ours}/platforms/${name}`);

/** All pools, or those of one generation. */
export async function readPools(stage: Stage, generation?: string): Promise<GenerationPool[]> {
  const pools = await readAll<GenerationPool>(stage, 'generationpools');
  return pools.filter(({ spec }) => generation === undefined || spec.generation === generation);
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
