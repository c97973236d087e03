import type { ClusterGeneration, Cutover, Platform } from '../../api/v1alpha1/index.ts';
import { LABEL } from '../../api/v1alpha1/index.ts';
import { clusterGenerations, cutovers, platforms } from '../../kinds.ts';
import { find } from '../../kube/find.ts';
import { ProviderError } from '../../providers/provider.ts';
import type { Member, Problem, TargetView } from '../../traffic/target.ts';
import { BY, type Context } from '../context.ts';
import type { CutoverInput } from './input.ts';
import { targetKind } from './targets.ts';

/** Oldest look at the cloud's machines that a decision may rest on. Declared ms. */
const MAX_AGE = 2_000;

/** All that a decision about a cutover rests on. Everything is read live: what it leads to is not taken back easily. */
export async function gather(context: Context, cutover: Cutover): Promise<CutoverInput> {
  const { client, clock } = context;
  const [platform, from, to] = await Promise.all([
    find(client, platforms, cutover.spec.platform),
    cutover.spec.from === '' ? undefined : find(client, clusterGenerations, cutover.spec.from),
    cutover.spec.to === undefined ? undefined : find(client, clusterGenerations, cutover.spec.to),
  ]);
  const base = { cutover, platform, from, to, now: clock.now(), scaled: (ms: number) => clock.scaled(ms) };
  if (cutover.status.outcome) return { ...base, first: undefined, members: [], targets: [] };
  const members = to ? await membersOf(context, to, platform) : [];
  return {
    ...base,
    first: await firstOther(context, cutover),
    members,
    targets: to && platform ? await viewsOf(context, platform, to, Array.isArray(members) ? members : []) : [],
  };
}

/** Another unfinished cutover of the platform that goes before this one: one that has begun, or else the oldest. */
async function firstOther({ client }: Context, cutover: Cutover): Promise<Cutover | undefined> {
  const all = (await client.list(cutovers)).items.filter(
    ({ spec, status }) => spec.platform === cutover.spec.platform && status.outcome === undefined,
  );
  const begun = all.filter(({ status }) => status.generations !== undefined);
  const order = (begun.length > 0 ? begun : all).toSorted(
    (a, b) =>
      a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp) ||
      a.metadata.name.localeCompare(b.metadata.name),
  );
  return order[0]?.metadata.uid === cutover.metadata.uid ? undefined : order[0];
}

/** Running machines of a generation that have registered, by the cloud's own list. */
async function membersOf(
  context: Context,
  generation: ClusterGeneration,
  platform: Platform | undefined,
): Promise<Member[] | Problem> {
  const { caches, clock, cluster } = context;
  const className = generation.spec.className ?? platform?.spec.className ?? '';
  const generationClass = caches.classes.get(className);
  if (!generationClass)
    return { reason: 'ClassNotFound', message: `GenerationClass ${className} does not exist: create it` };
  try {
    const provider = await context.providerOf(generationClass);
    const machines = await provider.observe(cluster, clock.scaled(MAX_AGE));
    return machines
      .filter(({ tags, state }) => tags[LABEL.generationUID] === generation.metadata.uid && state === 'running')
      .flatMap(({ id, launchTime, tags, providerID }) => {
        const [node] = caches.nodes.byIndex(BY.providerID, providerID);
        if (!node || node.labels[LABEL.generationUID] !== generation.metadata.uid) return [];
        return [{ machine: id, launchTime, role: tags[LABEL.role] ?? '', node: node.name, ready: node.ready }];
      });
  } catch (error) {
    if (error instanceof ProviderError) return { reason: error.reason, message: error.message };
    throw error;
  }
}

/** A target that cannot be looked at is a problem of that target. */
async function viewsOf(
  context: Context,
  platform: Platform,
  to: ClusterGeneration,
  members: Member[],
): Promise<TargetView[]> {
  const destination = { platform: platform.metadata.name, generation: to.metadata.name, members };
  return Promise.all(
    platform.spec.traffic.map(async (spec) => {
      try {
        return await targetKind(context, platform, spec).view(spec, destination);
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        const problem = { reason: error.reason, message: `traffic target ${spec.name}: ${error.message}` };
        const waitingFor = problem.message;
        const nothing = { now: {}, wanted: {}, unseen: true as const, serving: false };
        return { target: spec.name, role: spec.role, ...nothing, problem, waitingFor };
      }
    }),
  );
}
