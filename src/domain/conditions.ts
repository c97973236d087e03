import type { Condition } from '../api/v1alpha1/index.ts';

/** A condition as a decision states it; when it last changed is worked out here. */
export interface Verdict {
  type: string;
  status: boolean | 'Unknown';
  reason: string;
  message: string;
}

/** Of a pool and of its generation: what is counted, what the cloud shows and what is wanted agree. */
export const ACCOUNTED = 'Accounted';

/** Longest message that the API takes. */
const MESSAGE_LENGTH = 4096;

/**
 * The conditions of an object after a decision: those decided replace those of the same type, all others stay, a
 * type in `cleared` goes. `lastTransitionTime` moves only when the status does, so that an unchanged decision is an
 * unchanged object.
 */
export function withConditions(
  present: readonly Condition[] | undefined,
  verdicts: readonly Verdict[],
  about: { generation: number; now: number; cleared?: readonly string[] },
): Condition[] {
  const result = new Map((present ?? []).map((condition) => [condition.type, condition]));
  for (const type of about.cleared ?? []) result.delete(type);
  for (const verdict of verdicts) {
    const status = verdict.status === 'Unknown' ? 'Unknown' : verdict.status ? 'True' : 'False';
    const before = result.get(verdict.type);
    result.set(verdict.type, {
      type: verdict.type,
      status,
      reason: verdict.reason,
      message: verdict.message.slice(0, MESSAGE_LENGTH),
      lastTransitionTime: before?.status === status ? before.lastTransitionTime : timestamp(about.now),
      observedGeneration: about.generation,
    });
  }
  return [...result.values()];
}

export const conditionOf = (
  object: { status: { conditions?: Condition[] | undefined } },
  type: string,
): Condition | undefined => object.status.conditions?.find((condition) => condition.type === type);

export const isTrue = (object: { status: { conditions?: Condition[] | undefined } }, type: string): boolean =>
  conditionOf(object, type)?.status === 'True';

/** What kstatus (kubectl, Argo CD, Flux) reads beside Ready: at most one of the two is True. */
export function kstatus(progress: 'Current' | 'Reconciling' | 'Stalled', reason: string, message: string): Verdict[] {
  return (['Reconciling', 'Stalled'] as const).map((type) => ({
    type,
    status: progress === type,
    reason: progress === type ? reason : 'No',
    message: progress === type ? message : '',
  }));
}

/** A moment as the API has it: RFC 3339, to the millisecond, because budgets are refilled by the time in a status. */
export const timestamp = (ms: number): string => new Date(ms).toISOString();
