import { LABEL } from '../../api/v1alpha1/index.ts';
import type { Resource } from '../../kube/resource.ts';
import type { Workload } from '../../kube/resources.ts';
import { deletion, exactly, type Probe, probe, type Subject } from './probe.ts';

/**
 * Acts against the guard of what users reach. That workloads are labelled by their generation is not tried: where generations-workloads is
 * missing, the operator labels them.
 */

/** A workload, and under which collection it is found. */
export interface Found {
  resource: Resource<Workload>;
  object: Workload;
}

/** One probe of each family about workloads, in the order of FAMILIES. */
export function workloadProbesOf({ overridden, live, workload, listed, marked }: Subject): Probe[] {
  const nothing = overridden ? 'an override by two people is in force' : 'no live generation is there';
  const none = (missing: string) => (live && !overridden ? missing : nothing);
  const ofLive = (found: Found | undefined) => (overridden ? undefined : found);
  return [
    probe({
      family: 'delete-workload',
      verb: 'delete',
      kind: 'Workload',
      object: ofLive(workload)?.object,
      missing: none('the live generation has no workload'),
      act: (it) => deletion((workload as Found).resource, it),
    }),
    probe({
      family: 'empty-workload',
      verb: 'scale to zero',
      kind: 'Workload',
      object: ofLive(listed)?.object,
      missing: none('no workload of the live generation has a size and is listed on its Namespace'),
      act: (it) => ({
        do: 'patch',
        resource: (listed as Found).resource,
        object: exactly(it),
        subresource: 'scale',
        body: { spec: { replicas: 0 } },
      }),
    }),
    probe({
      family: 'unmark-workload',
      verb: 'unlabel',
      kind: 'Workload',
      object: marked?.object,
      missing: `none is labelled ${LABEL.protected}`,
      act: (it) => ({
        do: 'patch',
        resource: (marked as Found).resource,
        object: exactly(it),
        body: { metadata: { labels: { [LABEL.protected]: null } } },
      }),
    }),
  ];
}
