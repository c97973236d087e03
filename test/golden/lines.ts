import type { ClusterGeneration, Condition, Cutover, GenerationPool, Platform } from '../../src/api/v1alpha1/index.ts';
import { stateText } from '../../src/traffic/target.ts';
import type { Change } from '../builders/index.ts';

/** What a change of an object means to a reader: a line for each thing that is now different, none for bookkeeping. */
export function linesOf({ resource, verb, before, after }: Change): string[] {
  const about = (text: string) => `${resource.kind} ${(after ?? before)?.metadata.name}: ${text}`;
  if (resource.plural === 'services') return serviceLines(before, after).map(about);
  if (!['ClusterGeneration', 'GenerationPool', 'Platform', 'Cutover'].includes(resource.kind)) return [];
  if (verb === 'delete') return [about('gone')];
  if (verb === 'create') return resource.kind === 'GenerationPool' ? [about(`created, ${placementOf(after)}`)] : [];
  const old = before as AnyObject;
  const now = after as AnyObject;
  const lines: (string | undefined)[] = [];
  if (now.metadata.deletionTimestamp && !old.metadata.deletionTimestamp) lines.push('is being deleted');
  if (JSON.stringify(old.spec) !== JSON.stringify(now.spec) && resource.kind === 'GenerationPool')
    lines.push(placementOf(after));
  lines.push(...statusLines(resource.kind, old.status, now.status));
  lines.push(...conditionLines(old.status.conditions, now.status.conditions));
  return lines.filter((line) => line !== undefined).map(about);
}

type AnyObject = ClusterGeneration | GenerationPool | Platform | Cutover;

const placementOf = (pool: unknown): string => {
  const { spec } = pool as GenerationPool;
  return `${spec.machines} machines: ${spec.placement.map(({ subnet, machines }) => `${machines} in ${subnet}`).join(', ')}`;
};

const difference = <T>(what: string, old: T, now: T, text: (value: NonNullable<T>) => string): string | undefined =>
  JSON.stringify(old) === JSON.stringify(now)
    ? undefined
    : `${what} ${now === undefined || now === null ? 'cleared' : text(now)}`;

function statusLines(kind: string, before: AnyObject['status'], after: AnyObject['status']): (string | undefined)[] {
  switch (kind) {
    case 'ClusterGeneration': {
      const [old, now] = [before, after] as ClusterGeneration['status'][];
      return [
        difference('reserved by', old?.reservedBy?.name, now?.reservedBy?.name, String),
        difference('live', old?.liveTime, now?.liveTime, () => 'marked'),
        difference('retired', old?.retiredTime, now?.retiredTime, () => `by ${now?.retiredBy?.name}`),
        difference('stage', old?.stage, now?.stage, String),
      ];
    }
    case 'GenerationPool': {
      const [old, now] = [before, after] as GenerationPool['status'][];
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
    case 'Platform': {
      const [old, now] = [before, after] as Platform['status'][];
      return [
        difference('protects', old?.protected, now?.protected, (names) => names.join(', ') || 'nothing'),
        difference('live is', old?.live?.name, now?.live?.name, String),
        difference(
          'destructive budget',
          old?.destruction?.machines,
          now?.destruction?.machines,
          (left) => `${Math.floor(left)} left`,
        ),
      ];
    }
    default: {
      const [old, now] = [before, after] as Cutover['status'][];
      const steps = (now?.steps ?? []).filter(
        ({ name, state }) => old?.steps?.find((step) => step.name === name)?.state !== state,
      );
      const switches = (now?.switches ?? []).filter(
        ({ target, state }) => old?.switches?.find((entry) => entry.target === target)?.state !== state,
      );
      return [
        ...steps.map(({ name, state }) => `step ${name} ${state}`),
        ...switches.map(({ target, state }) => `target ${target} ${state}`),
        difference('keeps the old one', old?.retainUntil, now?.retainUntil, (time) => `until ${time}`),
        difference('outcome', old?.outcome, now?.outcome, String),
      ];
    }
  }
}

/** Ready and Blocked, when they turn. */
function conditionLines(before: readonly Condition[] = [], after: readonly Condition[] = []): string[] {
  return after
    .filter(({ type }) => ['Ready', 'Blocked'].includes(type))
    .filter(({ type, status, reason }) => {
      const old = before.find((condition) => condition.type === type);
      return (
        (old?.status !== status || old.reason !== reason) &&
        !(type === 'Blocked' && status === 'False' && old?.status !== 'True')
      );
    })
    .map(
      ({ type, status, reason, message }) =>
        `${type} ${status} (${reason})${message && status !== 'True' ? `: ${message}` : ''}${type === 'Blocked' && status === 'True' ? `: ${message}` : ''}`,
    );
}

function serviceLines(before: unknown, after: unknown): string[] {
  const selector = (service: unknown) =>
    stateText((service as { spec?: { selector?: Record<string, string> } })?.spec?.selector ?? {});
  if (!before || selector(before) === selector(after)) return [];
  return [`selects ${selector(after).replaceAll('generations.dev/', '')}`];
}
