import type { ClusterGeneration, GenerationPool, Platform } from '../../../src/api/v1alpha1/index.ts';
import { difference } from './difference.ts';

/** Generations, pools and platforms: what has changed of their status. */

type Lines = (string | undefined)[];

export const placementOf = (pool: unknown): string => {
  const { spec } = pool as GenerationPool;
  return `${spec.machines} machines: ${spec.placement.map(({ subnet, machines }) => `${machines} in ${subnet}`).join(', ')}`;
};

export const generationLines = (old: ClusterGeneration['status'], now: ClusterGeneration['status']): Lines => [
  difference('reserved by', old?.reservedBy?.name, now?.reservedBy?.name, String),
  difference('live', old?.liveTime, now?.liveTime, (time) => `since ${time}`),
  difference(
    'kept',
    old?.retention,
    now?.retention,
    ({ standby, until, cutover }) => `${standby} until ${until}, left by ${cutover.name}`,
  ),
  difference('retired', old?.retiredTime, now?.retiredTime, () => `by ${now?.retiredBy?.name}`),
  difference('stage', old?.stage, now?.stage, String),
];

export function poolLines(old: GenerationPool['status'], now: GenerationPool['status']): Lines {
  const launches = (status: GenerationPool['status'] | undefined) =>
    (status?.launches ?? []).map(({ machines, subnet }) => `${machines} in ${subnet}`).join(', ');
  return [
    difference('journal', launches(old), launches(now), (text) => text || 'empty'),
    difference(
      'machines',
      old?.machines,
      now?.machines,
      (m) => `${m.launched} launched, ${m.registered} registered, ${m.ready} ready`,
    ),
  ];
}

export const platformLines = (old: Platform['status'], now: Platform['status']): Lines => [
  difference('held by', old?.cutover?.name, now?.cutover?.name, String),
  difference('protects', old?.protected, now?.protected, (names) => names.join(', ') || 'nothing'),
  difference('live is', old?.live?.name, now?.live?.name, String),
  difference('decommissioned', old?.decommissioned, now?.decommissioned, ({ cutover }) => `by ${cutover.name}`),
  difference(
    'quiesced',
    old?.quiesced,
    now?.quiesced,
    ({ cutover, stop }) => `by ${cutover.name}${stop.length > 0 ? `, which ends the pods of ${stop.join(', ')}` : ''}`,
  ),
  difference(
    'destructive budget',
    old?.destruction?.machines,
    now?.destruction?.machines,
    (left) => `${Math.floor(left)} left`,
  ),
];
