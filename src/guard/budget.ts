import type { ClusterGeneration, Platform } from '../api/v1alpha1/index.ts';
import { timestamp } from '../domain/conditions.ts';
import { takeMachines } from '../domain/destructive-budget.ts';
import { wasEverLive } from '../domain/protection.ts';
import { platforms } from '../kinds.ts';
import type { KubeClient } from '../kube/client.ts';
import { isConflict } from '../kube/errors.ts';
import type { Clock } from '../runtime/clock.ts';

/**
 * Machines bared of their protection before they are handed to one TerminateInstances call, and taken out of the
 * budget at once: what the cloud's pace then keeps from being removed is lost to the budget.
 */
export const BATCH = 10;

/**
 * Takes machines out of the platform's destructive budget, if the generation was ever live. The budget is written
 * before a machine is touched, on the very Platform that was checked: its resourceVersion is the precondition, so
 * that two leaders cannot spend the same budget and a change of the live pointer since the check stops the act.
 */
export async function withdraw(
  client: KubeClient,
  clock: Clock,
  { generation, platform }: { generation: ClusterGeneration; platform: Platform | undefined },
  wanted: number,
): Promise<{ machines: number; retryAfter?: number }> {
  if (!wasEverLive(generation) || wanted === 0) return { machines: wanted };
  if (!platform) return { machines: 0, retryAfter: clock.scaled(60_000) };
  const kept = platform.status.destruction;
  const now = clock.now();
  // In declared time: what is saved up is then a declared minute's worth, however fast a drill runs.
  const declared = (real: number): number => real * clock.scale;
  const taken = takeMachines(
    kept && { machines: kept.machines, time: declared(Date.parse(kept.time)) },
    Math.min(wanted, BATCH),
    platform.spec.destructiveBudget.machinesPerMinute,
    declared(now),
  );
  const { granted, budget } = taken;
  const retryAfter = Math.ceil(clock.scaled(taken.retryAfter));
  if (granted === 0 && kept) return { machines: 0, retryAfter };
  const destruction = { machines: budget.machines, time: timestamp(now) };
  try {
    await client.update(
      platforms,
      { ...platform, status: { ...platform.status, destruction } },
      { subresource: 'status' },
    );
  } catch (error) {
    if (isConflict(error)) return { machines: 0, retryAfter: 200 };
    throw error;
  }
  return { machines: granted, retryAfter };
}
