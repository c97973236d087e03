import type { Failure, GenerationPoolStatus, Launch } from '../../api/v1alpha1/index.ts';
import { realLimit } from '../../domain/moment.ts';
import { powerWanted } from '../../domain/standby.ts';
import type { Machine } from '../../providers/provider.ts';
import type { PoolInput } from './input.ts';
import { IN_FLIGHT, isObserved } from './launching.ts';

/**
 * Which of a pool's machines are to be stopped, and which started. A standby that a cutover has left may be kept
 * stopped; everything else runs, and what is found stopped is started, whoever stopped it.
 */

export interface PowerPlan {
  /** Its machines are to be off, and that is no trouble. */
  standby: boolean;
  /** Ids of running machines of a standby on which no Job has anything to finish. */
  stop: string[];
  /** How many go on until the Jobs on them have ended. */
  finishing: number;
  /** Ids of stopped machines that should run, a list for each call. */
  start: string[][];
  /** How many of the pool's machines are off, or about to be. */
  off: number;
  /** How many are neither on nor off yet. */
  changing: number;
}

/** A machine is not started again sooner than this: one that halts itself as it boots would be started without end. Declared ms. */
const RESTART_PAUSE = 60_000;

/** Machines started in one call. */
const STARTED_AT_ONCE = 100;

export function powerPlan(
  { pool, generation, platform, nodes, working, now, scaled }: PoolInput,
  machines: readonly Machine[],
  instances: NonNullable<GenerationPoolStatus['instances']>,
): PowerPlan {
  const leaving = pool.metadata.deletionTimestamp !== undefined || generation?.status.retiredTime !== undefined;
  const standby = !leaving && generation !== undefined && powerWanted(generation, platform) === 'Stopped';
  const counted = new Set(instances.map(({ id }) => id));
  const own = machines.filter(({ id }) => counted.has(id));
  const are = (...states: Machine['state'][]) => own.filter(({ state }) => states.includes(state));
  const rested = are('stopped').filter(({ launchTime }) => now - launchTime > scaled(RESTART_PAUSE));
  const isWorking = ({ providerID }: Machine) => working.has(nodes.get(providerID)?.name ?? '');
  return {
    standby,
    stop: standby ? are('running').flatMap((machine) => (isWorking(machine) ? [] : machine.id)) : [],
    finishing: standby ? are('running').filter(isWorking).length : 0,
    start: standby || leaving || generation === undefined ? [] : callsFor(rested, pool.status.failures ?? []),
    off: are('stopped', 'stopping').length,
    changing: are('pending', 'stopping').length,
  };
}

/**
 * A call fails as a whole for one of its machines. So none spans two subnets: where one zone has no room, another has. After a refusal each
 * is for a single machine, and for another one each time: one that cannot be started keeps no other from it.
 */
function callsFor(machines: readonly Machine[], failures: readonly Failure[]): string[][] {
  const refusals = Math.max(0, ...failures.filter((failure) => !isObserved(failure)).map(({ count }) => count));
  const bySubnet = Map.groupBy(machines, ({ subnet }) => subnet);
  return [...bySubnet.values()].flatMap((group) => {
    const ids = group.map(({ id }) => id);
    if (refusals > 0) return [ids.slice(refusals % ids.length).slice(0, 1)];
    const calls = Math.ceil(ids.length / STARTED_AT_ONCE);
    return Array.from({ length: calls }, (_, n) => ids.slice(n * STARTED_AT_ONCE, (n + 1) * STARTED_AT_ONCE));
  });
}

/** A launch shows in the cloud's list within this time, or it made nothing. Declared ms. */
const SHOWN_WITHIN = 5 * 60_000;

/** The journal of a standby, which launches nothing: what has not shown by now is given up, so that its token is not used late. */
export const journalOfStandby = (input: PoolInput): Launch[] =>
  (input.pool.status.launches ?? []).filter(
    ({ time }) => input.now - Date.parse(time) < realLimit(input, SHOWN_WITHIN, IN_FLIGHT),
  );
