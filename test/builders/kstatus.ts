import type { Condition } from '../../src/api/v1alpha1/index.ts';

/**
 * How kubectl, Flux and Argo CD take an object of a kind that they do not know: the rules of cli-utils' kstatus for the conditions
 * Reconciling, Stalled and Ready, in its order.
 */
export function kstatusOf({
  conditions,
}: {
  conditions?: Condition[] | undefined;
}): 'InProgress' | 'Failed' | 'Current' {
  const statusOf = (type: string) => conditions?.find((condition) => condition.type === type)?.status;
  if (statusOf('Reconciling') === 'True') return 'InProgress';
  if (statusOf('Stalled') === 'True') return 'Failed';
  return statusOf('Ready') === 'False' || statusOf('Ready') === 'Unknown' ? 'InProgress' : 'Current';
}
