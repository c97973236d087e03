import type { GenerationPoolStatus, Launch } from '../../api/v1alpha1/index.ts';
import { kstatus, timestamp, type Verdict, withConditions } from '../../domain/conditions.ts';
import { realLimit } from '../../domain/moment.ts';
import { overrideOf } from '../../domain/override.ts';
import { holdOf } from '../../domain/protection.ts';
import { isOfSubnet } from '../../domain/refusals.ts';
import type { ProviderError } from '../../providers/provider.ts';
import { accounted, tooMany } from './accounted.ts';
import { type Instance, instancesAfter, machinesLeft } from './accounting.ts';
import { census, type LabelNode, type Members } from './census.ts';
import { endedEarly, withEnded } from './ended.ts';
import type { PoolInput } from './input.ts';
import { IN_FLIGHT, launchesFor, waitFor } from './launching.ts';
import { journalOfStandby, type PowerPlan, powerPlan } from './power.ts';
import { refusalOf, stands, untilRetry } from './refusal.ts';
import { failuresNow, failuresOf, verdicts } from './report.ts';
import { type Mark, marksFor, twinNames } from './twins.ts';

/**
 * controllers/pool keeps the machines of one GenerationPool at the cloud equal to its spec: launches what is missing,
 * labels their Nodes, starts what is stopped, and hands to the interlock what is too much or, in a standby, to be stopped. In goes the pool, what the cloud and the Node
 * cache show; out comes a decision: the status to journal first, then the effects.
 */

/** How often to look at the cloud while something is under way, and when nothing is. Declared ms. */
const BUSY = 10_000;
const QUIET = 60_000;
/** The same while the account's API budget is what is waited for. */
const HELD = 2_000;

export interface PoolDecision {
  /** Written before any effect: it is the journal of the launches. */
  status: GenerationPoolStatus;
  launch: Launch[];
  label: LabelNode[];
  /** Nodes to be called stale, or not any more. */
  mark: Mark[];
  /** Machines that are too many, broken before they ever served, or of a pool that goes. The interlock decides again. */
  terminate: { ids: string[]; because: string } | undefined;
  /** Running machines of a standby that is kept stopped. The interlock decides again. */
  stop: { ids: string[]; because: string } | undefined;
  /** Stopped machines that should run, a list for each call. */
  start: string[][];
  /** Machines that ran again after a stop and lack protection. */
  protect: string[];
  /** Machines that are to live on without the operator: of a pool that goes by an override with release: true. */
  letGo: string[];
  /** True when the cloud shows that no machine is left of a pool that is being deleted. */
  release: boolean;
  /** real ms */
  requeueAfter: number;
}

/** What to do about a pool. Pure. */
export function decide(input: PoolInput): PoolDecision {
  const { pool, machines, now, scaled, standstill } = input;
  if (!Array.isArray(machines)) return blind(input, machines);

  const { instances: counted, ended } = instancesAfter(pool, machines, input.sight, input);
  const members = census(input, machines, counted);
  const instances = withRegistered(counted, members, now);
  const leaving = pool.metadata.deletionTimestamp !== undefined;
  const retired = input.generation?.status.retiredTime !== undefined;
  const power = powerPlan(input, machines, instances);
  const lacks = !leaving && !retired && !power.standby && instances.length < pool.spec.machines;
  const present = withEnded(failuresOf(input), lacks ? endedEarly(input, machines) : [], instances, input);
  const waiting = waitFor(present, now);
  const doubt = input.sight.unseen.length > 0;
  const general = present.filter((failure) => !isOfSubnet(failure));
  const resting =
    leaving || retired || power.standby || waitFor(general, now) > 0 || doubt || standstill.launch !== undefined;
  const launch = resting ? [] : launchesFor(pool, instances, input.affordable, now);
  const unhurried = standstill.end !== undefined || ((leaving || retired) && waiting > 0);
  const released = leaving && isReleasing(input);
  const letGo = released && !unhurried ? instances.map(({ id }) => id) : [];
  const expendable = released ? undefined : endable(input, instances, members);
  const refusal = refusalOf(input, expendable ? 'Terminate' : power.stop.length > 0 ? 'Stop' : undefined);
  const refused = stands(refusal, now);
  const terminate = unhurried || refused ? undefined : expendable;
  const wanted = leaving || retired ? 0 : power.standby ? instances.length : pool.spec.machines;
  const complete = power.standby
    ? power.stop.length === 0
    : launch.length === 0 && members.ready >= wanted && power.off === 0;
  const failures = leaving || retired ? present : failuresNow(present, power.standby ? NOBODY : members, complete, now);

  const started = launch.filter(({ token }) => !pool.status.launches?.some((entry) => entry.token === token));
  const journal = power.standby ? journalOfStandby(input) : (pool.status.launches ?? []);
  const status: GenerationPoolStatus = {
    ...pool.status,
    observedGeneration: pool.metadata.generation,
    ...(input.account !== undefined && { account: pool.status.account ?? input.account }),
    machines: { launched: instances.length, registered: members.registered.length, ready: members.ready },
    instances,
    ...(ended.length > 0 && { ended }),
    launches: [...journal, ...started],
    launchCount: (pool.status.launchCount ?? 0) + started.length,
    staleNodes: input.twins.length > 0 ? twinNames(input) : undefined,
    failures,
    refusal,
    conditions: withConditions(
      pool.status.conditions,
      [
        ...verdicts(input, { wanted, launched: instances.length, members, power, failures, refusal }),
        accounted(input, instances),
      ],
      { generation: pool.metadata.generation, now },
    ),
  };
  const held = input.affordable < 1 && instances.length < wanted;
  const still = waiting > 0 || standstill.launch !== undefined;
  const due = stillDue(input, power, { still, refused });
  const settled =
    launch.length === 0 &&
    !terminate &&
    instances.length === wanted &&
    (power.standby ? power.off === wanted : members.ready === wanted) &&
    power.changing === 0 &&
    due.protect.length === 0 &&
    input.sight.denied.length === 0;
  return {
    status,
    launch,
    label: members.unlabelled,
    mark: marksFor(input),
    terminate,
    ...due,
    letGo,
    release:
      leaving &&
      standstill.end === undefined &&
      instances.length === 0 &&
      !doubt &&
      machinesLeft(machines).length === 0 &&
      journalIsOver(input),
    requeueAfter:
      (settled && !leaving) || ((leaving || retired) && refused)
        ? Math.min(scaled(QUIET), refusal && refused ? untilRetry(refusal, now) : scaled(QUIET))
        : Math.min(scaled(BUSY), waiting || scaled(held || input.revived.unknown > 0 ? HELD : BUSY)),
  };
}

