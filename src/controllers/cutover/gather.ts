import {
  type ClusterGeneration,
  CUTOVER_FINALIZER,
  type Cutover,
  type Platform,
  type StepName,
} from '../../api/v1alpha1/index.ts';
import { uidsOf } from '../../domain/identity.ts';
import { momentOf } from '../../domain/moment.ts';
import { clusterGenerations, cutovers, platforms } from '../../kinds.ts';
import { ProviderError } from '../../providers/provider.ts';
import type { Destination, Member, TargetView } from '../../traffic/target.ts';
import { findAgreed } from '../agreed.ts';
import { BY, type Context } from '../context.ts';
import { taskCensusOf } from '../placement/census.ts';
import { unguardedOf } from '../workloads.ts';
import { answersOf } from './checks.ts';
import { hurried } from './hurry.ts';
import type { CutoverInput, PoolRefusal } from './input.ts';
import { jobViewsOf } from './jobs.ts';
import { isBegun, isDone, stepAt } from './journal.ts';
import { machinesOf, membersOf } from './machines.ts';
import { isWritten } from './steps/reserve.ts';
import { targetKind } from './targets.ts';
import { trialOf, tried } from './trial.ts';

/** Longest wait for one answer of the API server while traffic is held or moved. Real ms. */
const HURRY = 5_000;

/** All that a decision about a cutover rests on. Everything is read live: what it leads to is not taken back easily. */
export async function gather(calm: Context, cutover: Cutover): Promise<CutoverInput> {
  const moving = cutover.status.switches !== undefined && cutover.status.outcome === undefined;
  const context = moving ? { ...calm, client: hurried(calm.client, HURRY) } : calm;
  const { caches, client, clock } = context;
  const generation = (name: string) => findAgreed(client, clusterGenerations, name, caches.generations);
  const [platform, from, to] = await Promise.all([
    findAgreed(client, platforms, cutover.spec.platform, caches.platforms),
    cutover.spec.from === '' ? undefined : generation(cutover.spec.from),
    cutover.spec.to === undefined ? undefined : generation(cutover.spec.to),
  ]);
  const base = { cutover, platform, from, to, ...momentOf(clock) };
  if (cutover.status.outcome) {
    // Until its own finalizer goes, which is the last: its Jobs are let go before.
    const held = cutover.metadata.finalizers?.includes(CUTOVER_FINALIZER) === true;
    return { ...base, ...NOTHING, jobs: held ? await jobViewsOf(context, cutover, platform) : [] };
  }
  const [coming, leaving, others, kept, jobs, tasks, trial] = await Promise.all([
    seen(context, platform, to),
    seen(context, platform, from),
    othersOf(context, cutover, platform),
    keptOf(context, cutover, platform),
    jobViewsOf(context, cutover, platform),
    platform && goesByTasks(cutover) ? taskCensusOf(context, platform) : [],
    platform && !isDone(cutover, 'Reserve') ? trialOf(context, cutover, platform) : undefined,
  ]);
  const { members, machines } = coming;
  const left = leaving.members;
  const [ahead, back, answers, sight] = await Promise.all([
    to
      ? viewsOf(context, cutover, platform, to, members).then(triedUntilReserved(context, cutover, platform))
      : undefined,
    viewsOf(context, cutover, platform, from, left),
    platform && ['Verify', 'Soak'].includes(stepAt(cutover) ?? '') ? answersOf(context, cutover, platform) : [],
    sightOf(context, base),
  ]);
  return {
    ...base,
    ...others,
    kept,
    members,
    machines,
    left,
    targets: ahead ?? back,
    back,
    jobs,
    tasks,
    answers,
    trial,
    sight,
    refusals: refusalsOf(context, to),
    ...(platform && to && !isDone(cutover, 'Reserve') && { unguarded: unguardedIn(context, platform, to) }),
  };
}

/** What the pools of a generation say of the cloud, by the cache: they have no other way to say it. */
const refusalsOf = ({ caches }: Context, generation: ClusterGeneration | undefined): PoolRefusal[] =>
  caches.pools
    .byIndex(BY.generation, generation?.metadata.name ?? '')
    .filter(({ spec }) => generation && uidsOf(generation).includes(spec.generationUID))
    .toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name))
    .flatMap(({ metadata, status }) =>
      (status.failures ?? []).map(({ reason, message, since }) => ({ pool: metadata.name, reason, message, since })),
    );

/** From the caches that their controller writes by: it is the same process, and what it has written comes back there. */
const unguardedIn = ({ caches }: Context, platform: Platform, { metadata }: ClusterGeneration): string[] =>
  unguardedOf(
    caches.workloads.flatMap((store) => store.byIndex(BY.generation, metadata.name)),
    (namespace) => caches.places.get(namespace),
    platform,
  );

/** While users wait, and Quiesce has seen to the tasks already: to list thousands of pods takes a second. */
const BETWEEN: StepName[] = ['Migrate', 'Verify', 'Switch', 'Point', 'Release'];

const goesByTasks = (cutover: Cutover): boolean => {
  const step = stepAt(cutover);
  return cutover.status.undo !== undefined || step === undefined || !BETWEEN.includes(step);
};

