import type { ClusterGeneration, Cutover, GenerationPool, Platform } from '../../src/api/v1alpha1/index.ts';
import { stateText } from '../../src/traffic/target.ts';
import type { Change } from '../builders/index.ts';
import { conditionLines } from './lines/conditions.ts';
import { cutoverLines } from './lines/cutover.ts';
import { generationLines, placementOf, platformLines, poolLines } from './lines/others.ts';

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
  lines.push(...statusLines(old, now), ...conditionLines(resource.kind, old.status.conditions, now.status.conditions));
  return lines.filter((line) => line !== undefined).map(about);
}

type AnyObject = ClusterGeneration | GenerationPool | Platform | Cutover;

function statusLines(before: AnyObject, after: AnyObject): (string | undefined)[] {
  switch (after.kind) {
    case 'ClusterGeneration':
      return generationLines(before.status as ClusterGeneration['status'], after.status as ClusterGeneration['status']);
    case 'GenerationPool':
      return poolLines(before.status as GenerationPool['status'], after.status as GenerationPool['status']);
    case 'Platform':
      return platformLines(before.status as Platform['status'], after.status as Platform['status']);
    default:
      return cutoverLines(before as Cutover, after as Cutover);
  }
}

function serviceLines(before: unknown, after: unknown): string[] {
  const selector = (service: unknown) =>
    stateText((service as { spec?: { selector?: Record<string, string> } })?.spec?.selector ?? {});
  if (!before || selector(before) === selector(after)) return [];
  return [`selects ${selector(after)}`];
}