/** Without a look at the cloud nothing is done, and nothing claimed but that. */
function blind({ pool, now, scaled }: PoolInput, error: ProviderError): PoolDecision {
  const verdict: Verdict = { type: 'Ready', status: 'Unknown', reason: error.reason, message: error.message };
  const conditions = withConditions(
    pool.status.conditions,
    [verdict, ...kstatus('Reconciling', error.reason, error.message)],
    { generation: pool.metadata.generation, now },
  );
  return {
    status: { ...pool.status, conditions },
    launch: [],
    label: [],
    mark: [],
    terminate: undefined,
    stop: undefined,
    start: [],
    protect: [],
    letGo: [],
    release: false,
    requeueAfter: Math.max(error.retryAfter ?? 0, scaled(BUSY)),
  };
}

/** What is to be stopped, started and protected now; nothing while there is something to wait for, or nothing may move. */
function stillDue(
  { revived }: PoolInput,
  { standby, stop, start }: PowerPlan,
  { still, refused }: { still: boolean; refused: boolean },
): Pick<PoolDecision, 'stop' | 'start' | 'protect'> {
  const ids = still || refused ? [] : stop;
  return {
    stop: ids.length > 0 ? { ids, because: 'its generation is kept as a stopped standby' } : undefined,
    start: still ? [] : start,
    // Protection harms nothing, whatever stands still.
    protect: standby ? [] : revived.bare,
  };
}

/** Why machines are ended that no Node was ever seen of: decided upon a live list of Nodes. */
export const NEVER_REGISTERED = 'it never registered as a Node';

const NOBODY = { late: [], lost: [] };

/** The instances, those marked whose Node is seen for the first time. */
const withRegistered = (instances: readonly Instance[], { registered }: Members, now: number): Instance[] => {
  const seen = new Set(registered);
  return instances.map((instance) =>
    instance.registeredTime === undefined && seen.has(instance.id)
      ? { ...instance, registeredTime: timestamp(now) }
      : instance,
  );
};

/** Two people have said that the machines of this generation are let go instead of terminated. */
const isReleasing = ({ generation, platform, now, scaled }: PoolInput): boolean =>
  generation !== undefined && overrideOf(generation, platform, { now, scaled })?.release === true;

/** Machines that should go. Of a generation that is held none is proposed: the interlock would refuse. */
function endable(
  { pool, generation, platform, sight, now, scaled }: PoolInput,
  instances: readonly Instance[],
  members: Members,
): PoolDecision['terminate'] {
  const ids = instances.map(({ id }) => id);
  if (ids.length === 0) return undefined;
  if (pool.metadata.deletionTimestamp) return { ids, because: 'its pool is being deleted' };
  if (!generation || holdOf(generation, platform, { now, scaled })) return undefined;
  if (generation.status.retiredTime) return { ids, because: 'its generation is retired' };
  if (members.late.length > 0 && !sight.nodesLack) return { ids: members.late, because: NEVER_REGISTERED };
  const surplus = tooMany(pool, instances);
  if (surplus <= 0) return undefined;
  const useful = new Set(members.registered);
  const expendable = instances.toSorted(
    (a, b) => Number(useful.has(a.id)) - Number(useful.has(b.id)) || b.time.localeCompare(a.time),
  );
  return { ids: expendable.slice(0, surplus).map(({ id }) => id), because: 'its pool was made smaller' };
}

/** A launch whose answer was lost shows in the cloud's list within this time. Declared ms. */
const CONSISTENCY_WINDOW = 60_000;

/** True when no launch without an answer can still bring a machine: the last was sent before the deletion, if it waited long. */
const journalIsOver = (input: PoolInput): boolean =>
  (input.pool.status.launches ?? []).every(({ time }) => {
    const sent = Math.max(Date.parse(time), Date.parse(input.pool.metadata.deletionTimestamp ?? time));
    return input.now - sent > realLimit(input, CONSISTENCY_WINDOW, IN_FLIGHT);
  });
