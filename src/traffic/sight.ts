import { LABEL, type TrafficTarget as Spec } from '../api/v1alpha1/index.ts';
import { type Arrival, addressesServed, arrivalOf, arrives, minReadyOf } from './arrival.ts';
import { answers, portsNotOffered, readyEndpoints } from './endpoints.ts';
import { notSelecting } from './objections.ts';
import { selectorFor } from './service.ts';
import { type Problem, sameState, stateText } from './target.ts';
import type { ServiceSeen } from './watch.ts';

/**
 * Where a target leads, seen from the generation that is live, while nobody moves it. Pure. In go what was seen of it and whose
 * Nodes and machines are whose, out come the place, how much of it is ready, and what is wrong.
 */

export interface Live {
  platform: string;
  /** Name of the live generation. */
  generation: string;
}

/** `ours`: a Node of the live generation; `others`: any other; undefined: there is no such Node. */
export type Whose = (node: string) => 'ours' | 'others' | undefined;

export interface TargetSight {
  target: string;
  role: string;
  /** `elsewhere`: something ready that is neither; `unseen`: nothing can be said. */
  place: 'live' | 'generation' | 'maintenance' | 'nothing' | 'elsewhere' | 'unseen';
  /** Generations that it leads to, in part or as a whole. */
  generations: readonly string[];
  /** For people. */
  leadsTo: string;
  /** Of addresses: what each points at. */
  machines?: readonly string[];
  ready: number;
  minReady: number;
  /** Why it does not serve from the live generation. */
  problem?: Problem;
  /** Real ms since it could last be looked at; of what is unseen only. */
  unseenFor?: number;
}

/** A Service. What is too few is reported as `TooFewReadyEndpoints`: the cause is another question, to pods and workloads. */
export function serviceSight(spec: Spec, seen: ServiceSeen | undefined, live: Live, whose: Whose): TargetSight {
  const { namespace, name } = spec.service ?? { namespace: '', name: '' };
  const what = `Service ${namespace}/${name} of traffic target ${spec.name}`;
  const base = { target: spec.name, role: spec.role, minReady: minReadyOf(spec) };
  const nowhere = (place: 'nothing' | 'unseen', leadsTo: string, problem: Problem): TargetSight => ({
    ...base,
    place,
    generations: [],
    leadsTo,
    ready: 0,
    problem,
  });
  if (!seen)
    return nowhere('unseen', 'not seen yet', {
      reason: 'NotObserved',
      message: `${what} or its endpoints could not be read yet, or not for a while: the operator’s log says why`,
    });
  const { service, slices } = seen;
  const wanted = selectorFor(spec, live);
  if (!service)
    return nowhere('nothing', 'nothing: the Service does not exist', {
      reason: 'ServiceGone',
      message: `${what} does not exist: create it again with the selector ${stateText(wanted)}, then hand that over (docs/cutover.md)`,
    });
  const selector = service.spec?.selector ?? {};
  // What was on a Node that is gone answers nobody any more; its endpoint goes within seconds.
  const endpoints = readyEndpoints(slices).filter(({ nodeName }) => !nodeName || whose(nodeName) !== undefined);
  const answering = endpoints.filter(answers).length;
  const refused = notSelecting(service, endpoints);
  if (refused)
    return { ...base, place: 'elsewhere', generations: [], leadsTo: 'elsewhere', ready: answering, problem: refused };
  if (sameState(selector, wanted)) {
    const arrival = arrivalOf(
      endpoints,
      portsNotOffered(service, slices),
      ({ nodeName }) => whose(nodeName ?? '') === 'ours',
    );
    const problem = arrives(arrival, base.minReady) ? undefined : shortOf(what, arrival, base.minReady, live);
    const { generation } = live;
    return {
      ...base,
      place: 'live',
      generations: [generation],
      leadsTo: `generation ${generation}`,
      ready: answering,
      ...(problem && { problem }),
    };
  }
  return { ...base, ready: answering, ...misled(spec, what, selector, live) };
}

function shortOf(
  what: string,
  { answering, elsewhere, closed }: Arrival,
  least: number,
  { generation }: Live,
): Problem {
  if (elsewhere.length > 0) {
    const nodes = [...new Set(elsewhere.map(({ nodeName }) => nodeName ?? 'no Node'))];
    return {
      reason: 'EndpointsElsewhere',
      message: `${what} has ready endpoints that are not on machines of ${generation} (${nodes.slice(0, 3).join(', ')}): give its pods the nodeSelector ${LABEL.generation}: ${generation}`,
    };
  }
  if (answering >= least)
    return {
      reason: 'PortNotFound',
      message: `${what} leads to the container port named ${closed.join(', ')}, which no ready endpoint has: name the port there, or write its number as targetPort`,
    };
  return {
    reason: 'TooFewReadyEndpoints',
    message: `${what} has ${answering} ready endpoints, and minReady is ${least}`,
  };
}

