import {
  API_VERSION,
  type ClusterGeneration,
  CUTOVER_FINALIZER,
  type Cutover,
  LABEL,
  type Platform,
} from '../../src/api/v1alpha1/index.ts';
import { aCondition, aCutover, aGeneration, aPlatform, aPoolSpec, at, EPOCH } from '../builders/objects.ts';

/**
 * An object as the model keeps it: only what a decision can depend on. Messages, the times of steps, counters and most
 * conditions are left out, so that states that differ in nothing else are one state.
 */
export type Facts = {
  kind: 'Platform' | 'ClusterGeneration' | 'Cutover';
  name: string;
  deleting?: true;
  finalizer?: true;
  /** Of a Cutover: what people have changed in its spec since it was made. */
  asked?: Partial<Cutover['spec']>;
  status: Record<string, unknown>;
};

export type GenerationName = 'A' | 'B' | 'C';
export type KubeObject = Platform | ClusterGeneration | Cutover;

/** One machine a generation: its role and pool are the same everywhere. */
export const ROLE = 'web';
export const machineOf = (generation: string): string => `i-${generation}`;
export const uidOf = (name: string): string => `uid-${name}`;
export const nodeLabels = (generation: string): Record<string, string> => ({
  [LABEL.platform]: 'us',
  [LABEL.generation]: generation,
  [LABEL.generationUID]: uidOf(generation),
  [LABEL.pool]: ROLE,
  [LABEL.role]: ROLE,
});

/** How long the old generation is kept, seconds: longer than any run of the model needs to do all that it can. */
export const RETENTION = 3600;

/** Moments are whole seconds since EPOCH. */
export const moment = (seconds: number): string => at(seconds);
export const secondsOf = (time: string): number => Math.round((Date.parse(time) - EPOCH) / 1000);

/** Of every status: what only tells people how it came about. */
const NOISE = new Set([
  'observedGeneration',
  'message',
  'startTime',
  'endTime',
  'attempts',
  'downtime',
  'plan',
  'guard',
  'stage',
]);

/** Times of which only matters whether they are there. */
const ONCE = new Set(['heldTime', 'servedTime']);

/** Conditions that a rule of the API or a decision asks about. */
const CONDITIONS = new Map([
  ['Blocked', 'True'],
  ['RollbackAvailable', 'False'],
]);

/** The same value with nothing in it that no decision depends on, its keys in one order. */
export function factsOf(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    const list = value.map((entry) => factsOf(entry));
    if (key === 'protected') return list.toSorted();
    if (key !== 'conditions') return list;
    return (value as { type: string; status: string; reason: string }[])
      .filter(({ type, status }) => CONDITIONS.get(type) === status)
      .map(({ type, status, reason }) => ({ type, status, ...(type === 'Blocked' && { reason }) }))
      .toSorted((a, b) => a.type.localeCompare(b.type));
  }
  if (typeof value !== 'object' || value === null) return ONCE.has(key) ? at(0) : value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, field]) => field !== undefined && !NOISE.has(name) && !(key === 'undo' && name === 'time'))
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, field]) => [name, factsOf(field, name)]),
  );
}

/** Of a status of that kind. Conditions of platforms and generations are other controllers' business. */
export function statusFacts(kind: Facts['kind'], status: object): Facts['status'] {
  const facts = factsOf(status) as Facts['status'];
  if (kind !== 'Cutover' || (facts.conditions as unknown[] | undefined)?.length === 0) delete facts.conditions;
  return facts;
}

/** The last moment written anywhere in an object, seconds; those that lie ahead, at which something will be due, do not count. */
export function lastMoment(value: unknown, key = ''): number {
  if (typeof value === 'string')
    return /^\d{4}-\d\d-\d\dT/.test(value) && key !== 'until' && key !== 'retainUntil' ? secondsOf(value) : 0;
  if (typeof value !== 'object' || value === null) return 0;
  return Math.max(0, ...Object.entries(value).map(([name, field]) => lastMoment(field, name)));
}

/** Moments at which something will be due. */
export function dueMoments(value: unknown, key = ''): number[] {
  if (typeof value === 'string') return key === 'until' || key === 'retainUntil' ? [secondsOf(value)] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) => dueMoments(field, name));
}

/** Everything about the world that does not change. */
export interface Setting {
  traffic: Platform['spec']['traffic'];
  roles: Platform['spec']['roles'];
  cutovers: Readonly<Record<string, Cutover['spec']>>;
}

/** The whole object that the facts stand for, as an operator reads it at that moment. */
export function objectOf(facts: Facts, setting: Setting, now: number): KubeObject {
  const { kind, name, status } = facts;
  const metadata = {
    name,
    uid: uidOf(name),
    resourceVersion: '1',
    generation: 1,
    creationTimestamp: at(-3600 + name.charCodeAt(0)),
    ...(facts.deleting && { deletionTimestamp: at(0) }),
    ...(facts.finalizer && { finalizers: [CUTOVER_FINALIZER] }),
  };
  if (kind === 'Platform') {
    const guard = { effective: true, lastProbeTime: moment(now), probes: [] };
    const retention = { standby: 'Running' as const, for: `${RETENTION}s` };
    const { traffic, roles } = setting;
    return aPlatform({ name, metadata, spec: { traffic, roles, retention }, status: { ...status, guard } });
  }
  if (kind === 'ClusterGeneration') {
    const spec = { pools: [aPoolSpec({ machines: 1 })] };
    return aGeneration({ name, metadata, spec, status: { ...status, conditions: [aCondition()] } });
  }
  const spec = setting.cutovers[name];
  if (!spec) throw new Error(`no Cutover ${name} is part of this world`);
  const conditions = ((status.conditions ?? []) as { type: string; status: 'True' | 'False' }[]).map((condition) =>
    aCondition({ reason: condition.type, message: 'so it is', ...condition }),
  );
  const cutover = aCutover({ name, metadata, status: { ...status, conditions } });
  return { ...cutover, apiVersion: API_VERSION, spec: { ...spec, ...facts.asked } };
}
