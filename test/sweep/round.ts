import { waitFor } from '../../local/wait.ts';
import { cutovers } from '../../src/kinds.ts';
import { deleteObject } from '../../src/kube/delete.ts';
import { isConflict, isNotFound } from '../../src/kube/errors.ts';
import { events, jobs } from '../../src/kube/resources.ts';
import { aliveOf } from '../scenarios/ledger.ts';
import { auditDestruction, auditRound } from './audit.ts';
import type { Installation } from './installation.ts';
import { type Judge, type Moves, movesSince } from './judge.ts';
import type { Observer } from './observer.ts';
import type { Happening, Kill, Write } from './proxy.ts';
import { closedQuota } from './quota.ts';
import { finished, LIMIT, MACHINES, type Site, stage, theCutover } from './site.ts';
import { differences, type Parties, type Snapshot, snapshot, standing } from './snapshot.ts';
import type { Change } from './writes.ts';

/** One cutover or rollback of a site, with or without the death of the operator, and what is wrong with it. */

export type Kind = 'cutover' | 'rollback';

/**
 * What happens, and where: at the write of this number. The operator dies before it is made or right after; or right after, and all Jobs
 * of the cutover are deleted while it is away. Or a quota closes, so that no Job can be made any more until the cutover says so; or the
 * cloud shows no machine for a while.
 */
export interface Point {
  kind: Kind;
  number: number;
  when: Kill['when'] | Happening['when'] | 'jobless';
}

export const nameOf = ({ kind, number, when }: Point): string => `${kind}:${number}:${when}`;

/** A point by its name. @throws Error when it is none */
export function pointOf(name: string): Point {
  const [, kind, number, when] = /^(cutover|rollback):(\d+):(before|after|jobless|quota|empty)$/.exec(name) ?? [];
  if (!kind || !number || !when) throw new Error(`${name} is no point: write for example cutover:17:before`);
  return { kind: kind as Kind, number: Number(number), when: when as Point['when'] };
}

export interface Round {
  /** What was counted, in order. */
  writes: Write[];
  /** At which write the operator was killed; absent when there was none of that number. */
  killedAt?: Write;
  /** How the site was left. */
  left: Snapshot;
  /** What is wrong, in words. */
  problems: string[];
  /** It went back: what the site is like is not what the next round expects. */
  wentBack: boolean;
  /** Real ms from the creation of the Cutover to its outcome. */
  ms: number;
}

export interface Scene {
  installation: Installation;
  observer: Observer;
  judge: Judge;
  /** Problems that were told already: the whole life of an installation is judged each time. */
  told: Set<string>;
}

/** Real ms without a write after which an operator has nothing more to do; its own waits here are 200 ms and 1 s. */
const QUIET = 1_500;
/** The same before a round: what is still written then is no part of it, and does no harm. */
const CALM = 400;
/** How long the cloud shows no machines, real ms: a declared minute here is 6 000. */
const EMPTY_FOR = 7_000;
/** Real ms in which what is left comes to be as it is without a death. */
const SETTLED = 20_000;

/**
 * @param point where the operator dies, and is started again at once, or something else happens for a while; absent: nowhere
 * @param expected how the site is left by a round without a death; absent: as this one leaves it
 */
export async function playRound(
  scene: Scene,
  site: Site,
  kind: Kind,
  point?: Point,
  expected?: Snapshot,
): Promise<Round> {
  const { installation, judge } = scene;
  const { admin, operator, proxy } = installation;
  const to = kind === 'cutover' ? await stage(installation, site) : site.retained;
  if (to === undefined) throw new Error(`${site.name} has no generation to go back to`);
  const from = site.live;
  site.rounds += 1;
  const cutover = `${site.name}-c${site.rounds}`;
  const quiet = (ms: number) =>
    waitFor('the operator to write nothing', { limitMs: LIMIT }, async () => proxy.quietFor() > ms || undefined);
  await quiet(CALM);
  const ids = [...aliveOf(await installation.ledger(), from), ...aliveOf(await installation.ledger(), to)].map(
    ({ id }) => id,
  );
  const told = await replay(scene);
  const begun = { moves: judge.moves(), write: proxy.writes.length, time: Date.now() };
  let revived: Promise<void> | undefined;
  const kill = () => {
    installation.killOperator();
    const away = point?.when === 'jobless' ? deleteJobs(installation, cutover) : Promise.resolve();
    revived = away.then(() => operator.restart());
  };
  let over: Promise<void> | undefined;
  const happen: Record<Happening['when'], () => Promise<void>> = {
    quota: async () => {
      const lift = await closedQuota(installation, site.name);
      over = lift(cutover);
    },
    empty: async () => {
      over = installation.emptyCloud(EMPTY_FOR);
    },
  };
  proxy.count((change) => isOf(change, site, [...ids, ...site.addresses]), point && disturbance(point, kill, happen));
  await admin.create(cutovers, theCutover(site, cutover, kind === 'cutover' ? 'Planned' : 'Rollback', to) as never);

  const parties = { cutover, from, to };
  const problems = [...told];
  let ms = 0;
  let left: Snapshot = {};
  let wentBack = false;
  try {
    const { status, metadata } = await finished(installation, cutover);
    ms = Date.now() - begun.time;
    // A migration whose Job is deleted while it runs has failed, and everything is as it was.
    wentBack = point?.when === 'jobless' && status.outcome === 'RolledBack';
    if (!wentBack && status.outcome !== 'Succeeded') problems.push(`ended otherwise: ${standing({ status })}`);
    await quiet(QUIET);
    await Promise.all([revived, over]);
    left = await snapshot(installation, site, parties);
    if (wentBack) problems.push(...notAsBefore(left, movesSince(begun.moves, judge.moves()), metadata.uid));
    const different = () => (expected && !wentBack ? differences(expected, left) : []);
    await waitFor('the same state', { limitMs: SETTLED, everyMs: 300 }, async () => {
      if (different().length === 0) return true;
      left = await snapshot(installation, site, parties);
      return undefined;
    }).catch(() => problems.push(...different().map((text) => `left otherwise: ${text}`)));
    problems.push(...(await replay(scene)));
    // A process that dies takes along what it has not sent yet.
    if (!point) problems.push(...(await untold(installation, parties)));
    if (!wentBack)
      problems.push(...wrongMoves(movesSince(begun.moves, judge.moves()), site, kind, { to, uid: metadata.uid }));
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  }
  const killedAt = proxy.killedAt();
  const writes = proxy.stopCounting();
  await Promise.all([revived, over]);
  await operator.ready();

  const ledger = await installation.ledger();
  const asked = proxy.writes.slice(begun.write).filter((change) => isOf(change, site, [...ids, ...site.addresses]));
  const facts = { from, to, pools: MACHINES, addresses: site.addresses, writes: asked, since: begun.time };
  problems.push(
    ...fresh(scene, auditDestruction(proxy.writes, ledger)),
    ...(wentBack ? [] : auditRound(facts, ledger)),
  );
  Object.assign(site, { live: to, retained: from, last: cutover });
  return { writes, left, problems, wentBack, ms, ...(killedAt && { killedAt }) };
}

