import type { Platform } from '../api/v1alpha1/index.ts';

/**
 * Workloads: Deployments, StatefulSets, DaemonSets and ReplicaSets, as far as they belong to generations. In goes what one says of itself,
 * out comes whose it is. Pure. The policies in charts/ (workloads.yaml) say the same in CEL.
 */

/** What of a workload these rules look at. */
export interface WorkloadFacts {
  /** Of its template: where its pods run, and what Services find them by. */
  nodeSelector: string | undefined;
  label: string | undefined;
  /** Which platform's and which role's its template says that its pods are. */
  platform: string | undefined;
  role: string | undefined;
}

/** The names of generations that a template names: one, or none; two when it contradicts itself. */
export const generationsOf = ({ nodeSelector, label }: WorkloadFacts): string[] => [
  ...new Set([nodeSelector, label].flatMap((name) => name ?? [])),
];

/** What its label generations.dev/generation has to say, so that policies can select it by it; undefined: nothing. */
export const labelFor = ({ nodeSelector, label }: WorkloadFacts): string | undefined => nodeSelector ?? label;

/** Of a Follow or Singleton role: people's own, since tasks come and go. */
export const isPlaced = ({ platform, role }: WorkloadFacts, { metadata, spec }: Platform): boolean =>
  platform === metadata.name && spec.roles.some(({ name, handover }) => name === role && handover !== 'Beside');

/** One guarded workload, as its Namespace lists it. */
export interface WorkloadItem {
  /** Plural, as in a path: `deployments`. */
  resource: string;
  name: string;
  /** Whose it is; undefined for those that people have labelled generations.dev/protected. */
  of: { generation: string; platform: string; live: boolean } | undefined;
}

/** How the annotation generations.dev/workloads writes it. */
export const itemText = ({ resource, name, of }: WorkloadItem): string =>
  [`${resource}/${name}`, of?.generation ?? '', of?.platform ?? '', of ? (of.live ? 'live' : 'protected') : ''].join(
    ':',
  );

/** What of the annotation's items names this one, whatever it says of it. */
export const isListed = (list: string | undefined, { resource, name }: Pick<WorkloadItem, 'resource' | 'name'>) =>
  (list ?? '').split(' ').some((item) => item.startsWith(`${resource}/${name}:`));
