import type { ClusterGeneration, Cutover, Platform } from '../../api/v1alpha1/index.ts';
import { uidsOf } from '../../domain/identity.ts';
import { momentOf } from '../../domain/moment.ts';
import { clusterGenerations, cutovers, platforms } from '../../kinds.ts';
import { find } from '../../kube/find.ts';
import { ProviderError } from '../../providers/provider.ts';
import type { Member, TargetView } from '../../traffic/target.ts';
import { BY, type Context } from '../context.ts';
import type { CutoverInput } from './input.ts';
import { machinesOf, membersOf } from './machines.ts';
import { isWritten } from './steps/reserve.ts';
import { targetKind } from './targets.ts';

/** All that a decision about a cutover rests on. Everything is read live: what it leads to is not taken back easily. */
export async function gather(context: Context, cutover: Cutover): Promise<CutoverInput> {
  const { client, clock } = context;
  const [platform, from, to] = await Promise.all([
    find(client, platforms, cutover.spec.platform),
    cutover.spec.from === '' ? undefined : find(client, clusterGenerations, cutover.spec.from),
    cutover.spec.to === undefined ? undefined : find(client, clusterGenerations, cutover.spec.to),
  ]);
  const base = { cutover, platform, from, to, ...momentOf(clock) };
  if (cutover.status.outcome) return { ...base, first: undefined, members: [], machines: [], targets: [] };
  const machines = to ? await machinesOf(context, to, platform) : [];
  const seen = Array.isArray(machines);
  const members = seen ? (to ? membersOf(context, to, machines) : []) : machines;
  return {
    ...base,
    first: await firstOther(context, cutover),
    members,
    machines: seen ? machines : [],
    sight: await sightOf(context, base),
    targets: to && platform ? await viewsOf(context, platform, to, Array.isArray(members) ? members : []) : [],
  };
}

/** Asks the API servers, one by one, whether they enforce a reservation that has just been written. */
async function sightOf(
  { canary, caches }: Context,
  input: Pick<CutoverInput, 'cutover' | 'platform' | 'from' | 'to'>,
): Promise<CutoverInput['sight']> {
  const { cutover, to } = input;
  const settled = cutover.status.steps?.some(({ name, state }) => name === 'Reserve' && state === 'Done');
  if (!to || settled || !isWritten(input)) return undefined;
  const uids = uidsOf(to);
  const pool = caches.pools
    .byIndex(BY.generation, to.metadata.name)
    .find(({ spec }) => uids.includes(spec.generationUID));
  if (pool) return canary.sees(pool);
  return { seen: false, overdue: false, waitingFor: `a pool of ${to.metadata.name}, to try its protection on` };
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
