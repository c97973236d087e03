import { LABEL } from '../../../src/api/v1alpha1/index.ts';
import { live, machines, machinesEach, release } from '../cast.ts';
import { endpointsAtWork, fewestAtWork, machinesOf, ofRole, timeOf } from './books.ts';
import type { Evidence } from './evidence.ts';
import { type Judge, minutes } from './judge.ts';

/** Lines about what users see: how soon the release serves, and what was away meanwhile. */

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
  const { looks, ledger } = evidence;
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
    here: `${minutes(withoutMs, evidence)}: ${good} of ${looks.length} looks found ${Math.min(...answering)} endpoints or more, ready on running machines`,
    holds: looks.length > 0 && good === looks.length,
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

export const alwaysOnDown: Judge = (evidence) => {
  const fewest = fewestOf('always-on', evidence);
  const whole = fewest === machines['always-on'];
  return {
    what: "Always-on tasks' machines back",
    in2023: '235 min; all tasks after 380',
    here: `${whole ? 'never gone' : 'SOME GONE'}: never fewer than ${fewest} of ${machines['always-on']}`,
    holds: whole,
  };
};

/** Nodes by the machines of a generation that the cloud has. */
function nodesOf({ nodes, state }: Evidence, generation: string): string[] {
  const ids = new Set(state.instances.filter(({ tags }) => tags[LABEL.generation] === generation).map(({ id }) => id));
  return Object.entries(nodes)
    .filter(([, providerID]) => ids.has(providerID.slice(providerID.lastIndexOf('/') + 1)))
    .map(([name]) => name);
}
