import type { Platform } from '../api/v1alpha1/index.ts';
import { conditionOf } from './conditions.ts';

/** The condition of a Platform that says whether its tasks can be put where they belong. Absent until something was refused. */
export const TASKS_PLACED = 'TasksPlaced';

/** What keeps the tasks of a platform from where they belong, in the words of whoever refuses it; undefined when nothing does. */
export function placementRefused(platform: Platform | undefined): { reason: string; message: string } | undefined {
  const condition = platform && conditionOf(platform, TASKS_PLACED);
  return condition?.status === 'False' ? condition : undefined;
}
