import { LABEL } from '../../../src/api/v1alpha1/index.ts';
import { parseDuration } from '../../../src/domain/duration.ts';
import { live, machines, machinesEach, release, tasks } from '../cast.ts';
import { endpointsAtWork, fewestAtWork, machinesOf, ofRole, timeOf } from './books.ts';
import type { Evidence } from './evidence.ts';
import { type Judge, minutes } from './judge.ts';

/** Lines about what users see: how soon the release serves, and what was away meanwhile. */

/** While a generation had to be whole: the first until it was retired, the release since traffic first moved to it. */
const liveSpans = ({ since, retired, cut, live: old, ledger }: Evidence) => [
  { generation: live, from: since.live, until: timeOf(old?.status.retiredTime, retired.from) },
  { generation: release, from: cut.from, until: timeOf(ledger.now, Number.NaN) },
];

/** The fewest machines of a role that were at work while their generation was live. */
function fewestOf(role: string, evidence: Evidence): number {
  return Math.min(
    ...liveSpans(evidence).map(({ generation, from, until }) =>
      fewestAtWork(ofRole(machinesOf(evidence.ledger.machines, generation), role), from, until),
    ),
  );
}

export const releaseUp: Judge = (evidence) => {
  const { released, state } = evidence;
  const running = state.instances.filter(
    (instance) => instance.tags[LABEL.generation] === release && instance.state === 'running',
  ).length;
  return {
    what: 'A new set of machines is up',
    in2023: '64 min, most of it',
    here: `${running} of ${machinesEach} in ${minutes(released.ready - released.from, evidence)}, beside the live ones`,
    holds: running === machinesEach,
  };
};

export const cutoverDone: Judge = (evidence) => {
  const { cut, cutover, platform, release: next, website } = evidence;
  const nodes = new Set(nodesOf(evidence, release));
  const ready = website.endpoints.filter((endpoint) => endpoint.ready);
  const arrived = ready.filter(({ nodeName }) => nodes.has(nodeName)).length;
  const pointed = next !== undefined && platform?.status.live?.uid === next.metadata.uid;
  return {
    what: 'The release takes the traffic',
    in2023: '16:47 degraded, 17:30 in full',
    here: `${minutes(cut.until - cut.from, evidence)}: ${cutover?.status.outcome ?? 'unfinished'}, ${arrived} of ${ready.length} endpoints on its machines`,
    holds:
      cutover?.status.outcome === 'Succeeded' &&
      pointed &&
      website.selector[LABEL.generation] === release &&
      ready.length > 0 &&
      arrived === ready.length,
  };
};

export const websitesDown: Judge = (evidence) => {
  const { looks, unanswered, ledger } = evidence;
  const answering = endpointsAtWork(looks, ledger.machines);
  const good = answering.filter((count) => count > 0).length;
  // Until the next look, however long that took.
  const withoutMs = looks.reduce((sum, { at }, index) => {
    const next = looks[index + 1]?.at ?? at;
    return answering[index] === 0 ? sum + next - at : sum;
  }, 0);
  return {
    what: 'Time without websites',
    in2023: '128 min',
    here: `${minutes(withoutMs, evidence)}: ${good} of ${looks.length} looks found ${Math.min(...answering)} endpoints or more, ready on running machines${unanswered > 0 ? `; ${unanswered} got no answer` : ''}`,
    // Without an answer nothing is known of the websites; of most looks it is.
    holds: looks.length > 0 && good === looks.length && unanswered * 10 <= looks.length,
  };
};

export const rolesDown: Judge = (evidence) => {
  const names = ['console', 'notebook', 'scheduled-task'] as const;
  const fewest = names.map((role) => `${role} ${fewestOf(role, evidence)}/${machines[role]}`);
  const whole = names.every((role) => fewestOf(role, evidence) === machines[role]);
  return {
    what: 'Time without consoles, notebooks, scheduled tasks',
    in2023: '128 min',
    here: `${whole ? '0 min' : 'SOME'}; fewest live machines at any time: ${fewest.join(', ')}`,
    holds: whole,
  };
};

export const failureUndone: Judge = (evidence) => {
  const { failed, failedCutover: cutover } = evidence;
  const undone = cutover?.status.migrations?.map(({ state }) => state) ?? [];
  const reason = cutover?.status.undo?.message ?? 'nothing';
  return {
    what: 'A release with a bug, found before users did',
    in2023: '-',
    here: `${failed.outcome} by itself in ${minutes(failed.until - failed.from, evidence)}, migration ${undone.join(', ')}: ${reason}`,
    holds: failed.outcome === 'RolledBack' && undone.length > 0 && undone.every((state) => state === 'Undone'),
  };
};

/** Migrations and checks are pods and requests, which take their time however fast the story runs. Real ms. */
const HELD_AT_LEAST = 180_000;

export const websitesHeld: Judge = (evidence) => {
  const held = evidence.cutover?.status.downtime?.find(({ role }) => role === 'web')?.traffic;
  const ms = held === undefined ? Number.NaN : parseDuration(held);
  return {
    what: 'Websites behind a maintenance page, in the cutover',
    in2023: '-',
    here: `${minutes(ms, evidence)}, while the database was migrated and the release looked at`,
    holds: ms < Math.max((10 * 60_000) / evidence.scale, HELD_AT_LEAST),
  };
};

export const rolledBack: Judge = (evidence) => {
  const { back, forth } = evidence.rolledBack;
  return {
    what: 'Back to the old release, and forward again',
    in2023: 'no way back',
    here: [back, forth]
      .map(({ outcome, from, until }) => `${outcome} in ${minutes(until - from, evidence)}`)
      .join('; '),
    holds: [back, forth].every(({ outcome }) => outcome === 'Succeeded'),
  };
};

/** The cloud is looked at once a declared minute, and a busy machine takes its time over the answer. Declared and real ms. */
const LOOKED_AT_EVERY = 60_000;
const SAID_WITHIN = 60_000;

export const movedAddressNamed: Judge = ({ moved, scale }) => {
  const { allocationId, ms, message, healed } = moved;
  return {
    what: 'A public address that somebody moved',
    in2023: '-',
    here: `named by the Platform after ${(ms / 1000).toFixed(1)} s: ${message}`,
    holds: healed && message.includes(allocationId) && ms < LOOKED_AT_EVERY / scale + SAID_WITHIN,
  };
};

export const alwaysOnDown: Judge = (evidence) => {
  const { counts } = evidence;
  const fewest = fewestOf('always-on', evidence);
  const twice = new Set(counts.flatMap((look) => look.twice));
  const restored = evidence.cutover?.status.downtime?.find(({ role }) => role === 'always-on')?.singletons;
  const ms = restored === undefined ? Number.NaN : parseDuration(restored);
  const all = counts.at(-1)?.running === tasks.count;
  return {
    what: 'Always-on tasks back',
    in2023: 'all after 380 min',
    here: `${counts.at(-1)?.running ?? 0} of ${tasks.count} run, moved in ${minutes(ms, evidence)}; ${twice.size} ever ran twice; ${fewest} of ${machines['always-on']} machines at least`,
    holds: all && twice.size === 0 && fewest === machines['always-on'] && Number.isFinite(ms),
  };
};

/** Nodes by the machines of a generation that the cloud has. */
function nodesOf({ nodes, state }: Evidence, generation: string): string[] {
  const ids = new Set(state.instances.filter(({ tags }) => tags[LABEL.generation] === generation).map(({ id }) => id));
  return Object.entries(nodes)
    .filter(([, providerID]) => ids.has(providerID.slice(providerID.lastIndexOf('/') + 1)))
    .map(([name]) => name);
}
