import type { Cutover, Platform, TrafficStatus } from '../../api/v1alpha1/index.ts';
import { timestamp } from '../../domain/conditions.ts';
import type { TargetSight } from '../../traffic/sight.ts';
import type { PlatformInput } from './input.ts';

/**
 * What a platform says of its traffic targets: Platform.status.traffic. In go what was seen of each and what a cutover does
 * with it, out comes an entry each, which changes only when something has changed. Pure.
 */

/** While a target stays as it is, numbers and words about it are brought up to date this often at most. Real ms: endpoints come and go in real time. */
export const RECOUNT = 15_000;
/** What could not be looked at for this long is not known any more. Declared ms. */
const UNSEEN = 120_000;

/** The traffic of a platform after this look; undefined while nothing is live. */
export function trafficOf(input: PlatformInput): TrafficStatus[] | undefined {
  if (!input.platform.status.live) return undefined;
  const before = new Map((input.platform.status.traffic ?? []).map((entry) => [entry.name, entry]));
  return input.targets.map((sight) => entryOf(input, sight, before.get(sight.target)));
}

/** Real ms until words that were not brought up to date may be; undefined when all of them are. */
export function recountIn(input: PlatformInput, traffic: readonly TrafficStatus[] = []): number | undefined {
  const waits = traffic.flatMap((entry) => {
    const sight = input.targets.find(({ target }) => target === entry.name);
    if (!sight || sight.ready === entry.ready) return [];
    return [Math.max(1, Date.parse(entry.countedTime) + RECOUNT - input.now)];
  });
  return waits.length > 0 ? Math.min(...waits) : undefined;
}

function entryOf(input: PlatformInput, sight: TargetSight, before: TrafficStatus | undefined): TrafficStatus {
  const { now, scaled } = input;
  if (before && sight.place === 'unseen' && (sight.unseenFor ?? Infinity) <= scaled(UNSEEN)) return before;
  const state = stateOf(sight, input.transit);
  const told = state === 'Serving' ? undefined : sight.problem;
  const [generation] = sight.generations.length === 1 ? sight.generations : [];
  const entry: TrafficStatus = {
    name: sight.target,
    state,
    leadsTo: sight.leadsTo.slice(0, 1024),
    ...(generation !== undefined && { generation }),
    ...(sight.machines && { machines: [...sight.machines] }),
    ready: sight.ready,
    minReady: sight.minReady,
    countedTime: timestamp(now),
    ...timesOf(state, before, sight, now),
    ...(told && {
      reason: reasonOf(state, told.reason),
      message: said(state, told.message, input.transit).slice(0, 2048),
    }),
  };
  if (!before || kindOf(before) !== kindOf(entry)) return entry;
  const unchanged =
    before.ready === entry.ready && before.message === entry.message && before.leadsTo === entry.leadsTo;
  return unchanged || now - Date.parse(before.countedTime) < RECOUNT ? before : entry;
}

/** What makes an entry another one, beside numbers and words. */
const kindOf = ({ state, reason, generation, machines, minReady }: TrafficStatus): string =>
  JSON.stringify([state, reason, generation, machines, minReady]);

function timesOf(
  state: TrafficStatus['state'],
  before: TrafficStatus | undefined,
  { machines }: TargetSight,
  now: number,
): Pick<TrafficStatus, 'servingSince' | 'lastServingTime'> {
  const served = before?.state === 'Serving';
  if (state === 'Serving') return { servingSince: (served && before.servingSince) || timestamp(now) };
  // A watch tells at once when a Service stops. Addresses are looked at now and then: what is certain is the look before.
  const last = served ? (machines ? before.countedTime : timestamp(now)) : before?.lastServingTime;
  return last === undefined ? {} : { lastServingTime: last };
}

/** What the cutover that holds the platform is doing with its targets. */
export interface Transit {
  cutover: string;
  /** The two generations that it is about. */
  generations: readonly string[];
  /** It goes back. */
  undoing: boolean;
  switches: NonNullable<Cutover['status']['switches']>;
}

/** The cutover that holds a platform, as far as its traffic goes. */
export function transitOf({ status }: Platform, cutover: Cutover | undefined): Transit | undefined {
  if (!status.cutover) return undefined;
  const same = cutover?.metadata.uid === status.cutover.uid ? cutover : undefined;
  return {
    cutover: status.cutover.name,
    generations: [same?.spec.from, same?.spec.to].filter((name): name is string => Boolean(name)),
    undoing: same?.status.undo !== undefined,
    switches: same?.status.switches ?? [],
  };
}

function stateOf(sight: TargetSight, transit: Transit | undefined): TrafficStatus['state'] {
  if (sight.place === 'unseen') return 'Unknown';
  if (!sight.problem) return 'Serving';
  if (!transit) return 'NotServing';
  if (sight.place === 'maintenance') return 'Held';
  const entry = transit.switches.find(({ target }) => target === sight.target);
  // Just moved: endpoints follow within seconds, or the cutover says that they do not.
  const moved = entry !== undefined && (transit.undoing || entry.state === 'Held' || entry.state === 'Switched');
  const within = sight.generations.length > 0 && sight.generations.every((name) => transit.generations.includes(name));
  return moved || (within && sight.place !== 'live') ? 'Moving' : 'NotServing';
}

const reasonOf = (state: TrafficStatus['state'], reason: string): string =>
  state === 'Held' ? 'TrafficHeld' : state === 'Moving' ? 'TrafficMoving' : reason;

const said = (state: TrafficStatus['state'], message: string, transit: Transit | undefined): string =>
  state === 'Held'
    ? `Cutover ${transit?.cutover} holds it behind its maintenance responder`
    : state === 'Moving'
      ? `Cutover ${transit?.cutover} moves it`
      : message;
