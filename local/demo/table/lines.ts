import { isDeepStrictEqual } from 'node:util';
import { LABEL } from '../../../src/api/v1alpha1/index.ts';
import {
  addresses,
  limitedOperations,
  live,
  machines,
  machinesEach,
  machinesPerMinute,
  release,
  roles,
} from '../cast.ts';
import { operatorCaller } from '../throttling.ts';
import { endOf, fewestAtWork, launchesFor, machinesOf, mostAtOnce, ofRole, throttledOf, timeOf } from './books.ts';
import type { Evidence } from './evidence.ts';

/** One line of the table: what happened in 2023, what happened here, and whether it is as it should be. */
export interface Line {
  what: string;
  in2023: string;
  here: string;
  holds: boolean;
}

/** The whole table. Pure: every figure but those of 2023 comes from the evidence. */
export const linesOf = (evidence: Evidence): Line[] => lines.map((line) => line(evidence));

type Judge = (evidence: Evidence) => Line;

const minutes = (ms: number, { scale }: Evidence): string => {
  const value = (ms * scale) / 60_000;
  return `${value === 0 || value >= 9.95 ? Math.round(value) : value.toFixed(1)} min`;
};

/** While the first generation was live, then the release. */
const liveSpans = ({ live: old, release: next, ledger }: Evidence) => {
  const end = timeOf(ledger.now, Number.NaN);
  const moved = timeOf(next?.status.liveTime, Number.NaN);
  return [
    { generation: live, from: timeOf(old?.status.liveTime, Number.NaN), until: moved },
    { generation: release, from: moved, until: end },
  ];
};

/** The fewest machines of a role that were at work while their generation was live. */
function fewestOf(role: string, evidence: Evidence): number {
  return Math.min(
    ...liveSpans(evidence).map(({ generation, from, until }) =>
      fewestAtWork(ofRole(machinesOf(evidence.ledger.machines, generation), role), from, until),
    ),
  );
}

const refusedBeforeStart: Judge = ({ refused, released, ledger }) => {
  const launches = launchesFor(ledger.calls, release, refused.from, released.from);
  const later = launchesFor(ledger.calls, release, released.from, released.ready);
  return {
    what: 'A release that does not fit beside the live one',
    in2023: 'started; many machines failed',
    here: `refused with the sum (${refused.reason}), ${launches} requests for machines`,
    holds:
      refused.reason === 'InsufficientAddresses' && /\d+ short/.test(refused.message) && launches === 0 && later > 0,
  };
};

const attemptsRefused: Judge = ({ mistaken, removed }) => {
  const attempts = [...mistaken.attempts, ...removed.attempts];
  const stopped = attempts.filter(({ targets, refused }) => refused === targets);
  const through = attempts.filter((attempt) => !stopped.includes(attempt)).map(({ what }) => what);
  return {
    what: 'Attempts on the live machines refused',
    in2023: 'none',
    here: `${stopped.length} of ${attempts.length}${through.length > 0 ? `; NOT: ${through.join('; ')}` : ''}`,
    holds: attempts.length > 0 && through.length === 0,
  };
};

const liveTerminated: Judge = ({ ledger, live: old }) => {
  const retired = timeOf(old?.status.retiredTime, Number.NaN);
  const lost = machinesOf(ledger.machines, live).filter((record) => endOf(record) < retired);
  const lostNow = machinesOf(ledger.machines, release).filter((record) => Number.isFinite(endOf(record)));
  const count = lost.length + lostNow.length;
  return {
    what: 'Live machines stopped or terminated',
    in2023: 'all of them',
    here: `${count} of ${machinesEach}`,
    holds: count === 0 && Number.isFinite(retired),
  };
};

