/**
 * When an absence is a fact. A list that lacks something may be empty by mistake, cut short, or from before. So nobody
 * concludes from one: an absence counts when two kinds of question (by tag, by id) have denied the thing for a while,
 * from the first look that lacked it, and the last of these looks shows most of what else there has to be. A look at
 * another account than the known one is no look: the provider fails instead.
 */

/** How far one look shows what there is: what can be told of it by other things that have to be in it. */
export interface Look {
  /** Things that are counted, and old enough to be shown. */
  known: number;
  /** Of these: shown by either kind of question. */
  shown: number;
  /** Of these: not shown, and seen to be there by somebody else, as a machine whose kubelet reports. For people. */
  contradicted: readonly string[];
}

/** `doubtful`: denied, and neither time nor the look itself make it a fact. */
export type Presence = 'present' | 'doubtful' | 'absent';

/** How long a thing has to be denied. Declared ms: EC2 promises no time for its consistency, and means seconds. */
export const DENIED_FOR = 5 * 60_000;

/** A machine is shown within this time of its launch, or its absence begins to count. Declared ms. */
export const SHOWN_WITHIN = 5 * 60_000;

/** Of what is counted a look shows at least this share, or it lacks nearly everything. */
const LEAST_SHARE = 0.1;

/** Whether a look can be believed in what it lacks. One that shows nothing at all never can. */
export const isFull = ({ known, shown, contradicted }: Look): boolean =>
  contradicted.length === 0 && shown > 0 && shown >= known * LEAST_SHARE;

/** Whether nearly all that was counted is lacking at once. Where nothing was counted, nothing is. */
export const lacksNearlyAll = ({ known, shown }: Pick<Look, 'known' | 'shown'>): boolean =>
  known > 0 && (shown === 0 || shown < known * LEAST_SHARE);

/**
 * What is known of one thing after a look.
 *
 * @param deniedSince when a look lacked it first and none has shown it since, ms since the epoch; undefined: shown
 * @param scaled turns declared ms into real ms
 */
export function presenceOf(
  deniedSince: number | undefined,
  look: Look,
  { now, scaled }: { now: number; scaled(ms: number): number },
): Presence {
  if (deniedSince === undefined) return 'present';
  return isFull(look) && now - deniedSince > scaled(DENIED_FOR) ? 'absent' : 'doubtful';
}