/** A selector that is not the live generation's. */
function misled(
  spec: Spec,
  what: string,
  selector: Record<string, string>,
  live: Live,
): Pick<TargetSight, 'place' | 'generations' | 'leadsTo' | 'problem'> {
  const wanted = selectorFor(spec, live);
  const back = `set spec.selector back to ${stateText(wanted)} (docs/cutover.md says how, and how to hand it over)`;
  if (spec.maintenance && sameState(selector, spec.maintenance.selector))
    return {
      place: 'maintenance',
      generations: [],
      leadsTo: `its maintenance responder (${stateText(selector)})`,
      problem: {
        reason: 'LeftInMaintenance',
        message: `${what} leads to its maintenance responder, and no cutover holds it there: ${back}`,
      },
    };
  if (Object.keys(selector).length === 0)
    return {
      place: 'nothing',
      generations: [],
      leadsTo: 'nothing: the Service has no selector',
      problem: { reason: 'SelectorGone', message: `${what} has no selector any more: ${back}` },
    };
  const other = selector[LABEL.generation];
  const same = other !== undefined && sameState(selector, selectorFor(spec, { ...live, generation: other }));
  return {
    ...(same
      ? { place: 'generation', generations: [other], leadsTo: `generation ${other}` }
      : { place: 'elsewhere', generations: [], leadsTo: `elsewhere (${stateText(selector)})` }),
    problem: {
      reason: 'SelectorChanged',
      message: `${what} selects ${stateText(selector)}, and ${live.generation} is live: ${back}`,
    },
  };
}

/** What an address may point at. */
export interface MachineSeen {
  /** Of the live generation and of the target's role. */
  ours: boolean;
  /** It runs, and its Node is Ready. */
  ready: boolean;
  /** What is wrong with it, or whose it is, for people: `is stopped`, `is a machine of ga-1`. */
  says: string;
  generation?: string | undefined;
}

/**
 * A set of addresses, each of which has to lead to a Ready machine of the live generation.
 *
 * @param now what each points at; '' for nothing, absent when there is no such address
 * @param spare Ready machines of the role that have no address of the target, for people
 */
export function addressSight(
  spec: Spec,
  now: Readonly<Record<string, string>>,
  machineOf: (id: string) => MachineSeen | undefined,
  live: Live,
  spare: readonly string[],
): TargetSight {
  const ids = spec.elasticIPs?.allocationIDs ?? [];
  const behind = ids.map((id) => now[id] ?? '');
  const serving = new Set(behind.filter((id) => machineOf(id)?.ours && machineOf(id)?.ready));
  const served = addressesServed(ids, now, serving);
  const generations = [
    ...new Set(behind.flatMap((id) => (machineOf(id)?.ours ? [live.generation] : (machineOf(id)?.generation ?? [])))),
  ];
  const base = { target: spec.name, role: spec.role, minReady: ids.length, ready: served.length };
  const problem = ids
    .filter((id) => !served.includes(id))
    .map((id) => astray(spec, id, now[id], machineOf, live, spare))[0];
  const pointed = behind.filter((machine) => machine !== '');
  return {
    ...base,
    place:
      !problem || pointed.every((id) => machineOf(id)?.ours) ? (pointed.length > 0 ? 'live' : 'nothing') : 'elsewhere',
    generations,
    leadsTo:
      pointed.length === 0 ? 'nothing' : generations.length > 0 ? `machines of ${generations.join(', ')}` : 'elsewhere',
    machines: behind,
    ...(problem && { problem }),
  };
}

function astray(
  spec: Spec,
  id: string,
  machine: string | undefined,
  machineOf: (id: string) => MachineSeen | undefined,
  { generation }: Live,
  spare: readonly string[],
): Problem {
  const address = `address ${id} of traffic target ${spec.name}`;
  const free = spare.length > 0 ? `, for example ${spare[0]}` : '';
  const back = `associate it with a Ready machine of role ${spec.role} of ${generation}${free}`;
  if (machine === undefined)
    return {
      reason: 'AddressGone',
      message: `${address} does not exist in the account: correct spec.traffic[].elasticIPs`,
    };
  if (machine === '') return { reason: 'AddressPointsNowhere', message: `${address} points at nothing: ${back}` };
  const seen = machineOf(machine);
  if (!seen?.ours)
    return {
      reason: 'AddressMoved',
      message: `${address} points at ${machine}, which ${seen?.says ?? 'is no machine of this platform'}: ${back}`,
    };
  return {
    reason: 'MachineNotReady',
    message: `${address} points at ${machine}, which ${seen.says}: repair that machine, or ${back}`,
  };
}