const liveUnchanged: Judge = ({ mistaken: { before, after } }) => {
  const same = isDeepStrictEqual(byName(before), byName(after));
  const alive = after.machines.filter(({ state }) => state === 'running').length;
  const ready = after.nodes.filter((node) => node.ready).length;
  return {
    what: 'Live generation after these attempts',
    in2023: 'gone at 15:43',
    here: `${same ? 'the same object' : 'CHANGED'}, ${after.pools.length} pools, ${ready} Nodes ready, ${alive} machines running`,
    holds:
      same &&
      after.generation?.deleting === false &&
      after.pools.length === roles.length &&
      ready === machinesEach &&
      alive === machinesEach,
  };
};

const byName = ({ generation, pools, nodes, machines: atCloud }: Evidence['mistaken']['before']) => ({
  generation,
  pools: pools.toSorted((a, b) => a.name.localeCompare(b.name)),
  nodes: nodes.toSorted((a, b) => a.name.localeCompare(b.name)),
  machines: atCloud.toSorted((a, b) => a.id.localeCompare(b.id)),
});

const halfStartedRemoved: Judge = (evidence) => {
  const { half, removed, ledger } = evidence;
  const gone = ledger.machines.filter(
    ({ tags, terminated }) =>
      tags[LABEL.generation] !== live && tags[LABEL.generation] !== release && terminated !== undefined,
  ).length;
  const onTime = ledger.machines.every(
    (record) => [live, release].includes(record.tags[LABEL.generation] ?? '') || endOf(record) <= removed.until,
  );
  return {
    what: 'Half-started machines removed',
    in2023: 'the live ones, instead',
    here: `${gone} of ${half.machines} in ${minutes(removed.until - removed.from, evidence)}, by one kubectl delete`,
    holds: half.machines > 0 && gone === half.machines && onTime,
  };
};

const rateLimits: Judge = ({ ledger, released }) => {
  const throttled = throttledOf(ledger.calls, operatorCaller);
  const met = limitedOperations.filter((operation) => (throttled[operation] ?? 0) > 0);
  const asked = machinesOf(ledger.machines, release);
  const came = asked.filter((record) => timeOf(record.nodeRegistered, Number.POSITIVE_INFINITY) <= released.ready);
  const counts = met.map((operation) => `${operation} ${throttled[operation]}x`).join(', ');
  return {
    what: 'Unexpected rate limits met',
    in2023: '2; machines failed, twice',
    here: `${met.length} (${counts}): slowed down, ${asked.length - came.length} of ${asked.length} machines failed`,
    holds: met.length === limitedOperations.length && asked.length === machinesEach && came.length === machinesEach,
  };
};

