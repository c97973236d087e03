import { ApiError } from '../../src/kube/errors.ts';
import type { KubeObject, ManagedFields } from '../../src/kube/resource.ts';

/** The two kinds of patches that the operator sends, on an object in memory. */

/** RFC 7386. */
export function merged(before: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const result: Record<string, unknown> = isRecord(before) ? { ...before } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

/** Server-side apply of labels and spec.selector, the only fields that the operator applies. */
export function applied(
  before: KubeObject,
  body: KubeObject & { spec?: unknown },
  manager: string,
  force: boolean,
): KubeObject {
  const others = (before.metadata.managedFields ?? []).filter((entry) => entry.manager !== manager);
  const own = (before.metadata.managedFields ?? []).find((entry) => entry.manager === manager);
  const wanted = selectorOf(body);
  const now = selectorOf(before as KubeObject & { spec?: unknown });
  for (const other of others)
    for (const key of keysOf(other))
      if (!force && wanted[key] !== undefined && wanted[key] !== now[key])
        throw new ApiError({
          status: 409,
          reason: 'Conflict',
          message: `conflict with "${other.manager}": .spec.selector.${key}`,
        });
  const kept = Object.entries(now).filter(([key]) => !keysOf(own).includes(key) || key in wanted);
  const fields = Object.fromEntries(Object.keys(wanted).map((key) => [`f:${key}`, {}]));
  const managedFields = [
    ...others,
    { manager, operation: 'Apply' as const, fieldsV1: { 'f:spec': { 'f:selector': fields } } },
  ];
  return {
    ...before,
    metadata: { ...before.metadata, labels: { ...before.metadata.labels, ...body.metadata.labels }, managedFields },
    spec: { ...(before as { spec?: object }).spec, selector: { ...Object.fromEntries(kept), ...wanted } },
  } as KubeObject;
}

const selectorOf = (object: { spec?: unknown }): Record<string, string> =>
  (object.spec as { selector?: Record<string, string> } | undefined)?.selector ?? {};

/** Keys of the selector that an entry owns. */
function keysOf(entry: ManagedFields | undefined): string[] {
  const spec = entry?.fieldsV1?.['f:spec'] as { 'f:selector'?: object } | undefined;
  return Object.keys(spec?.['f:selector'] ?? {}).map((key) => key.slice(2));
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
