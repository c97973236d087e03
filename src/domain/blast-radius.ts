import { type ClusterGeneration, LABEL, type Platform } from '../api/v1alpha1/index.ts';
import { parseDuration } from './duration.ts';
import type { Moment } from './moment.ts';

/**
 * How many machines of a protected generation may be out at the same time, or one soon after the other: cordoned, in
 * maintenance, not Ready, or missing. In go Nodes as they change, out comes what counts and whether one more may go.
 * The webhook asks before a person takes one out, the maintenance controller before its pods may be evicted.
 */

/** What is looked at of a Node. */
export interface Member {
  name: string;
  ready: boolean;
  unschedulable: boolean;
  /** The annotation generations.dev/maintenance. */
  maintenance: string | undefined;
  labels: Readonly<Record<string, string>>;
}

/** The annotation counts when it names the Node that carries it: a copied manifest takes no other machine out. */
export const inMaintenance = ({ name, maintenance }: Pick<Member, 'name' | 'maintenance'>): boolean =>
  maintenance === name;

/** Out of service, or about to be. */
export const isOut = (node: Member): boolean => !node.ready || node.unschedulable || inMaintenance(node);

/** The Nodes of one generation. */
export interface Tally {
  registered: ReadonlySet<string>;
  out: ReadonlySet<string>;
  /** When those went out that have been seen to go, whether they are back or not; ms since the epoch. */
  wentOut: ReadonlyMap<string, number>;
  /** Until when those count that were let go a moment ago and whose Node does not show it yet. */
  letGo: ReadonlyMap<string, number>;
}

export interface BlastRadius {
  /** Machines that may be out. */
  limit: number;
  /** Machines that the generation should have. */
  total: number;
  /** Machines that count now. */
  used: number;
  /** Names of the Nodes that count. */
  counted: ReadonlySet<string>;
  /** Machines that have no Node, and are not among those counted by name. */
  missing: number;
}

/**
 * What of a generation's allowance is used.
 *
 * @param total machines that the generation should have
 * @param time `now` in ms since the epoch; `scaled` makes real ms of declared ones: the window is declared
 */
export function blastRadius(allowance: Allowance, total: number, tally: Tally, { now, scaled }: Moment): BlastRadius {
  const since = now - scaled(parseDuration(allowance.window));
  const counted = new Set(tally.out);
  for (const [name, at] of tally.wentOut) if (at > since) counted.add(name);
  for (const [name, until] of tally.letGo) if (until > now) counted.add(name);
  let gone = 0;
  for (const name of counted) if (!tally.registered.has(name)) gone++;
  // A machine that is gone by name and one that is missing by number may be the same one.
  const missing = Math.max(0, total - tally.registered.size - gone);
  const limit = Math.max(1, Math.floor((total * Number.parseInt(allowance.machines, 10)) / 100));
  return { limit, total, used: counted.size + missing, counted, missing };
}

/** What a Platform that does not exist any more is taken to allow: the API's defaults. */
const DEFAULT_ALLOWANCE: Allowance = { machines: '5%', window: '1h' };

export type Allowance = Platform['spec']['blastRadius'];

export const allowanceOf = (platform: Platform | undefined): Allowance =>
  platform?.spec.blastRadius ?? DEFAULT_ALLOWANCE;

/** What is out of a generation now. */
export const radiusOf = (
  { metadata, spec, status }: ClusterGeneration,
  platform: Platform | undefined,
  tally: Outages['of'],
  moment: Moment,
): BlastRadius =>
  blastRadius(
    allowanceOf(platform),
    spec.pools.reduce((sum, { machines }) => sum + machines, 0),
    tally(metadata.uid, status.formerUIDs),
    moment,
  );

/** The Nodes that the annotation generations.dev/draining names, however a person has written it. */
export const drainedBy = (annotation = ''): string[] =>
  annotation
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

/** True when this Node may go out: it counts already, or there is room for one more. */
export const roomFor = (name: string, radius: BlastRadius): boolean =>
  radius.counted.has(name) || radius.used < radius.limit;

/** Names in a message: more would hide what it says. */
const NAMED = 5;

