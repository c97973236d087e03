import type { ClusterGeneration, Condition, Cutover, GenerationPool, Platform } from '../../src/api/v1alpha1/index.ts';
import type { Pod } from '../../src/kube/resources.ts';
import type { StateView } from '../../src/simulator/control/state.ts';
import { readAll, type Stage } from './stage.ts';

/** All that an act may be waiting for, as API server and cloud show it. */
export interface Scene {
  platforms: readonly Platform[];
  generations: readonly ClusterGeneration[];
  pools: readonly GenerationPool[];
  cutovers: readonly Cutover[];
  pods: readonly Pod[];
  instances: StateView['instances'];
}

/** A text that differs from the last one exactly when something has moved. */
export async function pulseOf(stage: Stage): Promise<string> {
  const [platforms, generations, pools, cutovers, pods, { instances }] = await Promise.all([
    readAll<Platform>(stage, 'platforms'),
    readAll<ClusterGeneration>(stage, 'clustergenerations'),
    readAll<GenerationPool>(stage, 'generationpools'),
    readAll<Cutover>(stage, 'cutovers'),
    stage.read<{ items: Pod[] }>('/api/v1/pods').then((list) => list?.items ?? []),
    stage.cloud.state(),
  ]);
  return textOf({ platforms, generations, pools, cutovers, pods, instances });
}

/**
 * Counts, steps and the reasons of conditions. What is written again and again while nothing moves is left out: times, attempts, messages.
 */
export const textOf = ({ platforms, generations, pools, cutovers, pods, instances }: Scene): string =>
  JSON.stringify([
    platforms.map(({ metadata, status }) => [metadata.name, status.live, status.quiesced?.stop, reasonsOf(status)]),
    generations.map(({ metadata, status }) => [
      ...[metadata.uid, metadata.deletionTimestamp, status.stage, status.machines],
      reasonsOf(status),
    ]),
    pools.map(({ metadata, status }) => [metadata.uid, metadata.deletionTimestamp, status.machines, reasonsOf(status)]),
    cutovers.map(({ metadata, status }) => [
      ...[metadata.uid, status.outcome, status.plan?.hash],
      (status.steps ?? []).map(({ name, state }) => [name, state]),
      [...(status.migrations ?? []), ...(status.checks ?? []), ...(status.switches ?? [])].map(({ state }) => state),
      reasonsOf(status),
    ]),
    countsOf(pods.map(({ metadata, status }) => `${metadata.namespace} ${status?.phase}`)),
    countsOf(instances.map(({ state, registered }) => `${state} ${registered}`)),
  ]);

const reasonsOf = ({ conditions = [] }: { conditions?: Condition[] | undefined }) =>
  conditions.map(({ type, status, reason }) => [type, status, reason]);

const countsOf = (words: readonly string[]) =>
  [...Map.groupBy(words, (word) => word)].map(([word, { length }]) => [word, length]).toSorted();
