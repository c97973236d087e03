import type { Platform } from '../../api/v1alpha1/index.ts';
import { withConditions } from '../../domain/conditions.ts';
import { neverWasLive } from '../../domain/protection.ts';
import { reportOf } from './guard.ts';
import type { Announcement, Effect, PlatformInput } from './input.ts';
import { overrideStep } from './override.ts';
import { rebindStep } from './rebind.ts';
import { verdictsOf } from './report.ts';
import { consistency, markedLive, pointersOf } from './restore.ts';
import { rolesOf } from './roles.ts';
import { recountIn, trafficOf } from './serving.ts';
import { tasksWait } from './waiting.ts';

/**
 * controllers/platform reports how a platform is doing, and does for it what only two people may ask for: override.ts
 * lifts the protection of one generation for a while, rebind.ts and restore.ts bring a platform back from a backup. In
 * goes the platform with its generations and what the cloud shows; out come its status, changes of generations'
 * statuses, and what people are told.
 */

/** How often to look again while something is wrong. Declared ms; all else wakes it by itself. */
const BUSY = 30_000;

/** As many as the API takes. */
const MOST_NAMES = 16;

export interface PlatformDecision {
  /** Written first. */
  status: Platform['status'];
  effects: Effect[];
  /** Once the status is written. */
  say: Announcement[];
  /** real ms */
  requeueAfter: number;
}

/** What to do about a platform. Pure. */
export function decide(input: PlatformInput): PlatformDecision {
  const { platform, now, scaled } = input;
  const pointers = pointersOf(input);
  const rebind = rebindStep(input);
  const override = overrideStep(input);
  const changes = { ...pointers, ...rebind.platform, ...override.platform };
  const current: PlatformInput = { ...input, platform: { ...platform, status: { ...platform.status, ...changes } } };
  const roles = rolesOf(current);
  const guard = reportOf(current.platform, input.round, input);
  const consistent = consistency(input, changes, rebind.objection);
  const traffic = trafficOf(current);
  const verdicts = [
    ...verdictsOf(current, roles, traffic, consistent),
    guard.verdict,
    consistent,
    override.verdict,
    tasksWait(input),
  ];
  const troubled = input.waiting.length > 0 || verdicts.some(({ type, status }) => type === 'Ready' && status !== true);
  return {
    status: {
      ...current.platform.status,
      observedGeneration: platform.metadata.generation,
      neverLive: neverLive(current),
      roles,
      traffic,
      ...(guard.guard && { guard: guard.guard }),
      conditions: withConditions(platform.status.conditions, verdicts, {
        generation: platform.metadata.generation,
        now,
      }),
    },
    effects: [rebind.effect, override.effect, markedLive(input)].filter((effect) => effect !== undefined).slice(0, 1),
    say: [rebind.say, override.say].filter((say) => say !== undefined),
    requeueAfter: Math.max(
      1,
      Math.min(
        troubled ? scaled(BUSY) : Infinity,
        guard.next,
        override.endsIn ?? Infinity,
        recountIn(current, traffic) ?? Infinity,
      ),
    ),
  };
}

/** What a person may have meant who tries to delete the live one: the newest first. */
function neverLive({ platform, generations }: PlatformInput): string[] | undefined {
  const names = generations
    .filter((generation) => neverWasLive(generation, platform))
    .map(({ metadata }) => metadata)
    .toSorted((a, b) => b.creationTimestamp.localeCompare(a.creationTimestamp) || a.name.localeCompare(b.name))
    .map(({ name }) => name);
  return names.length > 0 ? names.slice(0, MOST_NAMES) : undefined;
}
