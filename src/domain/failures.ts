import type { Failure } from '../api/v1alpha1/index.ts';

/** Whether a pool's failure keeps it from being as it should: false of one lost machine that is replaced at once. */
export const isCause = ({ reason, since, retryTime }: Failure): boolean =>
  reason !== 'EndedEarly' || retryTime !== since;
