import { ApiError } from '../../src/kube/errors.ts';
import type { KubeObject, ManagedFields } from '../../src/kube/resource.ts';

/** The kinds of patches that the operator sends, on an object in memory. */

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

type Operation = { op: 'add' | 'remove' | 'replace' | 'test'; path: string; value?: unknown };

/** RFC 6902, without move and copy. Throws what a real server answers to a test that fails. */
export function operated(before: unknown, operations: readonly Operation[]): unknown {
  const root = { '': structuredClone(before) };
  for (const { op, path, value } of operations) {
    const keys = path.split('/').map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = keys.pop() ?? '';
    const parent = keys.reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], root);
    const holder = parent as Record<string, unknown>;
    const present = holder?.[last];
    if (holder === undefined || ((op === 'remove' || op === 'replace') && present === undefined))
      throw new ApiError({ status: 422, reason: 'Invalid', message: `there is nothing at ${path}` });
    if (op === 'test') {
      if (JSON.stringify(present) !== JSON.stringify(value))
        throw new ApiError({ status: 422, reason: 'Invalid', message: `the test at ${path} failed` });
    } else if (Array.isArray(parent)) {
      const at = last === '-' ? parent.length : Number(last);
      parent.splice(at, op === 'add' ? 0 : 1, ...(op === 'remove' ? [] : [value]));
    } else if (op === 'remove') delete holder[last];
    else holder[last] = value;
  }
  return root[''];
}

/** A strategic merge patch of a pod, as far as lists go that are merged by name, of which an item can be added, changed or deleted, and finalizers. */
export function strategic(before: unknown, patch: unknown): unknown {
  if (Array.isArray(patch) && patch.every((item) => isRecord(item) && 'name' in item)) {
    const present = Array.isArray(before) ? before.filter(isRecord) : [];
    const others = present.filter(({ name }) => !patch.some((item) => item.name === name));
    const written = patch.filter(({ $patch }) => $patch !== 'delete');
    return [
      ...others,
      ...written.map((item) =>
        strategic(
          present.find(({ name }) => name === item.name),
          item,
        ),
      ),
    ];
  }
  if (!isRecord(patch)) return patch;
  const result: Record<string, unknown> = isRecord(before) ? { ...before } : {};
  for (const [key, value] of Object.entries(patch)) {
    const [, list] = /^\$deleteFromPrimitiveList\/(.+)$/.exec(key) ?? [];
    if (list) result[list] = ((result[list] ?? []) as unknown[]).filter((item) => !(value as unknown[]).includes(item));
    else if (value === null) delete result[key];
    else result[key] = strategic(result[key], value);
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
