import {
  type ClusterGeneration,
  type GenerationPool,
  LABEL,
  type Platform,
  type PlatformStatus,
} from '../../api/v1alpha1/index.ts';
import { conditionOf, timestamp, type Verdict } from '../../domain/conditions.ts';
import { GUARD_EFFECTIVE, guardTrouble, PROBE_INTERVAL } from '../../domain/guard.ts';
import { uidsOf } from '../../domain/identity.ts';
import { type Moment, momentOf } from '../../domain/moment.ts';
import { isListed, isPlaced } from '../../domain/workloads.ts';
import type { Result, Round } from '../../guard/canary/round.ts';
import type { Known, KnownWorkload } from '../../guard/canary/subject.ts';
import { BY, type Context } from '../context.ts';
import type { WorkloadView } from '../workloads.ts';

/**
 * Probes the guard of a platform when it is time, and says what that proves: Platform.status.guard and the condition
 * GuardEffective. A round that the API server did not answer changes nothing, so that the last report grows old.
 */

/** Real ms; however fast a drill runs, rounds do not follow each other without a pause. */
const SHORTEST_INTERVAL = 500;
/** What the CRD takes; names alone may be as long. */
const TARGET_LENGTH = 253;
/** How soon to try again after a round without an answer. Declared ms. */
const UNANSWERED = 10_000;

/** Runs a round if the last one is old enough; undefined when there is none, or no answer. */
export async function probe(
  context: Context,
  platform: Platform,
  { generations, live, livePools }: Pick<Known, 'generations' | 'live'> & { livePools: GenerationPool[] },
): Promise<Round | undefined> {
  const { caches, clock } = context;
  if (untilNextRound(platform.status.guard, momentOf(clock)) > 0) return undefined;
  return context.canary.probe({
    platform,
    generationClass: caches.classes.get(platform.spec.className),
    generations,
    live,
    pools: livePools,
    nodes: live ? workersOf(context, live) : [],
    cutovers: caches.cutovers
      .byIndex(BY.platform, platform.metadata.name)
      .filter(({ status }) => status.outcome === undefined),
    workloads: live
      ? caches.workloads
          .flatMap((store) => store.byIndex(BY.generation, live.metadata.name))
          .filter((workload) => isGuarded(workload) && !isPlaced(workload, platform))
          .map((workload) => knownAs(context, workload))
      : [],
    marked: caches.workloads
      .flatMap((store) => store.list())
      .filter((workload) => workload.marked && isGuarded(workload))
      .map((workload) => knownAs(context, workload)),
    gated: caches.pods.byIndex(BY.platform, platform.metadata.name).filter(({ gated, leaving }) => gated && !leaving),
  });
}

const isGuarded = ({ owned, released, leaving }: WorkloadView): boolean => !owned && !released && !leaving;

const knownAs = ({ caches }: Context, { resource, namespace, name }: WorkloadView): KnownWorkload => ({
  resource,
  namespace,
  name,
  listed: isListed(caches.places.get(namespace)?.workloads, { resource: resource.plural, name }),
});

/** Nodes that a forbidden act can be tried on: Ready, not cordoned and not in maintenance. */
function workersOf({ caches }: Context, live: ClusterGeneration): string[] {
  const uids = uidsOf(live);
  return caches.nodes
    .list()
    .filter(({ ready, unschedulable, maintenance }) => ready && !unschedulable && maintenance === undefined)
    .filter(({ labels }) => uids.includes(labels[LABEL.generationUID] ?? ''))
    .map(({ name }) => name);
}

/** Real ms; 0 or less: now. */
function untilNextRound(guard: PlatformStatus['guard'], { now, scaled }: Moment): number {
  if (!guard) return 0;
  const interval = Math.max(SHORTEST_INTERVAL, scaled(PROBE_INTERVAL));
  const age = now - Date.parse(guard.lastProbeTime);
  // A report from the future comes from a clock that was wrong.
  return age < 0 ? 0 : interval - age;
}

export interface GuardReport {
  guard: PlatformStatus['guard'];
  verdict: Verdict;
  /** Real ms until the next round. */
  next: number;
}