/** What a finished cutover looks at. */
const NOTHING = {
  kept: [],
  first: undefined,
  superseded: undefined,
  successor: undefined,
  members: [],
  machines: [],
  left: [],
  targets: [],
  back: [],
  answers: [],
  tasks: [],
};

/** A generation's machines at the cloud, and those that have registered; or why they could not be seen. */
async function seen(
  context: Context,
  platform: Platform | undefined,
  generation: ClusterGeneration | undefined,
): Promise<Pick<CutoverInput, 'members' | 'machines'>> {
  if (!generation) return { members: [], machines: [] };
  const machines = await machinesOf(context, generation, platform);
  return Array.isArray(machines)
    ? { members: membersOf(context, generation, machines), machines }
    : { members: machines, machines: [] };
}

/** Asks the API servers, one by one, whether they enforce a reservation that has just been written. */
async function sightOf(
  { canary, caches }: Context,
  input: Pick<CutoverInput, 'cutover' | 'platform' | 'from' | 'to'>,
): Promise<CutoverInput['sight']> {
  const { cutover, to } = input;
  if (!to || isDone(cutover, 'Reserve') || !isWritten(input)) return undefined;
  const uids = uidsOf(to);
  const pool = caches.pools
    .byIndex(BY.generation, to.metadata.name)
    .find(({ spec }) => uids.includes(spec.generationUID));
  if (pool) return canary.sees(pool, cutover.metadata.uid);
  return { seen: false, overdue: false, waitingFor: `a pool of ${to.metadata.name}, to try its protection on` };
}

/** Other unfinished cutovers of the platform, as far as they matter to this one. */
async function othersOf(
  { client }: Context,
  cutover: Cutover,
  platform: Platform | undefined,
): Promise<Pick<CutoverInput, 'first' | 'superseded' | 'successor'>> {
  const { uid } = cutover.metadata;
  const all = (await client.list(cutovers)).items;
  // What another one has taken over stands in nobody's way.
  const taken = new Set(all.filter(isBegun).map(({ spec }) => spec.supersedes?.uid));
  const unfinished = all.filter(
    ({ metadata, spec, status }) =>
      spec.platform === cutover.spec.platform &&
      status.outcome === undefined &&
      metadata.uid !== uid &&
      !taken.has(metadata.uid),
  );
  const wanted = cutover.spec.supersedes;
  return {
    first: firstOf(cutover, platform, unfinished),
    superseded: wanted && all.find(({ metadata }) => metadata.uid === wanted.uid && metadata.name === wanted.name),
    successor: all.find((other) => other.spec.supersedes?.uid === uid && isBegun(other)),
  };
}

/** Generations that were live before and are not retired, other than the two and the live one. */
async function keptOf(
  { client }: Context,
  { spec }: Cutover,
  platform: Platform | undefined,
): Promise<ClusterGeneration[]> {
  const { items } = await client.list(clusterGenerations);
  return items.filter(
    ({ metadata, spec: { platform: owner }, status }) =>
      owner === spec.platform &&
      status.liveTime !== undefined &&
      status.retiredTime === undefined &&
      ![spec.from, spec.to, platform?.status.live?.name].includes(metadata.name),
  );
}

/**
 * The one that goes before this: the one that holds the platform, or has begun; or else the oldest that nobody has paused.
 * One that this cutover supersedes, or that has to give way to it, does not.
 */
function firstOf(cutover: Cutover, platform: Platform | undefined, unfinished: Cutover[]): Cutover | undefined {
  const others = unfinished.filter(({ metadata }) => metadata.uid !== cutover.spec.supersedes?.uid);
  const holder = others.find(({ metadata }) => metadata.uid === platform?.status.cutover?.uid);
  if (holder || isBegun(cutover)) return holder;
  const age = (a: Cutover, b: Cutover) =>
    a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp) ||
    a.metadata.name.localeCompare(b.metadata.name);
  const older = others.filter((other) => !other.spec.paused && age(other, cutover) < 0);
  return others.find(isBegun) ?? older.toSorted(age)[0];
}

/** Before anything moves: what refuses a move is better known beforehand. */
const triedUntilReserved =
  (context: Context, cutover: Cutover, platform: Platform | undefined) =>
  (views: TargetView[]): Promise<TargetView[]> | TargetView[] =>
    platform && !isDone(cutover, 'Reserve') ? Promise.all(views.map((view) => tried(context, platform, view))) : views;

/** A target that cannot be looked at is a problem of that target. */
async function viewsOf(
  context: Context,
  cutover: Cutover,
  platform: Platform | undefined,
  generation: ClusterGeneration | undefined,
  members: CutoverInput['members'],
): Promise<TargetView[]> {
  if (!platform || !generation) return [];
  const seen: Member[] = Array.isArray(members) ? members : [];
  const destination: Destination = {
    platform: platform.metadata.name,
    generation: generation.metadata.name,
    members: seen,
    fewer: cutover.spec.allowSmallerRoles === true || cutover.spec.mode !== 'Planned',
  };
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