const releaseUp: Judge = (evidence) => {
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

const cutoverDone: Judge = (evidence) => {
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

const websitesDown: Judge = (evidence) => {
  const { looks } = evidence;
  return {
    what: 'Time without websites',
    in2023: '128 min',
    here: `${minutes(looks.withoutMs, evidence)}: ${looks.total - looks.empty} of ${looks.total} looks found ${looks.fewest} ready endpoints or more`,
    holds: looks.total > 0 && looks.empty === 0,
  };
};

const rolesDown: Judge = (evidence) => {
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

const alwaysOnDown: Judge = (evidence) => {
  const fewest = fewestOf('always-on', evidence);
  const whole = fewest === machines['always-on'];
  return {
    what: "Always-on tasks' machines back",
    in2023: '235 min; all tasks after 380',
    here: `${whole ? 'never gone' : 'SOME GONE'}: never fewer than ${fewest} of ${machines['always-on']}`,
    holds: whole,
  };
};

const oldRemoved: Judge = (evidence) => {
  const { live: old, ledger, retired } = evidence;
  const from = timeOf(old?.status.retiredTime, Number.NaN);
  const gone = machinesOf(ledger.machines, live).filter(({ terminated }) => terminated !== undefined);
  const taken = Math.max(...gone.map((record) => endOf(record))) - from;
  // The budget starts empty and holds no more than a minute's worth.
  const pace = (machinesEach - machinesPerMinute) / machinesPerMinute;
  return {
    what: 'Old machines removed, by a Cutover that retired them',
    in2023: '21 min, by mistake',
    here: `${gone.length} in ${minutes(retired.until - from, evidence)}, at most ${machinesPerMinute} a minute; the object stays as ${old?.status.stage}`,
    holds: gone.length === machinesEach && old?.status.stage === 'Retired' && (taken * evidence.scale) / 60_000 >= pace,
  };
};

const neverTooMany: Judge = ({ ledger }) => {
  const names = [...new Set(ledger.machines.map(({ tags }) => tags[LABEL.generation] ?? 'no generation'))];
  const most = names.map((name) => mostAtOnce(machinesOf(ledger.machines, name)));
  return {
    what: 'Most machines of a generation at one time',
    in2023: '-',
    here: `${Math.max(...most)}, desired ${machinesEach}`,
    holds: most.length > 0 && most.every((count) => count <= machinesEach) && !names.includes('no generation'),
  };
};

const addressesKept: Judge = ({ ledger, state }) => {
  const own = new Set(machinesOf(ledger.machines, release).map(({ id }) => id));
  const pointing = state.addresses.filter(({ instanceId }) => instanceId !== null && own.has(instanceId)).length;
  const releases = ledger.calls.filter(({ operation }) => operation === 'ReleaseAddress').length;
  const loose = ledger.addresses.filter(({ history }) => history.some(({ instanceId }) => instanceId === null)).length;
  return {
    what: 'Public addresses',
    in2023: '-',
    here: `${pointing} of ${addresses.length} lead to the release; ${releases} released, ${loose} ever left pointing nowhere`,
    holds: pointing === addresses.length && releases === 0 && loose === 0,
  };
};

/** Nodes by the machines of a generation that the cloud has. */
function nodesOf({ nodes, state }: Evidence, generation: string): string[] {
  const ids = new Set(state.instances.filter(({ tags }) => tags[LABEL.generation] === generation).map(({ id }) => id));
  return Object.entries(nodes)
    .filter(([, providerID]) => ids.has(providerID.slice(providerID.lastIndexOf('/') + 1)))
    .map(([name]) => name);
}

const nothingLeaks: Judge = ({ ledger, state, pools, nodes }) => {
  const booked = ledger.machines.filter(({ terminated }) => terminated === undefined).map(({ id }) => id);
  const exist = state.instances.filter((instance) => instance.state !== 'terminated').map(({ id }) => id);
  const known = pools.flatMap(({ status }) => (status.instances ?? []).map(({ id }) => id));
  const registered = Object.values(nodes).map((providerID) => providerID.slice(providerID.lastIndexOf('/') + 1));
  const [first = [], ...others] = [booked, exist, known, registered].map((ids) => ids.toSorted());
  return {
    what: 'Left over at the cloud, or missing there',
    in2023: '-',
    here: `${exist.length} machines, ${booked.length} in the ledger, ${known.length} in pools, ${registered.length} Nodes`,
    holds: first.length === machinesEach && others.every((ids) => isDeepStrictEqual(ids, first)),
  };
};

const memory: Judge = ({ operator }) => ({
  what: "The operator's memory at its peak",
  in2023: '-',
  here: `${operator.peakMiB} MiB of the ${operator.limitMiB} that the chart allows${operator.running ? '' : '; IT HAS ENDED'}`,
  holds: operator.running && operator.peakMiB > 0 && operator.peakMiB < operator.limitMiB,
});

const lines: Judge[] = [
  refusedBeforeStart,
  attemptsRefused,
  liveTerminated,
  liveUnchanged,
  halfStartedRemoved,
  rateLimits,
  releaseUp,
  cutoverDone,
  websitesDown,
  rolesDown,
  alwaysOnDown,
  oldRemoved,
  neverTooMany,
  addressesKept,
  nothingLeaks,
  memory,
];