/** What a platform's status says of its guard after this look at it. `round`: undefined when there was none, or no answer. */
export function reportOf(platform: Platform, round: Round | undefined, { now, scaled }: Moment): GuardReport {
  const before = platform.status.guard;
  if (!round) {
    const due = untilNextRound(before, { now, scaled });
    return {
      guard: before,
      verdict: withoutRound(platform, { now, scaled }),
      next: due > 0 ? due : Math.max(SHORTEST_INTERVAL, scaled(UNANSWERED)),
    };
  }
  const verdict = judge(round);
  const guard = {
    effective: verdict.status === true,
    lastProbeTime: timestamp(round.time),
    probes: round.results.map(({ target, verb, outcome, policy }) => ({
      target: target.slice(0, TARGET_LENGTH),
      verb,
      outcome,
      ...(policy !== undefined && { policy }),
    })),
  };
  return { guard, verdict, next: Math.max(1, untilNextRound(guard, { now, scaled })) };
}

/** No news: what was said before holds until it is too old. */
function withoutRound(platform: Platform, about: Moment): Verdict {
  const said = conditionOf(platform, GUARD_EFFECTIVE);
  if (!platform.status.guard || !said)
    return {
      type: GUARD_EFFECTIVE,
      status: 'Unknown',
      reason: 'NotProbed',
      message: 'the API server has not answered a whole round of probes yet',
    };
  if (said.status === 'True') {
    const trouble = guardTrouble(platform, about);
    if (trouble) return { type: GUARD_EFFECTIVE, status: 'Unknown', reason: 'Stale', message: trouble };
  }
  const { reason, message } = said;
  return {
    type: GUARD_EFFECTIVE,
    status: said.status === 'Unknown' ? 'Unknown' : said.status === 'True',
    reason,
    message,
  };
}

/** What must have been refused for the guard to count as proved, if something is live; the first, if nothing is. */
const PROOFS = { always: 'delete-crd', live: ['delete-generation', 'delete-pool'] } as const;

function judge({ results, live, overridden }: Round): Verdict {
  const named = (outcome: Result['outcome']) => results.filter((result) => result.outcome === outcome);
  const verdict = (status: boolean, reason: string, message: string): Verdict => ({
    type: GUARD_EFFECTIVE,
    status,
    reason,
    message,
  });
  const holes = named('Hole');
  if (holes.length > 0)
    return verdict(
      false,
      'Hole',
      `not refused by a policy: ${holes.map(nameOf).join('; ')}. Install the policies of the chart again (helm upgrade, or kubectl apply -k manifests/): no cutover starts and nothing that was live is removed until then`,
    );
  const skipped = named('Skipped');
  const why = skipped.map((result) => `${nameOf(result)} (${result.reason ?? 'no reason'})`).join('; ');
  const summary = `${named('Denied').length} of ${results.length} acts were tried and refused by policies${why && `; not tried: ${why}`}`;
  const denied = (families: readonly string[]) =>
    families.every((family) => results.some((result) => result.family === family && result.outcome === 'Denied'));
  if (!denied([PROOFS.always]) || (live && !overridden && !denied(PROOFS.live)))
    return verdict(false, 'NotProved', `what matters most could not be tried: ${summary}`);
  if (!live) return verdict(true, 'NothingLive', summary);
  return overridden ? verdict(true, 'Overridden', summary) : verdict(true, 'Refused', summary);
}

const nameOf = ({ verb, target }: Result): string => `${verb} ${target}`;

/** Tells the metrics, and people when the guard was found to have a hole, and when it is whole again: once each time. */
export function announce({ canary, events, log }: Context, before: Platform, after: Platform): void {
  const was = conditionOf(before, GUARD_EFFECTIVE);
  const is = conditionOf(after, GUARD_EFFECTIVE);
  const { guard } = after.status;
  canary.judged(after.metadata.name, {
    effective: is?.status === 'True',
    ...(guard && { lastProbe: Date.parse(guard.lastProbeTime) }),
  });
  if (!is || was?.status === is.status) return;
  const platform = after.metadata.name;
  const { reason, message } = is;
  if (is.status === 'False') {
    log.error('The guard is not effective', { platform, reason, message });
    events.record({ regarding: after, type: 'Warning', action: 'Probe', reason: `Guard${reason}`, note: message });
  } else if (is.status === 'True' && was) {
    log.info('The guard is effective', { platform, message });
    events.record({ regarding: after, type: 'Normal', action: 'Probe', reason: 'GuardEffective', note: message });
  }
}
