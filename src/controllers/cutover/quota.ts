import type { ResourceQuota } from '../../kube/resources.ts';

/**
 * Whether quotas leave room for all Jobs of a cutover together. A dry run is no use for that: each is judged alone, and nothing
 * is added up. Pods are judged one at a time in any case, as their Jobs run one after the other.
 */

/** What each Job adds one to for as long as it is kept: itself and its pod, ended or not. */
const COUNTED = ['count/jobs.batch', 'count/pods'];

/** The first quota that has no room for so many more Jobs, for people. */
export function shortOf(quotas: readonly ResourceQuota[], needed: number): string | undefined {
  for (const { metadata, spec, status } of quotas)
    for (const what of COUNTED) {
      const hard = status?.hard?.[what] ?? spec?.hard?.[what];
      if (hard === undefined) continue;
      const used = status?.used?.[what] ?? '0';
      if (countOf(used) + needed > countOf(hard))
        return `ResourceQuota ${metadata.namespace}/${metadata.name} allows ${hard} of ${what} and ${used} are there`;
    }
  return undefined;
}

const SUFFIXES: Record<string, number> = { '': 1, k: 1e3, M: 1e6, G: 1e9 };

/** A number of objects as a quantity has it: `10`, `1k`. What cannot be read limits nothing: the API server itself refuses in time. */
function countOf(quantity: string): number {
  const [, digits = '', suffix = ''] = /^(\d+)([kMG]?)$/.exec(quantity) ?? [];
  return digits === '' ? 0 : Number(digits) * (SUFFIXES[suffix] ?? 1);
}