/** What the allowance is and what has used it up, for a message; without a full stop. */
export function describeRadius(radius: BlastRadius, allowance: Allowance): string {
  const { limit, total, used, counted, missing } = radius;
  const names = [...counted].toSorted();
  const shown = [
    ...names.slice(0, NAMED),
    ...(names.length > NAMED ? [`${names.length - NAMED} more`] : []),
    ...(missing > 0 ? [`${missing} without a Node`] : []),
  ];
  return `${limit} of its ${total} machines may be out within ${allowance.window} (${allowance.machines}), and ${used} ${used === 1 ? 'counts' : 'count'} now: ${shown.join(', ')}`;
}

/** How long a permission counts before the Node has to show it: a watch is milliseconds behind, seconds at worst. Real ms. */
const LET_GO_FOR = 10_000;
/** Windows are not longer than this. Real ms. */
const REMEMBERED_FOR = 7 * 86_400_000;

const NOTHING: Tally = { registered: new Set(), out: new Set(), wentOut: new Map(), letGo: new Map() };

/** Counts Nodes as they change, so that a question costs the same for 5 machines and for 5 000. */
export interface Outages {
  /** A Node has changed: absent `before` when it is new, absent `after` when it is gone. */
  observe(before: Member | undefined, after: Member | undefined, now: number): void;
  /** A Node is about to be taken out by leave of this process. */
  letGo(generationUID: string, name: string, now: number): void;
  /** The Nodes of one generation: by its UID, and by those that it had before a restore. */
  of(generationUID: string, formerUIDs?: readonly string[]): Tally;
}

interface Books {
  registered: Set<string>;
  out: Set<string>;
  wentOut: Map<string, number>;
  letGo: Map<string, number>;
}

/**
 * An empty count. What it remembers of Nodes that are back is lost with the process; what is out still counts then.
 */
export function outages(): Outages {
  const generations = new Map<string, Books>();
  const booksOf = (uid: string): Books => {
    const books = generations.get(uid) ?? {
      registered: new Set(),
      out: new Set(),
      wentOut: new Map(),
      letGo: new Map(),
    };
    generations.set(uid, books);
    return books;
  };

  const leave = (node: Member) => {
    const books = booksOf(node.labels[LABEL.generationUID] ?? '');
    books.registered.delete(node.name);
    books.out.delete(node.name);
  };
  const enter = (node: Member) => {
    const books = booksOf(node.labels[LABEL.generationUID] ?? '');
    books.registered.add(node.name);
    if (isOut(node)) books.out.add(node.name);
  };
  const remember = (node: Member, now: number) => {
    const { wentOut } = booksOf(node.labels[LABEL.generationUID] ?? '');
    wentOut.set(node.name, now);
    for (const [name, at] of wentOut) if (at < now - REMEMBERED_FOR) wentOut.delete(name);
  };

  return {
    observe(before, after, now) {
      if (before) leave(before);
      if (after) enter(after);
      // One that has never been Ready is missing until it is, and no loss.
      if (before && !isOut(before) && (!after || isOut(after))) remember(before, now);
      // Seen for the first time, already taken out on purpose: it cannot be known for how long, so count from now.
      if (!before && after && (after.unschedulable || inMaintenance(after))) remember(after, now);
      const uid = before?.labels[LABEL.generationUID] ?? '';
      if (generations.get(uid)?.registered.size === 0) generations.delete(uid);
    },
    letGo(generationUID, name, now) {
      const { letGo } = booksOf(generationUID);
      for (const [other, until] of letGo) if (until <= now) letGo.delete(other);
      letGo.set(name, now + LET_GO_FOR);
    },
    of: (generationUID, formerUIDs = []) => {
      const own = generations.get(generationUID) ?? NOTHING;
      return formerUIDs.reduce((sum, uid) => added(sum, generations.get(uid)), own);
    },
  };
}

const added = (one: Tally, other: Tally | undefined): Tally =>
  other
    ? {
        registered: new Set([...one.registered, ...other.registered]),
        out: new Set([...one.out, ...other.out]),
        wentOut: new Map([...one.wentOut, ...other.wentOut]),
        letGo: new Map([...one.letGo, ...other.letGo]),
      }
    : one;