/** As a cleaner does, or a person: without asking whether they have ended. */
async function deleteJobs({ admin }: Installation, cutover: string): Promise<void> {
  const { items } = await admin.list(jobs, { labelSelector: `generations.dev/cutover=${cutover}` });
  for (const { metadata } of items) {
    const { name, namespace = '', uid, resourceVersion } = metadata;
    const target = { name, namespace, uid, resourceVersion };
    await deleteObject(admin, jobs, target, { propagationPolicy: 'Background' }).catch((error: unknown) => {
      if (!isConflict(error) && !isNotFound(error)) throw error;
    });
  }
}

/** Of a round that went back: the old generation is live, and no migration ran twice. */
function notAsBefore(left: Snapshot, moved: Moves, uid: string): string[] {
  const runs = (moved.jobs[uid] ?? []).filter((job) => job.includes('-migrate-schema-')).length;
  const live = (left['platform status'] as { live?: { name?: string } } | undefined)?.live?.name;
  return [
    ...(runs > 1 ? [`the migration ran ${runs} times`] : []),
    ...(live === 'FROM' ? [] : [`it went back, and ${live} is live`]),
  ];
}

/** On which of the objects kubectl events does not show how the cutover has ended. */
async function untold({ admin }: Installation, { cutover, from, to }: Parties): Promise<string[]> {
  const ended = { namespace: 'default', fieldSelector: 'reason=Succeeded' };
  let missing: string[] = [];
  await waitFor('events', { limitMs: SETTLED, everyMs: 300 }, async () => {
    const { items } = await admin.list(events, ended);
    const told = items.filter(({ note }) => note?.includes(cutover)).map(({ regarding }) => regarding?.name);
    missing = [cutover, from, to].filter((name) => !told.includes(name));
    return missing.length === 0 || undefined;
  }).catch(() => undefined);
  return missing.map((name) => `no event on ${name} says how ${cutover} has ended`);
}

/** What the proxy is to do at a point. */
function disturbance(
  { number, when }: Point,
  kill: () => void,
  happen: Record<Happening['when'], () => Promise<void>>,
): Kill | Happening {
  if (when === 'quota' || when === 'empty') return { number, when, act: happen[when] };
  return { number, when: when === 'before' ? when : 'after', kill };
}

/** Shows the judge all that has happened; returns what it objects to. */
export async function replay({ observer, judge }: Scene): Promise<string[]> {
  return (await observer.revisions()).flatMap((revision) => judge.take(revision));
}

const fresh = ({ told }: Scene, problems: string[]): string[] =>
  problems.filter((problem) => !told.has(problem) && told.add(problem));

/** A change of something of this site; at the cloud, of one of these machines and addresses. */
const isOf = ({ at, object }: Change, site: Site, ids: readonly string[]): boolean =>
  at === 'cloud'
    ? object.split(',').some((id) => ids.includes(id))
    : object.startsWith('nodes/') || object.split(/[/.]/).some((part) => belongs(part, site.name));

const belongs = (part: string, site: string): boolean => part === site || part.startsWith(`${site}-`);

/** What did not move exactly once, and in its order. */
function wrongMoves(moved: Moves, site: Site, kind: Kind, { to, uid }: { to: string; uid: string }): string[] {
  const { name, features } = site;
  const expected: [what: string, found: string[] | undefined, wanted: string[]][] = [
    ['the live pointer', moved.live[name], [to]],
    ['Service api', moved.selectors[`${name}/api`], [to]],
    ['Service www', moved.selectors[`${name}/www`], [...(features.hold ? ['app=maintenance'] : []), to]],
  ];
  const problems = expected
    .filter(([, found = [], wanted]) => found.join() !== wanted.join())
    .map(([what, found = [], wanted]) => `${what} went ${found.join(' -> ')} instead of ${wanted.join(' -> ')}`);
  for (const [generation, times] of Object.entries(moved.liveTimes))
    if (generation !== to || times.length !== 1) problems.push(`liveTime of ${generation} became ${times.join(', ')}`);
  const migrations = (moved.jobs[uid] ?? []).filter((job) => job.includes('schema')).length;
  const wanted = features.jobs && kind === 'cutover' ? 1 : 0;
  if (migrations !== wanted) problems.push(`the migration ran ${migrations} times instead of ${wanted}`);
  return problems;
}
